"""Files in an S3-compatible store. Parts of uploads go from the browser straight to the store."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from portal.files import parts
from portal.files.parts import Part, Received
from portal.files.storage import CHUNK, ObjectMissing, PartsMissing, StorageError, key_parts
from portal.files.streams import Hashing, Source, Stored, Window
from portal.kernel.phrases import phrase

_MISSING = frozenset({"404", "NoSuchKey", "NotFound", "NoSuchUpload"})


@dataclass(frozen=True, slots=True)
class UnfinishedThere:
    """A multipart upload that the store lists."""

    key: str
    reference: str
    touched: datetime


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
                max_pool_connections=32,
                s3={"addressing_style": "path"} if endpoint_url else {},
            ),
        )
        self._transfer = TransferConfig(multipart_chunksize=8 << 20, use_threads=False)

    @property
    def origin(self) -> str:
        """See `Storage.origin`."""
        place = urlsplit(self.client.meta.endpoint_url)
        if self.client.meta.config.s3.get("addressing_style") != "path":
            return f"{place.scheme}://{self.bucket}.{place.netloc}"
        return f"{place.scheme}://{place.netloc}"

    def local_path(self, key: str) -> None:
        """See `Storage.local_path`: nothing lies here."""
        key_parts(key)

    def put(self, key: str, stream: Source, *, length: int | None = None) -> Stored:
        """See `Storage.put`. The store shows the key only when the upload is complete."""
        key_parts(key)
        source = Hashing(stream, length)
        with self._faults(key):
            self.client.upload_fileobj(source, self.bucket, key, Config=self._transfer)
        stored = source.stored()
        if self.size(key) != stored.size:
            raise StorageError(phrase("The file store did not keep the whole file. Try again."))
        return stored

    def open(self, key: str, offset: int = 0, length: int | None = None) -> BinaryIO:
        """See `Storage.open`."""
        key_parts(key)
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
        return io.BufferedReader(Window(answer["Body"], answer["ContentLength"]), CHUNK)

    def size(self, key: str) -> int:
        """See `Storage.size`."""
        key_parts(key)
        with self._faults(key):
            return int(self.client.head_object(Bucket=self.bucket, Key=key)["ContentLength"])

    def delete(self, key: str) -> None:
        """See `Storage.delete`. One at a time: not every store has the batch call."""
        key_parts(key)
        with suppress(ObjectMissing), self._faults(key):
            self.client.delete_object(Bucket=self.bucket, Key=key)

    def exists(self, key: str) -> bool:
        """See `Storage.exists`."""
        try:
            self.size(key)
        except ObjectMissing:
            return False
        return True

    # --- in parts ---

    def begin(self, key: str, size: int) -> str:
        """See `Storage.begin`."""
        del size
        key_parts(key)
        with self._faults(key):
            answer = self.client.create_multipart_upload(
                Bucket=self.bucket, Key=key, ContentType="application/octet-stream"
            )
        return str(answer["UploadId"])

    def part_address(self, key: str, reference: str, size: int, part: Part) -> str:
        """See `Storage.part_address`. The length is signed too: another one is refused."""
        del size
        key_parts(key)
        address: str = self.client.generate_presigned_url(
            "upload_part",
            Params={
                "Bucket": self.bucket,
                "Key": key,
                "UploadId": reference,
                "PartNumber": part.number,
                "ContentLength": part.length,
            },
            ExpiresIn=int(parts.LIFETIME.total_seconds()),
        )
        return address

    def _listed(self, key: str, reference: str) -> Iterator[dict[str, Any]]:
        wanted: dict[str, Any] = {"Bucket": self.bucket, "Key": key, "UploadId": reference}
        while True:
            with self._faults(key):
                answer = self.client.list_parts(**wanted)
            yield from answer.get("Parts", ())
            if not answer.get("IsTruncated"):
                return
            wanted["PartNumberMarker"] = answer["NextPartNumberMarker"]

    def received(self, key: str, reference: str, size: int) -> list[Received]:
        """See `Storage.received`. A part of a wrong length does not count."""
        try:
            found = [
                Received(one["PartNumber"], one["Size"], one["ETag"].strip('"'))
                for one in self._listed(key, reference)
            ]
        except ObjectMissing:
            return []
        right = {(part.number, part.length) for part in parts.parts_of(size)}
        return [one for one in found if (one.number, one.length) in right]

    def finish(self, key: str, reference: str, size: int) -> Stored:
        """See `Storage.finish`. The store does not tell the SHA-256: a job reads the file."""
        received = self.received(key, reference, size)
        missing = parts.missing_of(size, received)
        if missing:
            # Finished before, and the answer was lost?
            with suppress(ObjectMissing):
                if self.size(key) == size:
                    return Stored(size, "")
            raise PartsMissing(missing)
        listed = [{"PartNumber": one.number, "ETag": f'"{one.tag}"'} for one in received]
        with suppress(ObjectMissing), self._faults(key):
            self.client.complete_multipart_upload(
                Bucket=self.bucket,
                Key=key,
                UploadId=reference,
                MultipartUpload={"Parts": listed},
            )
        try:
            kept = self.size(key)
        except ObjectMissing as error:
            raise PartsMissing(missing) from error
        if kept != size:
            raise StorageError(phrase("The file store did not keep the whole file. Try again."))
        return Stored(size, "")

    def abort(self, key: str, reference: str) -> None:
        """See `Storage.abort`."""
        key_parts(key)
        with suppress(ObjectMissing), self._faults(key):
            self.client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=reference)

    def touched(self, key: str, reference: str) -> datetime | None:
        """See `Storage.touched`."""
        try:
            moments = [one["LastModified"] for one in self._listed(key, reference)]
        except ObjectMissing:
            return None
        return max(moments, default=None)

    # --- housekeeping ---

    def keys(self) -> Iterator[tuple[str, datetime]]:
        """See `Storage.keys`. What is no key of the portal's is somebody else's, and left out."""
        for page in self._pages("list_objects_v2"):
            for one in page.get("Contents", ()):
                if _is_key(one["Key"]):
                    yield one["Key"], one["LastModified"]

    def unfinished(self) -> Iterator[UnfinishedThere]:
        """See `Storage.unfinished`."""
        for page in self._pages("list_multipart_uploads"):
            for one in page.get("Uploads", ()):
                if _is_key(one["Key"]):
                    yield UnfinishedThere(one["Key"], one["UploadId"], one["Initiated"])

    def sweep(self, older_than: float = 86_400.0) -> int:
        """See `Storage.sweep`: a write that broke off leaves nothing but unfinished uploads."""
        del older_than
        return 0

    def _pages(self, operation: str) -> Iterator[dict[str, Any]]:
        pages = iter(self.client.get_paginator(operation).paginate(Bucket=self.bucket))
        while True:
            with self._faults(""):
                page = next(pages, None)
            if page is None:
                return
            yield page

    @contextmanager
    def _faults(self, key: str) -> Iterator[None]:
        """Turn boto3's errors into this package's."""
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _MISSING:
                raise ObjectMissing(key) from error
            if code in {"416", "InvalidRange"}:
                raise _PastEnd from error
            raise _unreachable() from error
        except BotoCoreError as error:
            raise _unreachable() from error


class _PastEnd(Exception):
    """A range beyond the end of an object: there is nothing to read there."""


def make(settings: Any) -> S3Storage:
    """The store that the settings name."""
    return S3Storage(
        bucket=settings.s3_bucket,
        endpoint_url=settings.s3_endpoint or None,
        region=settings.s3_region or None,
        access_key_id=settings.s3_access_key or None,
        secret_access_key=settings.s3_secret_key or None,
    )


def _is_key(text: str) -> bool:
    try:
        key_parts(text)
    except ValueError:
        return False
    return True


def _unreachable() -> StorageError:
    return StorageError(
        phrase("The file store did not answer."),
        phrase("Nothing was kept of this file. Try again in a few minutes."),
    )
