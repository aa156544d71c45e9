"""An extension that was asked for in time is granted after the deadline: late is counted anew."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.calendar.service import load
from portal.deadlines.models import Deadline, Extension
from portal.deadlines.queries import rounds_of
from portal.deadlines.service import remind, sweep
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.clock import BEIJING
from portal.kernel.errors import Conflict
from portal.materials import changes, extensions
from portal.materials.models import HandIn, MaterialRequest, RequestItem
from portal.materials.queries import CLOCK, score_facts
from portal.materials.rules import Wanted
from portal.notices.models import Document
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.cases import add_cases
from tests.factories.materials import CALL, Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples

DUE = datetime(2026, 11, 5, 18, 0, tzinfo=BEIJING)
FRIDAY, MONDAY = date(2026, 11, 6), date(2026, 11, 9)
TEN = datetime(2026, 11, 6, 10, 0, tzinfo=BEIJING)


@pytest.fixture
def request_id(portal: Portal) -> UUID:
    """A call-up of two recordings, due Thursday 18:00; on Wednesday the vendor asks for Friday;
    nobody decides, and the sweep of Friday morning records the breach."""
    world, vendor = portal.world, portal.world.vendors[0]
    with clock.frozen(MOMENT), portal.session(world.scope) as session:
        made = add_request(session, world, vendor, wanted=(Wanted(CALL),), cases=2).id
    with (
        clock.frozen(MOMENT + timedelta(days=1)),
        portal.session(Scope.vendor(vendor.id)) as session,
    ):
        extensions.ask(
            session,
            made,
            wanted=FRIDAY,
            reason="录音服务器故障",
            actor=vendor.actor(Role.OFFICE, world.company_id),
        )
        session.commit()
    with clock.frozen(TEN), portal.session(world.scope) as session:
        assert sweep(session, actor=system_actor(world.company_id)) == 1
        session.commit()
    assert _clock(portal, made).state == "breached"
    return made


def _clock(portal: Portal, request_id: UUID) -> Deadline:
    with portal.session(portal.world.scope) as session:
        return rounds_of(session, portal.world.vendors[0].id, request_id, CLOCK)[0]


def _hand_in(portal: Portal, request_id: UUID, folder: Path) -> HandIn:
    office = portal.client(portal.world.vendors[0].email(Role.OFFICE))
    desk = Desk(office, request_id)
    for number in (1, 2):
        body = samples.pcm(folder / f"{number}.wav", 1 + number / 10).read_bytes()
        desk.deliver(f"HC-{number:05d}_通话.wav", body)
    with portal.session(portal.world.scope) as session:
        version = session.scalar(
            sa.select(MaterialRequest.version).where(MaterialRequest.id == request_id)
        )
    sent = office.post(f"/requests/{request_id}/hand-in", data={"version": version})
    assert sent.status_code == 302
    portal.work()
    return _newest(portal)


def _newest(portal: Portal) -> HandIn:
    with portal.session(portal.world.scope) as session:
        return session.scalars(sa.select(HandIn).order_by(HandIn.no.desc())).first()  # type: ignore[return-value]


def _grant(portal: Portal, request_id: UUID, until: date) -> str:
    """The company's page after the extension is granted by its form."""
    with portal.session(portal.world.scope) as session:
        asked = session.scalars(sa.select(Extension.id).where(Extension.state == "asked")).one()
    client = portal.client(portal.world.email(Role.AUDITOR))
    before = client.get(f"/requests/{request_id}").text
    assert f"/extensions/{asked}" in before and "按新期限" in before
    given = {"extension-until": str(until), "extension-note": "故障属实", "decision": "grant"}
    page = client.post(
        f"/requests/{request_id}/extensions/{asked}", data=given, follow_redirects=True
    )
    assert page.status_code == 200
    return page.text


def _missed(portal: Portal, at: datetime) -> list[int | None]:
    with clock.frozen(at), portal.session(portal.world.scope) as session:
        facts = score_facts(session, portal.world.vendors[0].id, "2026-11", load(session))
        return [one.working_days_late for one in facts.missed]


