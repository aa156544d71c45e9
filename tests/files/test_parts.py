"""Parts of uploads: cut alike everywhere, taken only at their own address, whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from portal.files import parts
from portal.files.incoming import Overtaken
from portal.files.parts import LEAST_PART, LIFETIME, Part, Received, Refused, Ticket
from portal.files.receiver import Receiver
from portal.files.storage import PartsMissing, StorageError, make_key
from portal.files.storage_disk import LocalStorage
from portal.kernel import clock
from tenants import vault

TENANT = UUID("0193b3f0-0000-7000-8000-000000000001")
OTHER = UUID("0193b3f0-0000-7000-8000-000000000002")
NOW = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
SIZE = 2 * LEAST_PART + 17
SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def body() -> bytes:
    return random.Random(1).randbytes(SIZE)


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    vault.install(vault.Vault(SECRET))
    return LocalStorage(tmp_path / "files")


@pytest.fixture
def put(store: LocalStorage) -> Callable[[str, bytes], TestResponse]:
    def nothing_else(*_: object) -> list[bytes]:
        raise AssertionError("a part reached the application")

    client = Client(Receiver(nothing_else, store))
    return lambda address, data: client.put(address, data=data)


def address_of(store: LocalStorage, key: str, number: int, size: int = SIZE) -> str:
    return store.part_address(key, "", size, parts.part_of(size, number))


def code(answer: TestResponse) -> tuple[int, str]:
    assert answer.json is not None and answer.json["error"]
    return answer.status_code, answer.json["code"]


# --- the cut -------------------------------------------------------------------------------------


@given(st.integers(1, 200 << 30))
def test_parts_cover_a_file_exactly(size: int) -> None:
    """In order, without gap; at most 900, none but the last under 8 MiB."""
    cut = parts.parts_of(size)
    assert [part.number for part in cut] == list(range(1, len(cut) + 1))
    assert len(cut) == parts.count_of(size) <= parts.MOST_PARTS
    end = 0
    for part in cut:
        assert part.offset == end and part.length > 0
        end += part.length
    assert end == size
    assert all(part.length == parts.part_size(size) >= LEAST_PART for part in cut[:-1])


@given(st.integers(1, 100 << 20), st.data())
def test_what_is_missing_is_what_is_not_there_whole(size: int, data: st.DataObject) -> None:
    there = data.draw(st.sets(st.sampled_from(parts.parts_of(size))))
    received = [Received(part.number, part.length, "x") for part in there]
    short = [Received(1, parts.part_of(size, 1).length - 1, "x")]
    numbers = {part.number for part in there}
    expected = [part.number for part in parts.parts_of(size) if part.number not in numbers]
    assert parts.missing_of(size, received) == expected
    assert parts.missing_of(size, short)[0] == 1


# --- the address ---------------------------------------------------------------------------------


def test_an_address_allows_what_it_says_and_no_more() -> None:
    """Tenant, upload, part, size and end: changed in any way, it is nobody's address."""
    key = make_key(TENANT, NOW)
    ticket = Ticket(key, SIZE, parts.part_of(SIZE, 2))
    address = parts.address(SECRET, ticket, NOW)
    path, _, text = address.partition("?")
    query = dict(parse_qsl(text))
    assert parts.check(SECRET, path, query, NOW) == ticket

    def refused(
        path: str, query: dict[str, str], now: datetime = NOW, secret: bytes = SECRET
    ) -> str:
        with pytest.raises(Refused) as error:
            parts.check(secret, path, query, now)
        return error.value.code

    tampered = [
        (path[:-1] + "1", query),
        (path[:-1] + "3", query),
        (path[:-1] + "x", query),
        (path.replace(str(TENANT), str(OTHER)), query),
        (path.replace(key, make_key(TENANT, NOW)), query),
        (path.replace("/2026/", "/../"), query),
        (path, query | {"size": str(SIZE + 1)}),
        (path, query | {"size": "0"}),
        (path, query | {"expires": str(int(query["expires"]) + 1)}),
        (path, query | {"sign": query["sign"][:-1] + "g"}),
        (path, query | {"sign": "ü"}),
        (path, {}),
    ]
    assert {refused(*one) for one in tampered} == {"tampered"}
    assert refused(path, query, secret=bytes(32)) == "tampered"
    assert refused(path, query, NOW + LIFETIME) == "expired"
    # A clock that stepped back does not lengthen an address's life.
    assert refused(path, query, NOW - timedelta(hours=2)) == "expired"
    assert parts.check(SECRET, path, query, NOW - timedelta(minutes=4)) == ticket


def test_refusals_over_http(
    store: LocalStorage, put: Callable[[str, bytes], TestResponse], body: bytes
) -> None:
    """Each refusal has a status and a code that the desk explains; nothing is written."""
    key = make_key(TENANT, NOW)
    last = body[2 * LEAST_PART :]
    address = address_of(store, key, 3)
    assert code(put(address, last + b"x")) == (400, "length")
    assert code(put(address, last[:-1])) == (400, "length")
    assert code(put(address.replace("/3?", "/2?"), body[:LEAST_PART])) == (403, "tampered")
    assert code(put(address.replace(str(TENANT), str(OTHER)), last)) == (403, "tampered")
    assert code(put(f"/parts/{'x' * 500}?{urlencode({'size': 'NaN'})}", b"x")) == (403, "tampered")
    with clock.frozen(clock.now() + LIFETIME + timedelta(seconds=1)):
        assert code(put(address, last)) == (403, "expired")
    assert not list(store.unfinished())
    assert put(address, last).status_code == 200
    assert [one.number for one in store.received(key, "", SIZE)] == [3]


