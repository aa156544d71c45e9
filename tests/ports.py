"""Ports for servers that tests start, none of which the system gives to anybody by itself."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Iterator
from pathlib import Path

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_FIRST, _FEWEST = 10_000, 5_000


def _walk() -> Iterator[int]:
    """Each port below those of outgoing connections, from a place of this process's own."""
    count = max(int(_RANGE.read_text().split()[0]) - _FIRST, _FEWEST)
    begin = os.getpid() * 97 % count
    return (_FIRST + (begin + step) % count for step in itertools.count())


_PORTS = _walk()


def free_port() -> int:
    """A port that nobody listens on, another at each call.

    Asked for port 0, the system would name one of those that it hands out: by the time the server
    binds it, or comes again after it was killed, any connection on the machine may have it.
    """
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("the walk has no end")
