"""Where the bytes of files are kept: local disk or an S3 store, behind one small protocol.

Keys are made here and nowhere else, and every operation refuses a key that was not made here, so
no name that a person typed can ever become a path. Bytes count as stored when `put` returns: on
disk they are synced, folder entry included; a crash before that leaves nothing under the key.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import UUID

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from uuid_utils.compat import uuid7

from portal.files.streams import Hashing, LengthMismatch, Source, Stored, Window
from portal.kernel.errors import PortalError
from portal.kernel.phrases import phrase

__all__ = [
    "LengthMismatch",
    "LocalStorage",
    "ObjectMissing",
    "S3Storage",
    "Source",
    "Storage",
    "StorageError",
    "Stored",
    "from_settings",
    "local_copy",
    "make_key",
    "tenant_of",
]

_CHUNK = 1 << 20
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(rf"({_ID})/(\d{{4}})/(\d{{2}})/({_ID})", re.ASCII)
_INCOMING = "incoming"


class StorageError(PortalError):
    """The store cannot be reached, is full, or answered with an error: try again later."""

    status = 503


class ObjectMissing(LookupError):
    """The store has nothing under this key."""


class Storage(Protocol):
    """The protocol of a store. Keys come from `make_key`; sizes and offsets are bytes."""

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


def make_key(tenant_id: UUID, now: datetime, *, of: UUID | None = None) -> str:
    """A key `<tenant>/<yyyy>/<mm>/<uuid>` (UTC month of `now`). The only place for it.

    The key is fresh, unless the bytes are made by a job from the row `of`: a job that is repeated,
    because its worker died before the commit, then writes over what it left behind.
    """
    moment = now.astimezone(UTC)
    return f"{tenant_id}/{moment:%Y}/{moment:%m}/{of or uuid7()}"


def tenant_of(key: str) -> UUID:
    """The tenant whose folder a key is in. Raises `ValueError` on anything but a key."""
    return UUID(_parts(key)[0])


def from_settings(settings: Any) -> Storage:
    """The store that the settings name (`PORTAL_STORAGE`: local or s3)."""
    if settings.storage == "s3":
        return S3Storage(
            bucket=settings.s3_bucket,
            endpoint_url=settings.s3_endpoint or None,
            region=settings.s3_region or None,
            access_key_id=settings.s3_access_key or None,
            secret_access_key=settings.s3_secret_key or None,
        )
    return LocalStorage(Path(settings.data_dir) / "files")


@contextmanager
def local_copy(storage: Storage, key: str) -> Iterator[Path]:
    """A path on this machine with the bytes of `key`, for decoders; do not write to it."""
    if isinstance(storage, LocalStorage):
        if not storage.exists(key):
            raise ObjectMissing(key)
        yield storage.path(key)
        return
    with tempfile.NamedTemporaryFile(prefix="portal-") as copy:
        with storage.open(key) as stream:
            shutil.copyfileobj(stream, copy, _CHUNK)
        copy.flush()
        yield Path(copy.name)


class LocalStorage:
    """Files below a folder: `<tenant>/<yyyy>/<mm>/<last two digits>/<uuid>`.

    A file is written under a temporary name in `incoming`, synced, renamed and its folder
    synced, so readers see all of it or nothing. `sweep` removes what crashes left behind.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def path(self, key: str) -> Path:
        """Where `key` lives on this disk (it may not exist)."""
        tenant, year, month, name = _parts(key)
        return self.root / tenant / year / month / name[-2:] / name

    def put(self, key: str, stream: Source, *, length: int | None = None) -> Stored:
        """See `Storage.put`."""
        target = self.path(key)
        incoming = self.root / _INCOMING
        try:
            _make_folders(incoming)
            fd, name = tempfile.mkstemp(dir=incoming)
        except OSError as error:
            raise _disk_error(error) from error
        try:
            with os.fdopen(fd, "wb", buffering=0) as sink:
                stored = _copy(Hashing(stream, length), sink)
                os.fsync(sink.fileno())
            _make_folders(target.parent)
            os.replace(name, target)
            _sync_folder(target.parent)
        except OSError as error:
            raise _disk_error(error) from error
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


