"""Stored means stored: whole, durable, under a key that only the portal makes."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.files.storage import (
    LengthMismatch,
    ObjectMissing,
    Storage,
    StorageError,
    Stored,
    from_settings,
    local_copy,
    make_key,
    tenant_of,
)
from portal.files.storage_disk import LocalStorage
from portal.files.storage_s3 import S3Storage
from tests.files import weed
from tests.ports import free_port

TENANT = UUID("0193b3f0-0000-7000-8000-000000000001")
NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
BODY = bytes(range(256)) * 45_000  # 11.5 MB: more than one part of an upload


class Trickle:
    """A stream that gives a little at a time, as sockets do."""

    def __init__(self, data: bytes, step: int = 70_001) -> None:
        self._stream = io.BytesIO(data)
        self._step = step

    def read(self, size: int = -1) -> bytes:
        return self._stream.read(min(size, self._step) if size > 0 else self._step)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Storage]:
    with weed.server() as settings:
        made = from_settings(settings)
        assert isinstance(made, S3Storage)
        yield made


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        made = from_settings(SimpleNamespace(storage="local", data_dir=tmp_path))
        assert isinstance(made, LocalStorage)
        return made
    made_s3: S3Storage = request.getfixturevalue("s3")
    return made_s3


def test_what_goes_in_comes_out(store: Storage) -> None:
    key = make_key(TENANT, NOW)
    assert not store.exists(key)
    stored = store.put(key, Trickle(BODY), length=len(BODY))
    assert stored == Stored(len(BODY), hashlib.sha256(BODY).hexdigest())
    assert store.exists(key)
    assert store.size(key) == len(BODY)
    for offset, length in ((0, None), (0, 10), (5_000_000, 100_000), (len(BODY) - 3, 10)):
        with store.open(key, offset, length) as stream:
            end = None if length is None else offset + length
            assert stream.read() == BODY[offset:end]
    for offset, length in ((len(BODY), None), (len(BODY) + 5, 7), (3, 0)):
        with store.open(key, offset, length) as stream:
            assert stream.read() == b""
    with local_copy(store, key) as path:
        assert path.read_bytes() == BODY
    store.put(key, io.BytesIO(b"again"))
    assert store.size(key) == 5
    store.delete(key)
    store.delete(key)
    assert not store.exists(key)
    for ask in (store.open, store.size):
        with pytest.raises(ObjectMissing):
            ask(key)


@pytest.mark.parametrize("size", [0, 3, 9_000_000])
@pytest.mark.parametrize("wrong", [-1, 1])
def test_a_stream_of_another_length_leaves_nothing(store: Storage, size: int, wrong: int) -> None:
    if size + wrong < 0:
        return
    key = make_key(TENANT, NOW)
    with pytest.raises(LengthMismatch):
        store.put(key, Trickle(BODY[:size]), length=size + wrong)
    assert not store.exists(key)


def test_an_empty_file_is_a_file(store: Storage) -> None:
    key = make_key(TENANT, NOW)
    assert store.put(key, io.BytesIO(), length=0).size == 0
    with store.open(key) as stream:
        assert stream.read() == b""


def test_keys_carry_the_tenant_and_the_month() -> None:
    key = make_key(TENANT, NOW)
    assert key.startswith(f"{TENANT}/2026/11/")
    assert tenant_of(key) == TENANT
    assert len({make_key(TENANT, NOW) for _ in range(1000)}) == 1000


@given(st.text())
@pytest.mark.parametrize(
    "shape", ["{}", f"{TENANT}/2026/11/{{}}", f"{{}}/2026/11/{TENANT}", f"../{TENANT}/{{}}"]
)
def test_nothing_but_a_key_reaches_the_disk(shape: str, text: str) -> None:
    store = LocalStorage(Path("/nowhere"))
    key = shape.format(text)
    try:
        path = store.path(key)
    except ValueError:
        return
    assert path.resolve().is_relative_to("/nowhere")
    assert isinstance(tenant_of(key), UUID)


def test_a_reader_sees_all_or_nothing(tmp_path: Path) -> None:
    store = LocalStorage(tmp_path)
    key = make_key(TENANT, NOW)
    store.put(key, io.BytesIO(b"old"))
    half = threading.Event()
    go_on = threading.Event()

    class Slow:
        parts = iter([b"ne", b"w!"])

        def read(self, size: int = -1) -> bytes:
            part = next(self.parts, b"")
            if part == b"w!":
                half.set()
                assert go_on.wait(10)
            return part

    thread = threading.Thread(target=store.put, args=(key, Slow()))
    thread.start()
    assert half.wait(10)
    with store.open(key) as stream:
        assert stream.read() == b"old"
    go_on.set()
    thread.join()
    with store.open(key) as stream:
        assert stream.read() == b"new!"


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LocalStorage(tmp_path)
    key = make_key(TENANT, NOW)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk"):
        store.put(key, io.BytesIO(b"x"))
    monkeypatch.undo()
    assert not store.exists(key)
    assert not list((tmp_path / "incoming").iterdir())


def test_what_a_crash_left_is_swept(tmp_path: Path) -> None:
    store = LocalStorage(tmp_path)
    store.put(make_key(TENANT, NOW), io.BytesIO(b"x"))
    old, new = tmp_path / "incoming" / "old", tmp_path / "incoming" / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    assert store.sweep(3600) == 1
    assert new.exists()


def test_a_store_that_is_down_is_said() -> None:
    store = S3Storage(
        bucket="b",
        endpoint_url=f"http://127.0.0.1:{free_port()}",
        access_key_id="a",
        secret_access_key="s",
    )
    with pytest.raises(StorageError):
        store.put(make_key(uuid4(), NOW), io.BytesIO(b"x"))


def test_a_wrong_secret_is_a_fault_not_a_missing_file(s3: S3Storage) -> None:
    wrong = S3Storage(
        bucket=s3.bucket,
        endpoint_url=s3.client.meta.endpoint_url,
        access_key_id="portal",
        secret_access_key="wrong",
    )
    with pytest.raises(StorageError):
        wrong.open(make_key(TENANT, NOW))
