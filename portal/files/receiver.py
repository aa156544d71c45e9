"""Takes parts of files at signed addresses, before anything of the portal's pages.

A part needs no session, no database connection and no form parser: the address says what may be
sent (`portal/files/parts.py`), the bytes go from the socket to the disk through one small buffer.
Refusals are JSON with a code that the desk explains in the reader's language.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol
from urllib.parse import parse_qsl

from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import SocketUnreader

from portal.files.incoming import BUFFER, BrokenOff, Bytes, Gone, Overtaken
from portal.files.parts import PREFIX, Received, Refused, Ticket
from portal.files.storage import StorageError

log = logging.getLogger(__name__)
STALLED_SECONDS = 60.0
"""How long a sender may be silent before its part is given up (it is sent again)."""
_FULL = 28
_TEXTS = {
    "tampered": (403, "This address is not one of the portal's."),
    "expired": (403, "This address has run out. Ask for a fresh one."),
    "length": (400, "The part has another length than its address allows."),
    "broken": (408, "The part broke off on its way. Send it again."),
    "overtaken": (409, "The same part is being sent by another window."),
    "gone": (410, "This upload takes no more parts: it is complete or given up."),
    "full": (507, "The server's disk is full. Nothing is lost; send it again later."),
    "fault": (503, "The part could not be stored. Send it again."),
    "method": (405, "Only PUT is understood here."),
}
_CODES: dict[type[Exception], str] = {
    BrokenOff: "broken",
    Overtaken: "overtaken",
    Gone: "gone",
    ValueError: "tampered",
}
_MOST_DISCARDED = 64 << 20
Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Receiving(Protocol):
    """A store that takes parts through the portal."""

    def allowed(self, path: str, query: dict[str, str]) -> Ticket:
        """What a part's address allows. Raises `Refused`."""
        ...

    def receive(self, ticket: Ticket, source: Bytes) -> Received:
        """Take a part's bytes."""
        ...


class Receiver:
    """WSGI middleware: parts go to the store, everything else to the application."""

    def __init__(self, application: Application, store: Receiving) -> None:
        """`store` keeps files on this machine."""
        self._application = application
        self._store = store

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(PREFIX):
            return self._application(environ, start_response)
        length = str(environ.get("CONTENT_LENGTH", ""))
        source = source_of(environ, int(length) if length.isdecimal() else 0)
        try:
            received = self._take(environ, path, source)
        except _Said as said:
            _discard(source, length)
            return _refuse(start_response, said.code)
        finally:
            source.close()
        headers = [
            ("ETag", f'"{received.tag}"'),
            ("Content-Length", "0"),
            ("Cache-Control", "no-store"),
        ]
        start_response("200 OK", headers)
        return ()

    def _take(self, environ: Environ, path: str, source: Bytes) -> Received:
        if environ["REQUEST_METHOD"] != "PUT":
            raise _Said("method")
        try:
            ticket = self._store.allowed(path, dict(parse_qsl(environ.get("QUERY_STRING", ""))))
            if environ.get("CONTENT_LENGTH") != str(ticket.part.length):
                raise _Said("length")
            return self._store.receive(ticket, source)
        except Refused as refused:
            raise _Said(refused.code) from refused
        except StorageError as error:
            log.exception("a part was not stored")
            raise _Said("full" if error.data["errno"] == _FULL else "fault") from error
        except tuple(_CODES) as error:
            raise _Said(_CODES[type(error)]) from error


class _Said(Exception):
    """A refusal, by its code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def _discard(source: Bytes, length: str) -> None:
    """Read what is still sent, as far as a part may go: a browser that is cut off while it sends
    never sees the refusal."""
    left = int(length) if length.isdecimal() else 0
    if left > _MOST_DISCARDED:
        return
    buffer = memoryview(bytearray(BUFFER))
    with suppress(BrokenOff):
        while left > 0 and (got := source.readinto(buffer)):
            left -= got


def _refuse(start_response: Callable[..., Any], code: str) -> Iterable[bytes]:
    status, text = _TEXTS[code]
    body = json.dumps({"code": code, "error": text}).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    start_response(f"{status} Refused", headers)
    return (body,)


class _Stream:
    """Reads a body through the server's own stream."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self._left = length

    def readinto(self, buffer: memoryview, /) -> int:
        """See `incoming.Bytes`."""
        try:
            data = self._stream.read(min(len(buffer), self._left))
        except OSError as error:
            raise BrokenOff("the connection broke") from error
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        """Nothing to put back."""


class _Socket:
    """Reads a body from gunicorn's socket straight into the buffer: one copy instead of four,
    and no more memory than the buffer however slow the sender is."""

    def __init__(self, reader: LengthReader, unreader: SocketUnreader) -> None:
        self._reader = reader
        self._socket = unreader.sock
        self._timeout = self._socket.gettimeout()
        self._socket.settimeout(STALLED_SECONDS)
        ahead = unreader.take_buffered()
        self._ahead = memoryview(ahead[: reader.length])
        unreader.unread(ahead[reader.length :])

    def readinto(self, buffer: memoryview, /) -> int:
        """See `incoming.Bytes`."""
        wanted = min(len(buffer), self._reader.length)
        if self._ahead:
            got = min(wanted, len(self._ahead))
            buffer[:got] = self._ahead[:got]
            self._ahead = self._ahead[got:]
        else:
            try:
                got = self._socket.recv_into(buffer, wanted) if wanted else 0
            except OSError as error:
                raise BrokenOff("the connection broke") from error
        self._reader.length -= got
        return int(got)

    def close(self) -> None:
        """Give the socket back as it was."""
        self._socket.settimeout(self._timeout)


def source_of(environ: Environ, length: int) -> _Socket | _Stream:
    """Where a request's body of `length` bytes is read from."""
    stream = environ["wsgi.input"]
    reader = getattr(stream, "reader", None)
    unreader = getattr(reader, "unreader", None)
    if isinstance(reader, LengthReader) and isinstance(unreader, SocketUnreader):
        return _Socket(reader, unreader)
    return _Stream(stream, length)
