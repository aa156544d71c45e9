"""Dropped files find their items, or the page says why not (ux.md, rule 5)."""

from __future__ import annotations

import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.files.matching import Field, How, Item, Match, Status, match
from portal.files.names import MaterialKind, masked_name

CALL, VISIT, RECORD = (
    MaterialKind.CALL_RECORDING,
    MaterialKind.VISIT_RECORDING,
    MaterialKind.COLLECTION_RECORD,
)


def blind(field: Field, text: str) -> bytes:
    return hashlib.sha256(f"{field}:{text}".encode()).digest()


def key(phone: str) -> bytes:
    return blind(Field.PHONE, phone)


def item(case_no: str, kind: MaterialKind, *phones: str, delivered: tuple[str, ...] = ()) -> Item:
    return Item(
        f"{case_no}/{kind}",
        case_no,
        frozenset(key(phone) for phone in phones),
        frozenset({kind}),
        frozenset(masked_name(name) for name in delivered),
    )


ITEMS = [
    item("HC-2026-0001", CALL, "13800001234"),
    item("HC-2026-0001", RECORD, "13800001234"),
    item("HC-2026-0001", VISIT, "13800001234"),
    item("HC-2026-0002", CALL, "13900001234", delivered=("13900001234_1_20261103142233.wav",)),
    item("HC-2026-00021", CALL, "13700001234"),
    item("HC-2026-0003", VISIT),
    item("HC-2026-0003", RECORD),
    item("77", CALL),
]


def one(name: str) -> tuple[Status, How, str | None]:
    (found,) = match([name], ITEMS, blind=blind)
    return found.status, found.how, found.item


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("HC-2026-0001.wav", (Status.MATCHED, How.CASE_NUMBER, f"HC-2026-0001/{CALL}")),
        ("hc20260001外访.m4a", (Status.MATCHED, How.CASE_NUMBER, f"HC-2026-0001/{VISIT}")),
        (
            "HC_2026_0001/催收记录 1.pdf",
            (Status.MATCHED, How.CASE_NUMBER, f"HC-2026-0001/{RECORD}"),
        ),
        ("个案HC2026-00021录音.mp3", (Status.MATCHED, How.CASE_NUMBER, f"HC-2026-00021/{CALL}")),
        (
            "13700001234_8012_20261103142233.wav",
            (Status.MATCHED, How.PHONE, f"HC-2026-00021/{CALL}"),
        ),
        (
            "HC-2026-0001 13800001234.wav",
            (Status.MATCHED, How.PHONE_AND_CASE, f"HC-2026-0001/{CALL}"),
        ),
        ("77.wav", (Status.MATCHED, How.CASE_NUMBER, f"77/{CALL}")),
        ("call 77 again.wav", (Status.UNMATCHED, How.NOTHING_FOUND, None)),
        ("HC-2026-0002.pdf", (Status.UNEXPECTED, How.KIND_NOT_WANTED, None)),
        ("HC-2026-0003.wav", (Status.MATCHED, How.CASE_NUMBER, f"HC-2026-0003/{VISIT}")),
        ("HC-2026-0003 录音.wav", (Status.UNEXPECTED, How.KIND_NOT_WANTED, None)),
        ("HC-2026-0003", (Status.UNMATCHED, How.SEVERAL_ITEMS, None)),
        ("HC-2026-0002 催记.pdf", (Status.UNEXPECTED, How.KIND_NOT_WANTED, None)),
        ("HC-2026-0001.jpg", (Status.MATCHED, How.CASE_NUMBER, f"HC-2026-0001/{RECORD}")),
        ("HC-2026-0001 13900001234.wav", (Status.UNMATCHED, How.CONTRADICTION, None)),
        ("13600001234_8012_20261103142233.wav", (Status.UNEXPECTED, How.OTHER_PHONE, None)),
        ("HC-2026-0001 HC-2026-0002.wav", (Status.UNMATCHED, How.SEVERAL_CASES, None)),
        ("录音.wav", (Status.UNMATCHED, How.NOTHING_FOUND, None)),
        (
            "13900001234_1_20261103142233.wav",
            (Status.DUPLICATE, How.DELIVERED, f"HC-2026-0002/{CALL}"),
        ),
        ("", (Status.UNMATCHED, How.NOTHING_FOUND, None)),
    ],
)
def test_where_a_name_belongs(name: str, expected: tuple[Status, How, str | None]) -> None:
    assert one(name) == expected


def test_the_same_twice_is_said() -> None:
    names = [
        "a/HC-2026-0001_1.wav",
        "b/HC-2026-0001_1.WAV",
        "HC-2026-0001_2.wav",
        "13800001234_8012_20261103142233.wav",
        "8012_13800001234_20261103142233.mp3",
        "13800001234_8012_20261103150000.wav",
    ]
    found = match(names, ITEMS, blind=blind)
    assert [m.how for m in found] == [
        How.CASE_NUMBER,
        How.SAME_NAME,
        How.CASE_NUMBER,
        How.PHONE,
        How.SAME_CALL,
        How.PHONE,
    ]


def test_a_phone_of_two_cases_is_explained_with_both() -> None:
    items = [item("A-1001", CALL, "13800001234"), item("A-1002", CALL, "13800001234")]
    (found,) = match(["13800001234.wav"], items, blind=blind)
    assert (found.status, found.how) == (Status.UNMATCHED, How.SEVERAL_CASES)
    assert found.others == (items[0].key, items[1].key)
    assert all(str(how.sentence) for how in How)


@given(st.lists(st.text(max_size=60), max_size=20))
def test_every_name_gets_one_answer_in_its_place(names: list[str]) -> None:
    found = match(names, ITEMS, blind=blind)
    assert len(found) == len(names)
    for answer in found:
        assert isinstance(answer, Match)
        assert (answer.item is not None) == (answer.status in {Status.MATCHED, Status.DUPLICATE})


def test_five_hundred_names_of_a_thousand_items_are_fast() -> None:
    items = [item(f"HC-2026-{i:06d}", CALL, f"138{i:08d}") for i in range(1000)]
    names = [f"138{i:08d}_8012_20261103142233.wav" for i in range(250)]
    names += [f"HC-2026-{i:06d}/录音.mp3" for i in range(250, 500)]
    began = time.process_time()
    found = match(names, items, blind=blind)
    assert time.process_time() - began < 1
    assert [m.item for m in found] == [each.key for each in items[:500]]
