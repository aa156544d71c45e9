"""Where the bytes of files are kept: local disk or an S3 store, behind one small protocol.

Keys are made here and nowhere else, and every operation refuses a key that was not made here, so
no name that a person typed can ever become a path. Bytes count as stored when `put` or `finish`
returns: on disk they are synced, folder entry included; a crash before that leaves nothing under
the key. Files of people come in parts, each under a signed address (`portal/files/parts.py`).
"""

from __future__ import annotations

import importlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import UUID

from uuid_utils.compat import uuid7

from portal.files.parts import Part, Received
from portal.files.streams import LengthMismatch, Source, Stored
from portal.kernel.errors import PortalError

__all__ = [
    "LengthMismatch",
    "ObjectMissing",
    "PartsMissing",
    "Source",
    "Storage",
    "StorageError",
    "Stored",
    "Unfinished",
    "from_settings",
    "key_parts",
    "local_copy",
    "make_key",
    "tenant_of",
]

CHUNK = 1 << 20
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(rf"({_ID})/(\d{{4}})/(\d{{2}})/({_ID})", re.ASCII)
STORES: Mapping[str, str] = {
    "local": "portal.files.storage_disk",
    "s3": "portal.files.storage_s3",
}
"""Kind of store → the module whose `make(settings)` opens it; only the chosen one is loaded."""


class StorageError(PortalError):
    """The store cannot be reached, is full, or answered with an error: try again later."""

    status = 503


class ObjectMissing(LookupError):
    """The store has nothing under this key."""


class PartsMissing(LookupError):
    """An upload cannot be finished: `numbers` of its parts are not there."""

    def __init__(self, numbers: list[int]) -> None:
        """`numbers` from 1."""
        super().__init__(f"{len(numbers)} parts are missing")
        self.numbers = numbers


class Unfinished(Protocol):
    """An upload that the store knows and nobody finished."""

    @property
    def key(self) -> str:
        """Where it would lie."""
        ...

    @property
    def reference(self) -> str:
        """The store's own name for it."""
        ...

    @property
    def touched(self) -> datetime:
        """When it began, or last changed."""
        ...


class Storage(Protocol):
    """The protocol of a store. Keys come from `make_key`; sizes and offsets are bytes."""

    @property
    def origin(self) -> str:
        """Where browsers send parts: "" for the portal itself, else scheme, host and port."""
        ...

    def put(self, key: str, stream: Source, *, length: int | None = None) -> Stored:
        """Keep everything that `stream` gives under `key`, in place of what was there.

        Raises `LengthMismatch` if `length` is given and differs, `StorageError` on a fault.
        """
        ...

    def open(self, key: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """Read from `offset`, at most `length` bytes. Close it. Raises `ObjectMissing`."""
        ...

    def size(self, key: str) -> int:
        """How many bytes are kept under `key`. Raises `ObjectMissing`."""
        ...

    def delete(self, key: str) -> None:
        """Forget `key`; no error if there is nothing."""
        ...

    def exists(self, key: str) -> bool:
        """Whether something is kept under `key`."""
        ...

    def local_path(self, key: str) -> Path | None:
        """The file on this machine, when this store keeps files here (it may not exist)."""
        ...

    # --- in parts ---

    def begin(self, key: str, size: int) -> str:
        """Begin an upload in parts; returns the store's own name for it. Raises `StorageError`,
        also when the disk has no room for it."""
        ...

    def part_address(self, key: str, reference: str, size: int, part: Part) -> str:
        """A signed address under which a browser may PUT this part, with this length, for
        an hour."""
        ...

    def received(self, key: str, reference: str, size: int) -> list[Received]:
        """The parts that are whole. Empty when the store does not know the upload."""
        ...

    def finish(self, key: str, reference: str, size: int) -> Stored:
        """Make the parts one file under `key`; finishing twice is as good as once. `sha256` is
        empty where the store does not tell it. Raises `PartsMissing`, `StorageError`."""
        ...

    def abort(self, key: str, reference: str) -> None:
        """Give an upload up and remove its parts; no error if there is nothing."""
        ...

    def touched(self, key: str, reference: str) -> datetime | None:
        """When a part last came; None when none did."""
        ...

    # --- housekeeping ---

    def keys(self) -> Iterator[tuple[str, datetime]]:
        """Every file kept, with the time of its last change."""
        ...

    def unfinished(self) -> Iterator[Unfinished]:
        """Every upload in parts that nobody finished."""
        ...

    def sweep(self, older_than: float = 86_400.0) -> int:
        """Remove what writes left that broke off, untouched for so many seconds; how many."""
        ...


def make_key(tenant_id: UUID, now: datetime, *, of: UUID | None = None) -> str:
    """A key `<tenant>/<yyyy>/<mm>/<uuid>` (UTC month of `now`). The only place for it.

    The key is fresh, unless the bytes are made by a job from the row `of`: a job that is repeated,
    because its worker died before the commit, then writes over what it left behind.
    """
    moment = now.astimezone(UTC)
    return f"{tenant_id}/{moment:%Y}/{moment:%m}/{of or uuid7()}"


def tenant_of(key: str) -> UUID:
    """The tenant whose folder a key is in. Raises `ValueError` on anything but a key."""
    return UUID(key_parts(key)[0])


def key_parts(key: str) -> tuple[str, str, str, str]:
    """Tenant, year, month and name of a key. Raises `ValueError` on anything but a key."""
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError("not a storage key")
    tenant, year, month, name = match.groups()
    return tenant, year, month, name


def from_settings(settings: Any) -> Storage:
    """The store that the settings name (`PORTAL_STORAGE`: local or s3)."""
    module = importlib.import_module(STORES[settings.storage])
    made: Storage = module.make(settings)
    return made


@contextmanager
def local_copy(storage: Storage, key: str) -> Iterator[Path]:
    """A path on this machine with the bytes of `key`, for decoders; do not write to it."""
    path = storage.local_path(key)
    if path is not None:
        if not storage.exists(key):
            raise ObjectMissing(key)
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="portal-") as copy:
        with storage.open(key) as stream:
            shutil.copyfileobj(stream, copy, CHUNK)
        copy.flush()
        yield Path(copy.name)