def test_what_was_handed_in_late_becomes_in_time_and_the_receipt_is_replaced(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """Handed in on Friday at ten: a day late. Granted at eleven until Friday: the clock is met, the
    hand-in in time, nothing late in the score, and the new receipt names the one it replaces."""
    with clock.frozen(TEN):
        made = _hand_in(portal, request_id, tmp_path)
    assert (made.in_time, made.working_days_late) == (False, 1)
    assert _missed(portal, TEN) == [1, 1]
    with clock.frozen(TEN + timedelta(hours=1)):
        page = _grant(portal, request_id, FRIDAY)
        portal.work()
    row, counted = _clock(portal, request_id), _newest(portal)
    assert (row.state, row.breached_at, row.due_at.date()) == ("met", None, FRIDAY)
    assert (counted.in_time, counted.working_days_late, counted.due_at) == (True, 0, row.due_at)
    assert _missed(portal, TEN + timedelta(days=4)) == []
    assert "逾期 1 个工作日" not in page.split('id="hand-in"')[1].split("</section>")[0]
    with portal.session(portal.world.scope) as session:
        old, new = (
            session.scalars(sa.select(Document).where(Document.id == one)).one()
            for one in (made.document_id, counted.document_id)
        )
        assert (new.supersedes_id, new.number) == (old.id, f"{old.number}-2")
        assert new.content["on_time"] is True and old.content["on_time"] is False
        assert new.content["files"] == old.content["files"] and new.sha256
        actions = session.scalars(sa.select(JournalEntry.action)).all()
        assert {"deadline.breached", "deadline.extended", "materials.hand_in.recounted"} <= {
            *actions
        }


def test_what_is_not_delivered_yet_runs_again_until_the_new_date(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """Granted on Friday until Monday, nothing delivered: the clock runs, reminds, and is met."""
    with clock.frozen(TEN):
        _grant(portal, request_id, MONDAY)
    row = _clock(portal, request_id)
    assert (row.state, row.breached_at, row.met_at) == ("open", None, None)
    monday = datetime(2026, 11, 9, 15, 0, tzinfo=BEIJING)
    with clock.frozen(monday):
        with portal.session(portal.world.scope) as session:
            actor = system_actor(portal.world.company_id)
            assert (sweep(session, actor=actor), remind(session, actor=actor)) == (0, 1)
            session.commit()
        made = _hand_in(portal, request_id, tmp_path)
    assert made.in_time and _clock(portal, request_id).state == "met"


def test_what_came_after_the_new_date_too_is_late_by_less(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    with clock.frozen(datetime(2026, 11, 9, 10, 0, tzinfo=BEIJING)):
        assert _hand_in(portal, request_id, tmp_path).working_days_late == 2
        _grant(portal, request_id, FRIDAY)
    row, counted = _clock(portal, request_id), _newest(portal)
    assert (row.state, row.breached_at) == ("breached", row.due_at)
    assert (counted.in_time, counted.working_days_late) == (False, 1)


def test_items_with_a_due_time_of_their_own_move_with_their_clock(
    portal: Portal, tmp_path: Path
) -> None:
    """A case put in another's place (换抽) is due on a clock of its own; extended, the score counts
    its items from the new date, and those of the first clock from theirs."""
    world, vendor = portal.world, portal.world.vendors[0]
    office = vendor.actor(Role.OFFICE, world.company_id)
    with clock.frozen(MOMENT), portal.session(world.scope) as session:
        made = add_request(session, world, vendor, wanted=(Wanted(CALL),), cases=2).id
        (by,) = add_cases(session, world, vendor, 1, first=9)
        old = session.scalars(sa.select(RequestItem.case_id).order_by(RequestItem.case_no)).first()
        assert old is not None
        session.commit()
    with clock.frozen(MOMENT + timedelta(days=1)), portal.session(world.scope) as session:
        changes.substitute_case(
            session, made, old, by, reason="个案已撤", actor=world.actor(Role.AUDITOR)
        )
        session.commit()
    # The first clock has run out; the second runs until the evening.
    with clock.frozen(TEN), portal.session(Scope.vendor(vendor.id)) as session:
        asked = extensions.ask(session, made, wanted=MONDAY, reason="盘点", actor=office)
        session.commit()
    with clock.frozen(TEN), portal.session(world.scope) as session:
        auditor = world.actor(Role.AUDITOR)
        extensions.grant(session, made, asked.id, until=MONDAY, note="同意", actor=auditor)
        session.commit()
        items = session.scalars(
            sa.select(RequestItem)
            .where(RequestItem.state == "missing")
            .order_by(RequestItem.case_no)
        ).all()
        assert [(item.case_no, item.due_at) for item in items] == [
            ("HC-00002", None),
            ("HC-00009", datetime(2026, 11, 9, 18, tzinfo=BEIJING)),
        ]
    assert _missed(portal, datetime(2026, 11, 9, 10, 0, tzinfo=BEIJING)) == [None]


def test_a_cancelled_request_is_not_extended(portal: Portal, request_id: UUID) -> None:
    world = portal.world
    auditor = world.actor(Role.AUDITOR)
    with clock.frozen(TEN), portal.session(world.scope) as session:
        asked = session.scalars(sa.select(Extension.id)).one()
        request = session.scalars(sa.select(MaterialRequest)).one()
        # A breached clock stays on record; one that still ran is void.
        session.execute(sa.update(Deadline).values(state="open", breached_at=None))
        changes.cancel_request(
            session, request_id, reason="撤销", seen_version=request.version, actor=auditor
        )
        session.commit()
        with pytest.raises(Conflict, match="closed already"):
            extensions.grant(session, request_id, asked, until=MONDAY, note="同意", actor=auditor)
        session.rollback()
    page = portal.client(world.email(Role.AUDITOR)).get(f"/requests/{request_id}").text
    assert f"/extensions/{asked}" not in page
