"""Items that hold only unusable files: missing at the hand-in, on record, told of afterwards."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.calendar.service import load
from portal.deadlines.queries import rounds_of
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.materials import spoiled
from portal.materials.models import Delivery, HandIn, RequestEvent, RequestItem
from portal.materials.queries import CLOCK, MissedItem, request_counts, score_facts
from portal.materials.rules import Counts, Wanted
from portal.notices.models import Document
from tests.conftest import Portal
from tests.factories.materials import Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples
from tests.materials.test_journey import LATE, paper_text

CUT = 44 + 16_000


@pytest.fixture
def desk(portal: Portal) -> Desk:
    """The upload desk of a call-up of one recording each of two cases."""
    with clock.frozen(MOMENT):
        with portal.session(portal.world.scope) as session:
            made = add_request(
                session,
                portal.world,
                portal.world.vendors[0],
                cases=2,
                wanted=(Wanted("call_recording"),),
            )
        return Desk(portal.client(portal.world.vendors[0].email(Role.OFFICE)), made.id)


def _sound(folder: Path, seconds: float) -> bytes:
    return samples.pcm(folder / f"{seconds}.wav", seconds).read_bytes()


def _hand_in(desk: Desk, version: int = 1, **form: object) -> str:
    """The page after the hand-in, in English."""
    desk.client.set_cookie("locale", "en")
    answer = desk.client.post(
        f"/requests/{desk.request_id}/hand-in",
        data={"version": version, **form},
        follow_redirects=True,
    )
    assert answer.status_code == 200
    return answer.text


def _counts(portal: Portal, desk: Desk) -> Counts:
    vendor = portal.world.vendors[0]
    with portal.session(portal.world.scope) as session:
        return request_counts(session, vendor.id, desk.request_id)


def _clocks(portal: Portal, desk: Desk) -> list[tuple[int, bool]]:
    """Round, and whether its clock is stopped."""
    vendor = portal.world.vendors[0]
    with portal.session(portal.world.scope) as session:
        rows = rounds_of(session, vendor.id, desk.request_id, CLOCK)
        return [(row.round, row.met_at is not None) for row in rows]


def _hand_ins(portal: Portal) -> list[HandIn]:
    with portal.session(portal.world.scope) as session:
        return list(session.scalars(sa.select(HandIn).order_by(HandIn.no)))


def _missed(portal: Portal) -> tuple[MissedItem, ...]:
    vendor = portal.world.vendors[0]
    with clock.frozen(LATE), portal.session(portal.world.scope) as session:
        return score_facts(session, vendor.id, "2026-11", load(session)).missed


def _told(portal: Portal) -> int:
    with portal.session(portal.world.scope) as session:
        told = spoiled.announce(session, actor=system_actor(portal.world.company_id))
        session.commit()
    return told


def _inbox(portal: Portal, email: str) -> str:
    client = portal.client(email)
    client.set_cookie("locale", "en")
    return client.get("/messages").text


def test_unusable_files_do_not_count_as_delivered(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """Named before the hand-in and refused without a confirmation; on it, request, receipt, clock
    and score have the item as missing, until the file is replaced."""
    with clock.frozen(MOMENT):
        desk.deliver("HC-00001.wav", _sound(tmp_path, 2))
        broken = desk.deliver("HC-00002.wav", _sound(tmp_path, 5)[:CUT])
        portal.work()
        assert _counts(portal, desk) == Counts(2, 1, 1, 0, 1)
        refused = _hand_in(desk)
        assert "Delivered 1 / 2" in desk.client.get("/").text
        assert "1 item holds only files that cannot be used: HC-00002 · Call recording" in refused
        assert not _hand_ins(portal) and "<li>HC-00002 · Call recording</li>" in refused
        assert re.search(r'name="unusable"[^>]* value="1"', refused)
        for show, numbers in (("missing", ["2"]), ("problem", ["2"]), ("delivered", ["1"])):
            listed = desk.client.get(f"/requests/{desk.request_id}?show={show}").text
            assert [n for n in "12" if f">HC-0000{n}</span>" in listed] == numbers, show
        page = _hand_in(desk, unusable=1)
        assert "1 delivered, 1 missing" in page and "of the missing has only unusable" in page
        portal.work()
        (made,) = _hand_ins(portal)
        with portal.session(portal.world.scope) as session:
            item = session.scalars(
                sa.select(RequestItem).where(RequestItem.case_no == "HC-00002")
            ).one()
            receipt = session.scalars(
                sa.select(Document).where(Document.template == "delivery_receipt")
            ).one()
        assert made.unusable == [item.id] and made.counts["unusable"] == 1
        states = [(row["state"], row["delivered"]) for row in receipt.content["materials"]]
        assert states == [("delivered", 1), ("missing", 0)] and len(receipt.content["files"]) == 2
        words = paper_text(portal, receipt, tmp_path).replace("\n", "").replace(" ", "")
        assert "所缺材料中有1项仅有无法使用的文件" in words
        assert _clocks(portal, desk) == [(1, False)] and _told(portal) == 0
    assert [(one.case_no, one.working_days_late, one.unusable) for one in _missed(portal)] == [
        ("HC-00002", None, True)
    ]
    with clock.frozen(LATE):
        desk.client = portal.client(portal.world.vendors[0].email(Role.OFFICE))
        where = f"/requests/{desk.request_id}/files/{broken['delivery_id']}/replace"
        (tmp_path / "HC-00002.wav").write_bytes(_sound(tmp_path, 4))
        with (tmp_path / "HC-00002.wav").open("rb") as body:
            desk.client.post(where, data={"file": (body, "HC-00002.wav")})
        portal.work()
        assert "Late by 2 working days" in _hand_in(desk, 2)
    assert _counts(portal, desk) == Counts(2, 2) and _clocks(portal, desk) == [(1, True)]
    assert [one.working_days_late for one in _missed(portal)] == [2]


def test_what_a_later_check_finds_unusable_is_told_once(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """The check ends after the hand-in: both sides are told, the item is missing again and the
    receipt stands; what is late is decided by the return."""
    vendor = portal.world.vendors[0]
    with clock.frozen(MOMENT):
        desk.deliver("HC-00001.wav", _sound(tmp_path, 2))
        desk.deliver("HC-00002.wav", _sound(tmp_path, 5)[:CUT])
        assert "2 delivered, 0 missing" in _hand_in(desk)
        assert _clocks(portal, desk) == [(1, True)] and _told(portal) == 0
        portal.work()
        assert (_told(portal), _told(portal)) == (1, 0)
        assert _counts(portal, desk) == Counts(2, 1, 1, 0, 1)
        (made,) = _hand_ins(portal)
        assert (made.counts["missing"], made.unusable, made.in_time) == (0, [], True)
        office = _inbox(portal, vendor.email(Role.OFFICE))
        auditor = _inbox(portal, portal.world.email(Role.AUDITOR))
        other = _inbox(portal, portal.world.vendors[1].email(Role.OFFICE))
        said = "1 item handed in on DQ-HC-2026-0001 cannot be used, as the check found"
        assert said in office and said not in other
        assert "华诚, DQ-HC-2026-0001: 1 item handed in cannot be used" in auditor
        reviewer = portal.client(portal.world.email(Role.AUDITOR))
        reviewer.set_cookie("locale", "en")
        page = reviewer.get(f"/requests/{desk.request_id}?show=problem").text
        assert "Found unusable after the hand-in" in page and "Unusable" in page
        with portal.session(portal.world.scope) as session:
            item = session.scalars(
                sa.select(RequestItem).where(RequestItem.case_no == "HC-00002")
            ).one()
        reviewer.post(
            f"/requests/{desk.request_id}/decide",
            data={
                "version": 2,
                "item": str(item.id),
                "decision": "return",
                "note": "录音截断,请重新导出。",
            },
        )
    assert _clocks(portal, desk) == [(1, True), (2, False)] and _told(portal) == 0


def test_an_unusable_file_may_be_answered_and_the_answer_taken_back(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """A recording damaged at its source: 无法提供 by a reason; taken back, it is missing with
    its file as before. What is usable is never answered away."""
    base = f"/requests/{desk.request_id}"
    with clock.frozen(MOMENT):
        desk.deliver("HC-00001.wav", _sound(tmp_path, 2))
        desk.deliver("HC-00002.wav", _sound(tmp_path, 5)[:CUT])
        portal.work()
        with portal.session(portal.world.scope) as session:
            sound, broken = session.scalars(
                sa.select(RequestItem.id).order_by(RequestItem.case_no)
            ).all()
        given = {"reason": "system_fault", "note": "录音系统硬盘损坏,已报修。"}
        refused = desk.client.post(f"{base}/answer", data={"item": str(sound), **given})
        assert refused.status_code == 422
        taken = desk.client.post(f"{base}/answer", data={"item": str(broken), **given})
        assert taken.status_code == 302
        assert _counts(portal, desk) == Counts(2, 1, 0, 1)
        desk.client.post(f"{base}/items/{broken}/take-back")
        assert _counts(portal, desk) == Counts(2, 1, 1, 0, 1)
        kinds = {"answered", "taken_back"}
        with portal.session(portal.world.scope) as session:
            told = session.scalars(
                sa.select(RequestEvent.kind).where(RequestEvent.kind.in_(kinds))
            ).all()
            assert set(told) == kinds
            assert {row.state for row in session.scalars(sa.select(Delivery))} == {"current"}
    _accepted_all_the_same(portal, desk, broken)


def _accepted_all_the_same(portal: Portal, desk: Desk, broken: UUID) -> None:
    """What the audit department accepts counts as delivered, and in time by when it came."""
    with clock.frozen(MOMENT):
        _hand_in(desk, unusable=1)
        portal.client(portal.world.email(Role.AUDITOR)).post(
            f"/requests/{desk.request_id}/decide",
            data={"version": 2, "item": str(broken), "decision": "accept"},
        )
    assert _counts(portal, desk) == Counts(2, 2) and not _missed(portal)
