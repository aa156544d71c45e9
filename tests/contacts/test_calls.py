"""What is expected is not the vendor's choice: calls by the lists of vendor and company (A3)."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from portal.contacts import service
from portal.contacts.models import CallList, CallRecord
from portal.contacts.rules import Known, Seen, same_call
from portal.contacts.sheet import Moment, Seconds
from portal.files.cells import Bad, Book
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.clock import BEIJING
from portal.materials.items import list_items
from portal.materials.models import Delivery, MaterialRequest, RequestEvent, RequestItem
from portal.materials.queries import request_counts
from tests.conftest import Portal
from tests.factories.contacts import Line, as_csv, as_xlsx, line
from tests.factories.materials import CALL, RECORD, VISIT, Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples
from tests.reading import sheet_rows


@pytest.fixture
def request_id(portal: Portal) -> Iterator[UUID]:
    """A call-up on three cases of the first vendor, an hour old."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, portal.world.vendors[0]).id
    with clock.frozen(MOMENT + timedelta(hours=1)):
        yield made


def office(portal: Portal) -> FlaskClient:
    return portal.client(portal.world.vendors[0].email(Role.OFFICE))


def auditor(portal: Portal) -> FlaskClient:
    return portal.client(portal.world.email(Role.AUDITOR))


def send(portal: Portal, client: FlaskClient, request_id: UUID, name: str, body: bytes) -> str:
    """Import a list and return the page that follows."""
    sent = client.post(
        f"/requests/{request_id}/calls",
        data={"file": (io.BytesIO(body), name)},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 302, sent.text
    portal.work()
    page = client.get(f"/requests/{request_id}/calls")
    assert page.status_code == 200
    return page.text


def items(portal: Portal, request_id: UUID) -> list[tuple[str, datetime | None, str]]:
    """The call recordings that are expected: case, when the call began, state."""
    with portal.session(portal.world.scope) as session:
        rows = session.execute(
            sa.select(RequestItem.case_no, CallRecord.started_at, RequestItem.state)
            .outerjoin(CallRecord, CallRecord.id == RequestItem.call_id)
            .where(RequestItem.request_id == request_id, RequestItem.kind == CALL)
            .order_by(RequestItem.case_no, CallRecord.started_at)
        )
        return [(row[0], row[1], row[2]) for row in rows]


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)


LINES: list[Line] = [
    line(1, "2026-10-20 14:22:33", call_id="a-77-001"),
    line(1, "2026-10-21 09:00:00", "3分25秒"),
    line(2, "2026-10-20 10:00:00", 0, result="无人接听"),
    line(2, "2026-10-22 10:00:00", "00:01:05", case_no=""),
    line(3, "2026-08-01 10:00:00"),
]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("话单.csv", as_csv(LINES)),
        ("话单.csv", as_csv(LINES, encoding="utf-8-sig")),
        ("calls.txt", as_csv(LINES, encoding="utf-16", separator="\t")),
        ("话单.xlsx", as_xlsx(LINES)),
        ("话单.xlsx", as_xlsx(LINES, date1904=True)),
    ],
    ids=["gb18030", "utf-8", "utf-16", "1900", "1904"],
)
def test_a_list_makes_each_connected_call_an_item(
    portal: Portal, request_id: UUID, name: str, body: bytes
) -> None:
    """Only connected calls, only those in the window; the same list twice changes nothing."""
    for _again in range(2):
        page = send(portal, office(portal), request_id, name, body)
        assert items(portal, request_id) == [
            ("HC-00001", at("2026-10-20 14:22:33"), "missing"),
            ("HC-00001", at("2026-10-21 09:00:00"), "missing"),
            ("HC-00002", at("2026-10-22 10:00:00"), "missing"),
            ("HC-00003", None, "missing"),
        ]
    assert "138****0001" in page and "13800000001" not in page
    with portal.session(portal.world.scope) as session:
        calls = session.scalars(sa.select(CallRecord)).all()
        assert len(calls) == 5
        assert sorted(call.seconds for call in calls) == [0, 65, 205, 205, 205]
        found = session.scalars(
            sa.select(MaterialRequest).where(MaterialRequest.id == request_id)
        ).one()
        # Three records, four call recordings; the visits are wanted only if they exist.
        assert request_counts(session, found.tenant_id, request_id).expected == 7


