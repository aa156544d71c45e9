"""The SHA-256 of a file that comes in parts, known soon after the last one.

While parts arrive, a thread follows behind and hashes what is recorded, out of the page cache.
What is in memory is only a head start: another process, or this one after a restart, hashes from
the beginning, and the result is the same.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

_BUFFER = 1 << 20
_MOST_KNOWN = 256


class Running:
    """A hash on its way through a file: everything before `offset` is in it."""

    def __init__(self) -> None:
        """Nothing is hashed yet."""
        self._hash = hashlib.sha256()
        self._lock = threading.Lock()
        self.offset = 0

    def advance(self, path: str | os.PathLike[str], end: int) -> None:
        """Take the file's bytes up to `end` in. Raises `OSError`, `EOFError`."""
        with self._lock, open(path, "rb", buffering=0) as file:
            file.seek(self.offset)
            buffer = memoryview(bytearray(min(_BUFFER, max(end - self.offset, 1))))
            while self.offset < end:
                got = file.readinto(buffer[: min(len(buffer), end - self.offset)])
                if not got:
                    raise EOFError("the file ends early")
                self._hash.update(buffer[:got])
                self.offset += got

    def hexdigest(self) -> str:
        """The digest of what is in it, 64 hexadecimal digits."""
        return self._hash.hexdigest()


class Followers:
    """The running hashes of this process, by key; the least used of too many is forgotten."""

    def __init__(self) -> None:
        """No thread starts before there is something to follow."""
        self._known: OrderedDict[str, Running] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="sha256")

    def follow(self, key: str, path: os.PathLike[str], begin: int, end: int) -> None:
        """A part from `begin` to `end` is recorded: hash it, if all before it is hashed here."""
        with self._lock:
            running = self._known.get(key)
            if running is None:
                if begin:
                    return
                running = self._known[key] = Running()
            self._known.move_to_end(key)
            while len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)
        self._pool.submit(self._advance, running, path, begin, end)

    @staticmethod
    def _advance(running: Running, path: os.PathLike[str], begin: int, end: int) -> None:
        try:
            if running.offset == begin:
                running.advance(path, end)
        except (OSError, EOFError):
            return  # the file went away, or is completed meanwhile: whoever needs it hashes on

    def take(self, key: str) -> Running:
        """The running hash of `key` (a new one when there is none), not followed any more."""
        with self._lock:
            return self._known.pop(key, None) or Running()
