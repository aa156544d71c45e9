"""Files below a folder of this machine, and uploads that come in parts through the portal."""

from __future__ import annotations

import errno
import io
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from portal.files import incoming, parts
from portal.files.digests import Followers, Running
from portal.files.incoming import Bytes, Incoming
from portal.files.parts import Part, Received, Ticket
from portal.files.storage import CHUNK, ObjectMissing, PartsMissing, StorageError, key_parts
from portal.files.streams import Hashing, Source, Stored, Window
from portal.kernel import clock
from portal.kernel.phrases import phrase
from tenants import vault

RESERVE = 256 << 20
"""Bytes of the disk that uploads leave free."""
_INCOMING = "incoming"
_PARTS = "parts"


@dataclass(frozen=True, slots=True)
class UnfinishedHere:
    """An upload whose parts lie here."""

    key: str
    reference: str
    touched: datetime


class LocalStorage:
    """Files below a folder: `<tenant>/<yyyy>/<mm>/<last two digits>/<uuid>`.

    A file is written under a temporary name in `incoming`, or in parts in `parts`, synced,
    renamed and its folder synced, so readers see all of it or nothing. `sweep` removes what
    crashes left behind in `incoming`.
    """

    origin = ""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.incoming = Incoming(self.root / _PARTS)
        self._followers = Followers()

    def path(self, key: str) -> Path:
        """Where `key` lives on this disk (it may not exist)."""
        tenant, year, month, name = key_parts(key)
        return self.root / tenant / year / month / name[-2:] / name

    def local_path(self, key: str) -> Path:
        """See `Storage.local_path`."""
        return self.path(key)

    def put(self, key: str, stream: Source, *, length: int | None = None) -> Stored:
        """See `Storage.put`."""
        target = self.path(key)
        folder = self.root / _INCOMING
        try:
            _make_folders(folder)
            fd, name = tempfile.mkstemp(dir=folder)
        except OSError as error:
            raise disk_error(error) from error
        try:
            with os.fdopen(fd, "wb", buffering=0) as sink:
                stored = _copy(Hashing(stream, length), sink)
                os.fsync(sink.fileno())
            _move(Path(name), target)
        except OSError as error:
            raise disk_error(error) from error
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)
        return stored

    def open(self, key: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Storage.open`."""
        try:
            file = self.path(key).open("rb")
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error
        file.seek(offset)
        return file if length is None else io.BufferedReader(Window(file, length))

    def size(self, key: str) -> int:
        """See `Storage.size`."""
        try:
            return self.path(key).stat().st_size
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error

    def delete(self, key: str) -> None:
        """See `Storage.delete`."""
        path = self.path(key)
        with suppress(FileNotFoundError):
            path.unlink()
            _sync_folder(path.parent)

    def exists(self, key: str) -> bool:
        """See `Storage.exists`."""
        return self.path(key).is_file()

    # --- in parts ---

    def begin(self, key: str, size: int) -> str:
        """See `Storage.begin`. Nothing is written yet: the first part makes the file."""
        key_parts(key)
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self.root).free < size + RESERVE:
            raise disk_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        return ""

    def part_address(self, key: str, reference: str, size: int, part: Part) -> str:
        """See `Storage.part_address`: an address of the portal's own."""
        del reference
        key_parts(key)
        return parts.address(_secret(), Ticket(key, size, part), clock.now())

    def allowed(self, path: str, query: dict[str, str]) -> Ticket:
        """What a part's address allows. Raises `parts.Refused`."""
        ticket = parts.check(_secret(), path, query, clock.now())
        key_parts(ticket.key)
        return ticket

    def receive(self, ticket: Ticket, source: Bytes) -> Received:
        """Take the bytes of a part; they are on the disk when this returns. Raises what
        `Incoming.receive` raises, and `StorageError` when the disk is full or faulty."""
        done = self.path(ticket.key)
        if done.exists():
            raise incoming.Gone("the upload is complete")
        try:
            received = self.incoming.receive(ticket, source, done)
        except (incoming.BrokenOff, TimeoutError):
            raise
        except OSError as error:
            raise disk_error(error) from error
        if ticket.size > parts.part_size(ticket.size):
            begin, end = ticket.part.offset, ticket.part.offset + ticket.part.length
            self._followers.follow(ticket.key, self.incoming.data(ticket.key), begin, end)
        return received

    def received(self, key: str, reference: str, size: int) -> list[Received]:
        """See `Storage.received`."""
        del reference
        if self.exists(key):
            return [Received(part.number, part.length, "stored") for part in parts.parts_of(size)]
        return self.incoming.received(key, size)

    def finish(self, key: str, reference: str, size: int) -> Stored:
        """See `Storage.finish`. The parts lie in one file already: it is hashed to its end,
        synced and moved to its place."""
        del reference
        target = self.path(key)
        try:
            if not target.is_file():
                with self.incoming.whole(key, size) as data:
                    # A crash after the move leaves the record of parts: the next call ends here.
                    if not target.is_file():
                        return self._finish(key, size, data, target)
            # Who was killed after the move left the record of parts behind.
            self.incoming.remove(key)
            running = Running()
            running.advance(target, size)
            return Stored(size, running.hexdigest())
        except incoming.Unfinished as error:
            raise PartsMissing(error.numbers) from error
        except (OSError, EOFError) as error:
            raise disk_error(error) from error

    def _finish(self, key: str, size: int, data: Path, target: Path) -> Stored:
        running = self._followers.take(key)
        running.advance(data, size)
        with data.open("rb") as file:
            os.fdatasync(file.fileno())
        _move(data, target)
        return Stored(size, running.hexdigest())

    def abort(self, key: str, reference: str) -> None:
        """See `Storage.abort`."""
        del reference
        key_parts(key)
        self._followers.take(key)
        self.incoming.remove(key)

    def touched(self, key: str, reference: str) -> datetime | None:
        """See `Storage.touched`."""
        del reference
        return self.incoming.touched(key)

    # --- housekeeping ---

    def keys(self) -> Iterator[tuple[str, datetime]]:
        """See `Storage.keys`."""
        for path in self.root.glob("*/*/*/*/*"):
            key = "/".join((*path.relative_to(self.root).parts[:3], path.name))
            with suppress(ValueError, FileNotFoundError):
                key_parts(key)
                yield key, datetime.fromtimestamp(path.stat().st_mtime, UTC)

    def unfinished(self) -> Iterator[UnfinishedHere]:
        """See `Storage.unfinished`."""
        for key, moment in self.incoming.lying():
            yield UnfinishedHere(key, "", moment)

    def sweep(self, older_than: float = 86_400.0) -> int:
        """Remove unfinished files untouched for `older_than` seconds; returns how many."""
        gone = 0
        limit = time.time() - older_than
        for entry in self.root.glob(f"{_INCOMING}/*"):
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < limit:
                    entry.unlink()
                    gone += 1
        return gone


def make(settings: Any) -> LocalStorage:
    """The store of an installation that keeps files on its own disk."""
    return LocalStorage(Path(settings.data_dir) / "files")


def _secret() -> bytes:
    return vault.installed().derive("upload-parts")


def _copy(source: Hashing, sink: io.FileIO) -> Stored:
    while data := source.read(CHUNK):
        view = memoryview(data)
        while view:  # a raw write may take a part only
            view = view[sink.write(view) :]
    return source.stored()


def _move(source: Path, target: Path) -> None:
    """Put a synced file in its place, durably."""
    _make_folders(target.parent)
    os.replace(source, target)
    _sync_folder(target.parent)


def _make_folders(folder: Path) -> None:
    """Make a folder and its parents, each durably."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def disk_error(error: OSError | EOFError) -> StorageError:
    """What people are told when the disk is full or faulty."""
    return StorageError(
        phrase("The file could not be stored: the server's disk is full or faulty."),
        phrase("Nothing was kept of this file. Tell the administrator, then send it again."),
        errno=getattr(error, "errno", None),
    )