def test_items_stand_by_case_kind_and_time(portal: Portal, request_id: UUID) -> None:
    """A call that a later list adds stands where its time is, on whatever page that is."""
    send(portal, office(portal), request_id, "v.csv", as_csv(LINES))
    send(
        portal, office(portal), request_id, "w.csv", as_csv([line(1, "2026-10-19 08:00:00", "60")])
    )
    with portal.session(portal.world.scope) as session:
        found = session.scalars(
            sa.select(MaterialRequest).where(MaterialRequest.id == request_id)
        ).one()
        page = list_items(session, found, size=3)
        rows = list(page.items)
        while page.next:
            page = list_items(session, found, cursor=page.next, size=3)
            rows += page.items
        back = list_items(session, found, cursor=page.previous, size=3)
    places = [(row.case_no, row.kind, row.call and row.call.started_at) for row in rows]
    first = [place for place in places if place[0] == "HC-00001"]
    assert [kind for _case, kind, _at in first] == [RECORD, CALL, CALL, CALL, VISIT]
    assert [began for _case, _kind, began in first[1:4]] == [
        at("2026-10-19 08:00:00"),
        at("2026-10-20 14:22:33"),
        at("2026-10-21 09:00:00"),
    ]
    assert [place[0] for place in places] == sorted(place[0] for place in places)
    assert len(places) == len({row.id for row in rows}) == 11
    assert [row.id for row in back.items] == [row.id for row in rows][6:9]


def test_wrong_rows_are_named_and_good_ones_taken(portal: Portal, request_id: UUID) -> None:
    body = as_csv(
        [
            line(1, "2026-10-20 14:22:33"),
            line(9, "2026-10-20 14:22:33"),
            line(1, "20.10.2026"),
            line(2, "2026-10-20 14:22:33", "long"),
            line(2, "2026-10-20 14:22:33", phone="123"),
            line(9, "2026-10-20 14:22:33", case_no=""),
            line(1, "2027-10-20 14:22:33"),
        ]
    )
    page = send(portal, office(portal), request_id, "a.csv", body)
    with portal.session(portal.world.scope) as session:
        report = session.scalars(sa.select(CallList)).one().report
        assert report["counts"] == {"rows": 7, "new": 1, "known": 0, "bad": 6, "errors": 6}
        told = [(e["row"], e["letter"], e["code"]) for e in report["errors"]]
        assert told == [
            (3, "B", "unknown_case"),
            (4, "F", "date_unclear"),
            (5, "G", "not_duration"),
            (6, "C", "not_phone"),
            (7, "C", "phone_of_no_case"),
            (8, "F", "in_future"),
        ]
        assert "13800000009" not in str(report) and "123" not in str(report["errors"][3]["shown"])
        list_id = session.scalars(sa.select(CallList.id)).one()
    assert "B3" in page and "HC-00009" in page
    path = f"/requests/{request_id}/calls/lists/{list_id}/errors.xlsx"
    rows = sheet_rows(office(portal).get(path).data, 2)
    assert [row[:2] for row in rows] == [(e[0], e[1]) for e in told]
    assert portal.client(portal.world.vendors[1].email(Role.OFFICE)).get(path).status_code == 404


