"""A vendor's office at its upload desk without a browser: the same requests, by plain sockets."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.place import HOST
from benchmarks.serving import Browser

_CSRF = re.compile(r'<meta name="csrf-token" content="([^"]+)"')
_ANSWER = 65_536


@dataclass(frozen=True)
class File:
    """A file to be sent: its bytes lie at `path`."""

    name: str
    path: Path
    size: int


class Desk:
    """One request's desk, signed in."""

    def __init__(self, port: int, request_id: object, email: str, password: str) -> None:
        """Sign in and take the page's token."""
        self.port = port
        self.base = f"/requests/{request_id}"
        self.browser = Browser(port)
        self.browser.sign_in(email, password)
        found = _CSRF.search(self.browser.get(self.base))
        if found is None:
            raise RuntimeError("the page carries no token")
        self._token = found[1]
        self.line = http.client.HTTPConnection(HOST, port, timeout=120)

    def close(self) -> None:
        """Close the connections."""
        self.line.close()
        self.browser.close()

    def post(self, path: str, body: object) -> dict[str, Any]:
        """POST JSON on the desk's own kept connection."""
        headers = {
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.browser.cookies.items()),
            "Content-Type": "application/json",
            "X-CSRFToken": self._token,
        }
        for attempt in (1, 2):
            try:
                self.line.request("POST", f"{self.base}{path}", json.dumps(body), headers)
                return self._read(path)
            except (OSError, http.client.HTTPException) as error:
                self.line.close()  # whatever came, the next request begins anew
                again = isinstance(error, (http.client.RemoteDisconnected, ConnectionError))
                if attempt == 2 or not again:
                    raise
        raise AssertionError("the second attempt answers or raises")

    def _read(self, path: str) -> dict[str, Any]:
        answer = self.line.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {text[:300]!r}")
        found: dict[str, Any] = json.loads(text)
        return found

    def match(self, files: Sequence[File]) -> list[dict[str, Any]]:
        """Where files of these names belong."""
        told = [{"key": one.name, "path": one.name, "size": one.size} for one in files]
        found: list[dict[str, Any]] = self.post("/match", {"files": told})["files"]
        return found

    def start(self, files: Sequence[tuple[File, str]]) -> list[dict[str, Any]]:
        """Tickets of files, each with its item."""
        told = [
            {"key": one.name, "name": one.name, "path": one.name, "size": one.size, "item_id": item}
            for one, item in files
        ]
        found: list[dict[str, Any]] = self.post("/uploads", {"files": told})["files"]
        if any("status" in one for one in found):
            raise RuntimeError(f"not taken: {found}")
        return found

    def complete(self, tickets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Deliver files whose parts were sent."""
        wanted = [ticket["upload_id"] for ticket in tickets]
        found: list[dict[str, Any]] = self.post("/uploads/complete", {"uploads": wanted})["files"]
        if any("status" in one for one in found):
            raise RuntimeError(f"not taken: {found}")
        return found

    def addresses(self, ticket: dict[str, Any], parts: Sequence[int]) -> dict[str, str]:
        """More addresses of parts."""
        path = ticket["url"].removeprefix(self.base) + "/addresses"
        found: dict[str, str] = self.post(path, {"parts": list(parts)})["addresses"]
        return found

    def send_parts(
        self, ticket: dict[str, Any], file: File, only: Sequence[int] | None = None
    ) -> None:
        """Every part (or `only` these) in order on one connection, by sendfile."""
        addresses = dict(ticket["addresses"])
        with Line(self.port) as line, file.path.open("rb") as source:
            for number in only if only is not None else range(1, ticket["parts"] + 1):
                if str(number) not in addresses:
                    last = min(number + 25, ticket["parts"] + 1)
                    addresses = self.addresses(ticket, range(number, last))
                offset = (number - 1) * ticket["part_size"]
                length = min(ticket["part_size"], file.size - offset)
                line.put(addresses[str(number)], source, offset, length)


class Line:
    """A kept connection that sends parts."""

    def __init__(self, port: int) -> None:
        """Connected at first use, and again when the server closed it."""
        self._port = port
        self._socket: socket.socket | None = None

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def put(self, address: str, source: Any, offset: int, length: int) -> None:
        """Send one part; raises when it is not taken. An idle connection may have been closed."""
        try:
            self._put(address, source, offset, length)
        except ConnectionError:
            if self._socket is not None:
                self._socket.close()
            self._socket = None
            self._put(address, source, offset, length)

    def _put(self, address: str, source: Any, offset: int, length: int) -> None:
        if self._socket is None:
            self._socket = socket.create_connection((HOST, self._port))
        self._socket.sendall(
            f"PUT {address} HTTP/1.1\r\nHost: {HOST}:{self._port}\r\n"
            f"Content-Length: {length}\r\n\r\n".encode()
        )
        self._socket.sendfile(source, offset, length)
        got = b""
        while b"\r\n\r\n" not in got:
            part = self._socket.recv(_ANSWER)
            if not part:
                raise ConnectionResetError
            got += part
        if not got.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a part was answered by {got[:300]!r}")
        if b"connection: close" in got.lower():
            self._socket.close()
            self._socket = None
