"""Streams on their way into and out of a store: counted, hashed, cut to a range."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any, Protocol


class LengthMismatch(ValueError):
    """The stream was longer or shorter than announced; nothing was stored."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was written: `size` in bytes, `sha256` as 64 hexadecimal digits."""

    size: int
    sha256: str


class Source(Protocol):
    """Anything to read bytes from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes; none at the end."""
        ...


class Hashing:
    """Passes a stream on, counting and hashing; refuses more or fewer bytes than announced."""

    def __init__(self, stream: Source, length: int | None) -> None:
        self._stream = stream
        self._length = length
        self._hash = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes; fewer only at the end (boto3 takes a short read for the end)."""
        parts: list[bytes] = []
        left = size
        while left and (part := self._stream.read(left)):
            parts.append(part)
            left -= len(part) if size > 0 else 0
        data = b"".join(parts)
        self._hash.update(data)
        self._size += len(data)
        self._check(ended=left != 0)
        return data

    def _check(self, *, ended: bool) -> None:
        if self._length is None:
            return
        if self._size > self._length or (ended and self._size < self._length):
            raise LengthMismatch(f"{self._size} bytes of {self._length} announced")

    def stored(self) -> Stored:
        """What went through."""
        return Stored(self._size, self._hash.hexdigest())


class Window(io.RawIOBase):
    """The next `length` bytes of a stream, as a stream of its own that closes it."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self._left = length

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` as far as the stream and the range give."""
        view = memoryview(buffer).cast("B")
        data = self._stream.read(min(len(view), self._left))
        view[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        """Close the stream below as well."""
        if not self.closed:
            self._stream.close()
        super().close()