# --- the bytes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2), (2, 3, 1)])
def test_parts_in_any_order_make_the_file(
    store: LocalStorage,
    put: Callable[[str, bytes], TestResponse],
    body: bytes,
    order: tuple[int, ...],
) -> None:
    """Also on a process that never saw the parts: the digest is the file's."""
    key = make_key(TENANT, NOW)
    for number in order:
        part = parts.part_of(SIZE, number)
        sent = put(address_of(store, key, number), body[part.offset : part.offset + part.length])
        assert sent.status_code == 200 and sent.headers["ETag"]
        if number != order[-1]:
            with pytest.raises(PartsMissing):
                store.finish(key, "", SIZE)
    other = LocalStorage(store.root) if order[0] == 2 else store
    stored = other.finish(key, "", SIZE)
    assert (stored.size, stored.sha256) == (SIZE, hashlib.sha256(body).hexdigest())
    assert store.finish(key, "", SIZE) == stored, "finished twice is as good as once"
    assert store.path(key).read_bytes() == body
    assert not list(store.incoming.folder.iterdir())
    assert code(put(address_of(store, key, 1), body[:LEAST_PART])) == (410, "gone")
    assert store.path(key).read_bytes() == body, "what is complete never changes"
    assert not list(store.incoming.folder.iterdir())


def test_a_recorded_part_is_never_written_again(
    store: LocalStorage, put: Callable[[str, bytes], TestResponse]
) -> None:
    """Sent again with other bytes (a replayed address): the first ones stay."""
    key, size = make_key(TENANT, NOW), 1_000
    first = put(address_of(store, key, 1, size), b"a" * size)
    again = put(address_of(store, key, 1, size), b"b" * size)
    assert first.headers["ETag"] == again.headers["ETag"]
    store.finish(key, "", size)
    assert store.path(key).read_bytes() == b"a" * size


class Stepwise:
    """Bytes that come when they are let go."""

    def __init__(self, data: bytes, step: int) -> None:
        self._data = data
        self._step = step
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def readinto(self, buffer: memoryview, /) -> int:
        got = min(len(buffer), self._step, len(self._data))
        if not got:
            return 0
        buffer[:got] = self._data[:got]
        self._data = self._data[got:]
        if not self._data:
            self.reached.set()
            assert self.go_on.wait(10)
        return got


def test_of_two_senders_of_a_part_the_later_wins(store: LocalStorage) -> None:
    """A connection that hangs does not keep its part: who comes after it takes over."""
    key, size = make_key(TENANT, NOW), 1_000
    ticket = Ticket(key, size, Part(1, 0, size))
    slow = Stepwise(b"s" * size, 600)
    outcome: list[str] = []

    def send() -> None:
        try:
            store.receive(ticket, slow)
            outcome.append("stored")
        except Overtaken:
            outcome.append("overtaken")

    thread = threading.Thread(target=send)
    thread.start()
    assert slow.reached.wait(10)
    quick = Stepwise(b"q" * size, 600)
    quick.go_on.set()
    store.receive(ticket, quick)
    slow.go_on.set()
    thread.join(10)
    assert outcome == ["overtaken"]
    store.finish(key, "", size)
    assert store.path(key).read_bytes() == b"q" * size


def test_a_record_of_parts_that_a_kill_left_is_removed(
    store: LocalStorage, put: Callable[[str, bytes], TestResponse]
) -> None:
    """Killed between the move and the record's end, and asked again: whole, and nothing over."""
    key, body = make_key(TENANT, NOW), b"k" * 1_000
    assert put(address_of(store, key, 1, 1_000), body).status_code == 200
    control = store.incoming.control(key)
    left = control.read_bytes()
    done = store.finish(key, "", 1_000)
    control.write_bytes(left)
    assert list(store.unfinished())
    assert store.finish(key, "", 1_000) == done
    assert not list(store.unfinished())
    assert store.path(key).read_bytes() == body


def test_a_full_disk_is_said_and_nothing_is_lost(
    store: LocalStorage,
    put: Callable[[str, bytes], TestResponse],
    body: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """507 for the part; the parts before it stay, and it is taken when there is room again."""
    key = make_key(TENANT, NOW)
    assert put(address_of(store, key, 1), body[:LEAST_PART]).status_code == 200
    write = os.pwrite

    def full(fd: int, data: bytes, offset: int) -> int:
        if len(data) > 100:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    second = body[LEAST_PART : 2 * LEAST_PART]
    assert code(put(address_of(store, key, 2), second)) == (507, "full")
    monkeypatch.undo()
    assert [one.number for one in store.received(key, "", SIZE)] == [1]
    assert put(address_of(store, key, 2), second).status_code == 200
    with pytest.raises(StorageError, match="disk"):
        store.begin(make_key(TENANT, NOW), 1 << 60)


def test_given_up_is_gone(store: LocalStorage, put: Callable[[str, bytes], TestResponse]) -> None:
    """A sender in the middle is told, and nothing is left."""
    key, size = make_key(TENANT, NOW), 1_000
    ticket = Ticket(key, size, Part(1, 0, size))
    slow = Stepwise(b"s" * size, 600)
    outcome: list[str] = []

    def send() -> None:
        try:
            store.receive(ticket, slow)
        except LookupError:
            outcome.append("gone")

    thread = threading.Thread(target=send)
    thread.start()
    assert slow.reached.wait(10)
    store.abort(key, "")
    store.abort(key, "")
    slow.go_on.set()
    thread.join(10)
    assert outcome == ["gone"]
    assert not list(store.unfinished()) and not list(store.incoming.folder.iterdir())