class S3Storage:
    """An S3-compatible store. Credentials left out are found as boto3 finds them."""

    def __init__(
        self,
        *,
        bucket: str,
        endpoint_url: str | None = None,
        region: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
    ) -> None:
        self.bucket = bucket
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region or "us-east-1",
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=Config(
                signature_version="s3v4",
                # other makers' stores refuse the trailing checksums that are Amazon's default
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                retries={"mode": "standard", "max_attempts": 4},
                connect_timeout=5,
                read_timeout=60,
                s3={"addressing_style": "path"} if endpoint_url else {},
            ),
        )
        self._transfer = TransferConfig(multipart_chunksize=8 << 20, use_threads=False)

    def put(self, key: str, stream: Source, *, length: int | None = None) -> Stored:
        """See `Storage.put`. The store shows the key only when the upload is complete."""
        _parts(key)
        source = Hashing(stream, length)
        with self._faults(key):
            self.client.upload_fileobj(source, self.bucket, key, Config=self._transfer)
        stored = source.stored()
        if self.size(key) != stored.size:
            raise StorageError(phrase("The file store did not keep the whole file. Try again."))
        return stored

    def open(self, key: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Storage.open`."""
        _parts(key)
        if length == 0:
            return io.BytesIO()
        wanted: dict[str, str] = {}
        if offset or length is not None:
            last = "" if length is None else str(offset + length - 1)
            wanted["Range"] = f"bytes={offset}-{last}"
        try:
            with self._faults(key):
                answer = self.client.get_object(Bucket=self.bucket, Key=key, **wanted)
        except _PastEnd:
            return io.BytesIO()
        return io.BufferedReader(Window(answer["Body"], answer["ContentLength"]), _CHUNK)

    def size(self, key: str) -> int:
        """See `Storage.size`."""
        _parts(key)
        with self._faults(key):
            return int(self.client.head_object(Bucket=self.bucket, Key=key)["ContentLength"])

    def delete(self, key: str) -> None:
        """See `Storage.delete`. One at a time: not every store has the batch call."""
        _parts(key)
        with suppress(ObjectMissing), self._faults(key):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def exists(self, key: str) -> bool:
        """See `Storage.exists`."""
        try:
            self.size(key)
        except ObjectMissing:
            return False
        return True

    @contextmanager
    def _faults(self, key: str) -> Iterator[None]:
        """Turn boto3's errors into this module's."""
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in {"404", "NoSuchKey", "NotFound"}:
                raise ObjectMissing(key) from error
            if code in {"416", "InvalidRange"}:
                raise _PastEnd from error
            raise _unreachable() from error
        except BotoCoreError as error:
            raise _unreachable() from error


class _PastEnd(Exception):
    """A range beyond the end of an object: there is nothing to read there."""


def _parts(key: str) -> tuple[str, str, str, str]:
    match = _KEY.fullmatch(key)
    if match is None:
        raise ValueError("not a storage key")
    tenant, year, month, name = match.groups()
    return tenant, year, month, name


def _copy(source: Hashing, sink: io.FileIO) -> Stored:
    while data := source.read(_CHUNK):
        view = memoryview(data)
        while view:  # a raw write may take a part only
            view = view[sink.write(view) :]
    return source.stored()


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


def _disk_error(error: OSError) -> StorageError:
    return StorageError(
        phrase("The file could not be stored: the server's disk is full or faulty."),
        phrase("Nothing was kept of this file. Tell the administrator, then send it again."),
        errno=error.errno,
    )


def _unreachable() -> StorageError:
    return StorageError(
        phrase("The file store did not answer."),
        phrase("Nothing was kept of this file. Try again in a few minutes."),
    )
