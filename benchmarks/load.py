"""Fifty users in a closed loop: each asks for its next page as soon as it has the last one.

One process of plain sockets, the same for the bare page and for the portal. It shares the two
cores with the web server and PostgreSQL, as everything here does.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

from benchmarks.place import HOST

_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass
class Outcome:
    """Answers by status, and seconds of waiting for each."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Pages answered with 200 in a second."""
        return self.statuses[200] / self.seconds

    @property
    def failed(self) -> int:
        """Answers that were not 200, and connections that broke (status 0)."""
        return sum(self.statuses.values()) - self.statuses[200]

    def percentile(self, share: float) -> float:
        """Milliseconds within which so many of the answers came."""
        ordered = sorted(self.waits)
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


class _User:
    """One connection that asks on and on."""

    def __init__(self, port: int, paths: Sequence[str], cookies: str) -> None:
        self._port = port
        self._requests = cycle(
            f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nCookie: {cookies}\r\n\r\n".encode()
            for path in paths
        )
        self.connect()

    def connect(self) -> None:
        """Open the connection anew."""
        self.socket = socket.create_connection((HOST, self._port))
        self._got = b""

    def ask(self) -> None:
        """Send the next request."""
        self._got, self.since = b"", time.perf_counter()
        self.socket.sendall(next(self._requests))

    def read(self) -> int | None:
        """The status once the answer is whole; 0 when the connection broke."""
        try:
            part = self.socket.recv(262_144)
        except OSError:
            part = b""
        if not part:
            return 0
        self._got += part
        head, found, body = self._got.partition(_END)
        if not found:
            return None
        lower = head.lower()
        at = lower.index(_LENGTH) + len(_LENGTH)
        length = int(lower[at : lower.find(b"\r\n", at) if b"\r\n" in lower[at:] else None])
        return int(head[9:12]) if len(body) >= length else None


def closed_loop(
    port: int, users: Sequence[tuple[Sequence[str], str]], seconds: float, *, warm: float = 2
) -> Outcome:
    """Let `users` (paths, cookies) ask for `seconds`, after `warm` seconds that do not count."""
    selector = selectors.DefaultSelector()
    for paths, cookies in users:
        user = _User(port, paths, cookies)
        selector.register(user.socket, selectors.EVENT_READ, user)
        user.ask()
    began = time.perf_counter() + warm
    outcome, until = Outcome(seconds), began + seconds
    while (now := time.perf_counter()) < until:
        for key, _events in selector.select(timeout=until - now):
            user = key.data
            status = user.read()
            if status is None:
                continue
            if time.perf_counter() >= began:
                outcome.statuses[status] += 1
                outcome.waits.append(time.perf_counter() - user.since)
            if status == 0:
                selector.unregister(user.socket)
                user.socket.close()
                user.connect()
                selector.register(user.socket, selectors.EVENT_READ, user)
            user.ask()
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    selector.close()
    return outcome