def test_a_case_of_endless_calls_is_a_wrong_column(
    portal: Portal, request_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call would be owed a recording, and a receipt has an end. Known calls do not count."""
    monkeypatch.setattr(service, "MOST_OF_A_CASE", 2)
    lines = [line(1, f"2026-10-{day} 14:22:33") for day in (20, 21, 22, 23)]
    page = send(
        portal, office(portal), request_id, "a.csv", as_csv([*lines, line(2, "2026-10-20 9:00:00")])
    )
    assert "话单中该个案的新通话超过 2 通" in page
    assert [began for case, began, _state in items(portal, request_id) if case == "HC-00001"] == [
        at("2026-10-20 14:22:33"),
        at("2026-10-21 14:22:33"),
    ]
    send(portal, office(portal), request_id, "b.csv", as_csv(lines))
    with portal.session(portal.world.scope) as session:
        counts = [
            one.report["counts"]
            for one in session.scalars(sa.select(CallList).order_by(CallList.id))
        ]
    assert [(one["new"], one["known"], one["bad"]) for one in counts] == [(3, 0, 2), (2, 2, 0)]


def test_what_the_company_knows_and_the_vendor_omits_is_shown_to_the_company(
    portal: Portal, request_id: UUID
) -> None:
    """The vendor's list leaves a call out: it is expected all the same, and only the company
    reads whose list has it."""
    send(portal, office(portal), request_id, "v.csv", as_csv(LINES[:1]))
    theirs = [line(1, "2026-10-20 14:22:51"), LINES[1], line(3, "2026-10-23 11:00:00")]
    page = send(portal, auditor(portal), request_id, "c.csv", as_csv(theirs))
    assert [one[:2] for one in items(portal, request_id)] == [
        ("HC-00001", at("2026-10-20 14:22:33")),  # 18 s apart: the same call
        ("HC-00001", at("2026-10-21 09:00:00")),
        ("HC-00002", None),
        ("HC-00003", at("2026-10-23 11:00:00")),
    ]
    assert page.count("供应商话单无此通话") == 2
    seen = office(portal).get(f"/requests/{request_id}/calls").text
    assert "供应商话单无此通话" not in seen
    assert seen.count("calls-20261103") == 1, "the company's list is not the vendor's to see"
    # The other vendor has no such page.
    other = portal.client(portal.world.vendors[1].email(Role.OFFICE))
    assert other.get(f"/requests/{request_id}/calls").status_code == 404


def test_history_and_journal_name_who_imported(portal: Portal, request_id: UUID) -> None:
    """Not the worker that read the list: the vendor's office, then the company's auditor."""
    theirs = [line(1, f"2026-10-2{day} 11:00:00") for day in (3, 4)]
    send(portal, office(portal), request_id, "v.csv", as_csv(LINES[:2]))
    send(portal, auditor(portal), request_id, "c.csv", as_csv(theirs))
    with portal.session(portal.world.scope) as session:
        added = sa.select(RequestEvent.by_name).where(RequestEvent.kind == "calls_added")
        told = session.scalars(added.order_by(RequestEvent.at, RequestEvent.id)).all()
        taken = session.scalars(
            sa.select(JournalEntry)
            .where(JournalEntry.action == "contacts.list.taken")
            .order_by(JournalEntry.at, JournalEntry.id)
        ).all()
        imported = session.scalars(sa.select(CallList).order_by(CallList.id)).all()
    assert told == ["冯内勤", "公司auditor"]
    assert [(row.account_id, row.actor_name) for row in taken] == [
        (row.uploaded_by, name) for row, name in zip(imported, told, strict=True)
    ]
    assert "冯内勤" in auditor(portal).get(f"/requests/{request_id}").text.split("<main")[-1]


def test_a_shorter_list_takes_nothing_back_and_cannot_rewrite(
    portal: Portal, request_id: UUID
) -> None:
    send(portal, auditor(portal), request_id, "c.csv", as_csv(LINES))
    denied = [line(1, "2026-10-20 14:22:33", 0, call_id="a-77-001", result="未接通")]
    send(portal, office(portal), request_id, "v.csv", as_csv(denied))
    assert len(items(portal, request_id)) == 4
    with portal.session(portal.world.scope) as session:
        report = session.scalars(sa.select(CallList).order_by(CallList.id.desc())).first()
        assert report is not None and report.report["errors"][0]["code"] == "call_differs"


def test_files_delivered_before_the_list_go_to_their_calls(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    desk = Desk(office(portal), request_id)
    body = samples.pcm(tmp_path / "a.wav").read_bytes()
    desk.deliver("13800000001_8012_20261021090002.wav", body)
    send(portal, office(portal), request_id, "v.csv", as_csv(LINES))
    assert items(portal, request_id)[:2] == [
        ("HC-00001", at("2026-10-20 14:22:33"), "missing"),
        ("HC-00001", at("2026-10-21 09:00:00"), "delivered"),
    ]


def test_a_file_whose_name_tells_nothing_makes_no_call_more(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """Delivered before the list: it stands for the call of its length, and is compared with it."""
    desk = Desk(office(portal), request_id)
    three, sixty = (samples.pcm(tmp_path / f"{n}.wav", seconds=n).read_bytes() for n in (3, 60))
    desk.deliver("HC-00001.wav", sixty)
    desk.deliver("HC-00002.wav", three)
    portal.work()
    lines = [
        line(1, "2026-10-20 14:22:33", "00:05:00"),
        line(1, "2026-10-21 09:00:00", "00:00:55"),
        line(2, "2026-10-22 10:00:00", "00:01:05", case_no=""),
    ]
    send(portal, office(portal), request_id, "v.csv", as_csv(lines))
    assert items(portal, request_id)[:3] == [
        ("HC-00001", at("2026-10-20 14:22:33"), "missing"),
        ("HC-00001", at("2026-10-21 09:00:00"), "delivered"),
        ("HC-00002", at("2026-10-22 10:00:00"), "delivered"),
    ]
    with portal.session(portal.world.scope) as session:
        rows = session.execute(
            sa.select(RequestItem.case_no, Delivery.check_result)
            .join(Delivery, Delivery.item_id == RequestItem.id)
            .order_by(RequestItem.case_no)
        )
        said = [(row[0], row[1]["remarks"]) for row in rows]
    differs = {"code": "length_differs", "params": {"found": 3, "listed": 65}}
    assert differs not in said[0][1]
    assert differs in said[1][1]


def test_recordings_find_their_calls(portal: Portal, request_id: UUID) -> None:
    """By phone and time, by call id, by case and time; some minutes off is a proposal."""
    send(portal, office(portal), request_id, "v.csv", as_csv(LINES))
    desk = Desk(office(portal), request_id)
    found = desk.match(
        ("13800000001_8012_20261020142240.wav", 10),
        ("rec_A77001.mp3", 10),
        ("HC-00001_20261021090030.wav", 10),
        ("13800000001_8012_20261021090800.wav", 10),
        ("13800000001_8012_20261025120000.wav", 10),
        ("HC-00001.wav", 10),
        ("6222020000000000002_20261022100010.wav", 10),
        ("HC-0O002_20261022100010.wav", 10),
    )
    assert [(row["status"], row["how"]) for row in found] == [
        ("matched", "phone_and_time"),
        ("duplicate", "same_call"),
        ("matched", "case_number"),
        ("unmatched", "near_time"),
        ("unexpected", "other_time"),
        ("unmatched", "several_calls"),
        ("matched", "card_number"),
        ("unmatched", "near_case"),
    ]
    assert found[0]["item_label"].endswith("10-20 14:22:33")
    assert found[3]["proposal"]["label"].endswith("10-21 09:00:00")
    assert found[7]["proposal"]["label"].startswith("HC-00002")
    assert len(found[5]["choices"]) == 2


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        (205, 205),
        (12.6, 13),
        ("205", 205),
        ("03:25", 205),
        ("1:03:25", 3805),
        ("3分25秒", 205),
        ("1小时", 3600),
        ("3m25s", 205),
    ],
)
def test_lengths_as_diallers_write_them(cell: object, seconds: int) -> None:
    assert Seconds().parse(cell, Book()) == seconds  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", ["", "soon", "3:61", -1, True, "99999999"])
def test_no_lengths(cell: object) -> None:
    with pytest.raises(Bad):
        Seconds().parse(cell, Book())  # type: ignore[arg-type]


def test_moments_of_fourteen_digits() -> None:
    wanted = at("2026-11-03 14:22:33")
    assert Moment().parse("20261103142233", Book()) == wanted
    assert Moment().parse(20261103142233, Book()) == wanted
    assert Moment().parse("2026/11/3 14:22:33", Book()) == wanted


def test_the_same_call_by_two_clocks() -> None:
    one = Seen(b"a", at("2026-11-03 14:22:33"), "8012")
    assert same_call(one, Seen(b"a", at("2026-11-03 14:23:33"), "8012"))
    assert not same_call(one, Seen(b"a", at("2026-11-03 14:23:34"), "8012"))
    assert not same_call(one, Seen(b"b", at("2026-11-03 14:22:33"), "8012"))
    assert not same_call(one, Seen(b"a", at("2026-11-03 14:22:33"), "8013"))
    assert same_call(
        Seen(b"a", at("2026-11-03 14:22:33"), "1", b"x"),
        Seen(b"b", at("2026-11-05 00:00:00"), "2", b"x"),
    )


SEEN = st.builds(
    Seen,
    st.sampled_from([b"a", b"b"]),
    st.integers(-6, 6).map(lambda half: MOMENT + timedelta(seconds=half * 30 + half % 2)),
    st.sampled_from(["", "1", "2"]),
    st.sampled_from([None, None, b"x", b"y"]),
)


@given(st.lists(SEEN, max_size=30), SEEN)
def test_a_known_call_is_found_as_by_comparing_with_each(calls: list[Seen], call: Seen) -> None:
    known = Known()
    for one in calls:
        known.add(one)
    fitting = [number for number, one in enumerate(calls) if same_call(call, one)]
    by_id = [number for number in fitting if call.call_id and calls[number].call_id == call.call_id]
    nearest = min(fitting, key=lambda number: abs(calls[number].at - call.at), default=None)
    assert known.find(call) == (by_id[0] if by_id else nearest)


def test_tens_of_thousands_of_calls_of_one_case() -> None:
    """A list may be anything; comparing each with each would hold the worker for an hour."""
    began, known = time.perf_counter(), Known()
    for number in range(50_000):
        seen = Seen(b"a", MOMENT + timedelta(minutes=number % 90), str(number % 7), b"%d" % number)
        assert known.find(seen) is None
        known.add(seen)
    assert time.perf_counter() - began < 30
