"""Files on their way to the local disk: parts written at their places into one file.

Beside the data lies a control file with a slot for each part: who writes it now, and whether it
is whole and synced. A part is recorded after its bytes are on the disk, and never written again;
of two requests for the same part the later one takes it over. Both files carry the key in their
names, so that whatever a crash leaves can be found and removed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from portal.files.parts import Part, Received, Ticket, count_of, part_of

BUFFER = 256 << 10
_STEP = 1 << 20
_SLOT = struct.Struct(">16sQ8x")
_DATA, _CONTROL = ".data", ".parts"


class Gone(LookupError):
    """The upload is complete or given up: it takes no more parts."""


class Overtaken(RuntimeError):
    """Another request writes the same part now."""


class BrokenOff(ConnectionError):
    """The sender stopped before the part was whole."""


class Unfinished(LookupError):
    """Parts are missing; `numbers` says which."""

    def __init__(self, numbers: list[int]) -> None:
        """`numbers` of the missing parts."""
        super().__init__(f"{len(numbers)} parts are missing")
        self.numbers = numbers


class Bytes(Protocol):
    """Where a part's bytes come from."""

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill `buffer` as far as bytes are there; 0 at the end."""
        ...


class Incoming:
    """The folder of files on their way."""

    def __init__(self, folder: Path) -> None:
        """`folder` exists once something is received."""
        self.folder = folder

    def data(self, key: str) -> Path:
        """Where the bytes of an upload lie until it is complete."""
        return self.folder / f"{key.replace('/', '_')}{_DATA}"

    def control(self, key: str) -> Path:
        """Where it stands which parts are whole."""
        return self.folder / f"{key.replace('/', '_')}{_CONTROL}"

    def receive(self, ticket: Ticket, source: Bytes, completed: Path) -> Received:
        """Write a part and record it; the bytes are on the disk when this returns. A part that is
        recorded already is read and left as it is. `completed` is where the file lies once it is
        complete. Raises `BrokenOff`, `Overtaken`, `Gone` and `OSError` (28: the disk is full)."""
        part, claim = ticket.part, secrets.token_bytes(16)
        with self._opened(ticket) as (control, data):
            with _locked(control):
                if completed.exists():
                    self.data(ticket.key).unlink()
                    self.control(ticket.key).unlink()
                    raise Gone("the upload is complete")
                held, length = _slot(control, part.number)
                if length == 0:
                    _write_slot(control, part.number, claim, 0)
            if length:
                _drain(source, part.length)
                return Received(part.number, length, held.hex())
            self._copy(source, control, data, part, claim)
            os.fdatasync(data)
            with _locked(control):
                _check_claim(control, part.number, claim)
                _write_slot(control, part.number, claim, part.length)
        return Received(part.number, part.length, claim.hex())

    def _copy(self, source: Bytes, control: int, data: int, part: Part, claim: bytes) -> None:
        buffer = memoryview(bytearray(min(BUFFER, part.length)))
        at, end, begun = part.offset, part.offset + part.length, part.offset
        while at < end:
            got = source.readinto(buffer[: min(len(buffer), end - at)])
            if not got:
                raise BrokenOff("the part broke off")
            with _locked(control):
                _check_claim(control, part.number, claim)
                _write_all(data, buffer[:got], at)
            at += got
            if at - begun >= _STEP:
                # Begins to write back at once; without it the last sync waits for all of it.
                os.posix_fadvise(data, begun, at - begun, os.POSIX_FADV_DONTNEED)
                begun = at

    @contextmanager
    def _opened(self, ticket: Ticket) -> Iterator[tuple[int, int]]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        control = os.open(self.control(ticket.key), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            data = os.open(self.data(ticket.key), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if os.fstat(data).st_size < ticket.size:
                    os.ftruncate(data, ticket.size)
                yield control, data
            finally:
                os.close(data)
        finally:
            os.close(control)

    def received(self, key: str, size: int) -> list[Received]:
        """The parts that are whole."""
        try:
            control = os.open(self.control(key), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return []
        try:
            return _recorded(control, size)
        finally:
            os.close(control)

    @contextmanager
    def whole(self, key: str, size: int) -> Iterator[Path]:
        """The data of an upload whose parts are all there, closed to writers for the block. When
        the block ends well, the upload takes no more parts. Raises `Unfinished`, `Gone`."""
        try:
            control = os.open(self.control(key), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise Unfinished([part + 1 for part in range(count_of(size))]) from error
        try:
            with _locked(control):
                there = {one.number for one in _recorded(control, size)}
                missing = [n for n in range(1, count_of(size) + 1) if n not in there]
                if missing:
                    raise Unfinished(missing)
                yield self.data(key)
                self.control(key).unlink(missing_ok=True)
        finally:
            os.close(control)

    def remove(self, key: str) -> None:
        """Give an upload up: its writers are told, its bytes are gone."""
        with suppress(FileNotFoundError):
            control = os.open(self.control(key), os.O_RDWR | os.O_CLOEXEC)
            try:
                with _locked(control):
                    self.data(key).unlink(missing_ok=True)
                    self.control(key).unlink()
            finally:
                os.close(control)
        self.data(key).unlink(missing_ok=True)

    def touched(self, key: str) -> datetime | None:
        """When bytes last came; None when none did."""
        try:
            moment = self.control(key).stat().st_mtime
        except FileNotFoundError:
            return None
        return datetime.fromtimestamp(moment, UTC)

    def lying(self) -> Iterator[tuple[str, datetime]]:
        """Everything that lies here, as keys, each with the time of its last change."""
        for path in self.folder.glob("*"):
            if path.suffix in (_DATA, _CONTROL):
                with suppress(FileNotFoundError):
                    moment = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                    yield path.stem.replace("_", "/"), moment


@contextmanager
def _locked(control: int) -> Iterator[None]:
    """Alone with an upload's files. Raises `Gone` when they are no upload's any more."""
    fcntl.flock(control, fcntl.LOCK_EX)
    try:
        if os.fstat(control).st_nlink == 0:
            raise Gone("the upload takes no more parts")
        yield
    finally:
        fcntl.flock(control, fcntl.LOCK_UN)


def _slot(control: int, number: int) -> tuple[bytes, int]:
    """Whose the part is, and its length once it is whole (0 before)."""
    raw = os.pread(control, _SLOT.size, number * _SLOT.size)
    if len(raw) < _SLOT.size:
        return b"", 0
    claim, length = _SLOT.unpack(raw)
    return claim, length


def _write_slot(control: int, number: int, claim: bytes, length: int) -> None:
    os.pwrite(control, _SLOT.pack(claim, length), number * _SLOT.size)


def _check_claim(control: int, number: int, claim: bytes) -> None:
    if _slot(control, number) != (claim, 0):
        raise Overtaken("another request writes this part")


def _recorded(control: int, size: int) -> list[Received]:
    found = []
    for number in range(1, count_of(size) + 1):
        claim, length = _slot(control, number)
        if length == part_of(size, number).length:
            found.append(Received(number, length, claim.hex()))
    return found


def _write_all(data: int, view: memoryview, offset: int) -> None:
    while view:
        wrote = os.pwrite(data, view, offset)
        view, offset = view[wrote:], offset + wrote


def _drain(source: Bytes, length: int) -> None:
    buffer = memoryview(bytearray(min(BUFFER, length)))
    while length:
        got = source.readinto(buffer[: min(len(buffer), length)])
        if not got:
            raise BrokenOff("the part broke off")
        length -= got
