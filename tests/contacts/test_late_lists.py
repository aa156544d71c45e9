"""A list that comes after the hand-in: what it adds is owed, and since when the clock says (A3)."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.calendar.service import load
from portal.deadlines.models import Deadline
from portal.deadlines.queries import rounds_of
from portal.deadlines.service import sweep
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.clock import BEIJING
from portal.materials.models import HandIn, MaterialRequest, RequestItem
from portal.materials.queries import CLOCK, request_counts, score_facts
from portal.materials.rules import Wanted
from portal.notifications.models import Notification
from tests.conftest import Portal
from tests.factories.contacts import Line, as_csv, line
from tests.factories.materials import CALL, Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples

DUE = datetime(2026, 11, 5, 18, 0, tzinfo=BEIJING)
KNOWN: list[Line] = [line(1, "2026-10-20 14:22:33"), line(2, "2026-10-22 10:00:00")]
MORE: list[Line] = [*KNOWN, line(2, "2026-10-23 16:05:00")]


@pytest.fixture
def request_id(portal: Portal, tmp_path: Path) -> UUID:
    """A call-up of two cases' recordings, issued on Tuesday at ten; the vendor imports its list of
    two calls, delivers both and hands in, all on Wednesday."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        made = add_request(
            session, portal.world, portal.world.vendors[0], wanted=(Wanted(CALL),), cases=2
        ).id
    with clock.frozen(MOMENT + timedelta(days=1)):
        take(portal, made, Role.OFFICE, KNOWN)
        deliver(portal, made, tmp_path, "13800000001_8012_20261020142233.wav", 1.1)
        deliver(portal, made, tmp_path, "13800000002_8012_20261022100000.wav", 1.2)
        hand_in(portal, made)
    assert [(row.state, row.due_at) for row in clocks(portal, made)] == [("met", DUE)]
    return made


def take(portal: Portal, request_id: UUID, role: Role, lines: list[Line]) -> None:
    world = portal.world
    email = world.email(role) if role in world.people else world.vendors[0].email(role)
    sent = portal.client(email).post(
        f"/requests/{request_id}/calls",
        data={"file": (io.BytesIO(as_csv(lines)), "话单.csv")},
        content_type="multipart/form-data",
    )
    assert sent.status_code == 302, sent.text
    portal.work()


def deliver(portal: Portal, request_id: UUID, folder: Path, name: str, seconds: float) -> None:
    desk = Desk(portal.client(portal.world.vendors[0].email(Role.OFFICE)), request_id)
    desk.deliver(name, samples.pcm(folder / name, seconds).read_bytes())


def hand_in(portal: Portal, request_id: UUID) -> HandIn:
    office = portal.client(portal.world.vendors[0].email(Role.OFFICE))
    with portal.session(portal.world.scope) as session:
        version = session.scalar(
            sa.select(MaterialRequest.version).where(MaterialRequest.id == request_id)
        )
    answer = office.post(f"/requests/{request_id}/hand-in", data={"version": version})
    assert answer.status_code == 302
    with portal.session(portal.world.scope) as session:
        return session.scalars(sa.select(HandIn).order_by(HandIn.no.desc()).limit(1)).one()


def clocks(portal: Portal, request_id: UUID) -> list[Deadline]:
    with portal.session(portal.world.scope) as session:
        return rounds_of(session, portal.world.vendors[0].id, request_id, CLOCK)


def swept(portal: Portal) -> int:
    with portal.session(portal.world.scope) as session:
        found = sweep(session, actor=system_actor(portal.world.company_id))
        session.commit()
    return found


def test_what_the_vendors_own_list_adds_was_due_with_the_request(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """Before the due time the clock runs again; past it the sweep breaches it, and the hand-in,
    the clock and the score all say late."""
    vendor = portal.world.vendors[0]
    with clock.frozen(MOMENT + timedelta(days=1, hours=3)):
        take(portal, request_id, Role.OFFICE, MORE)
        page = portal.client(vendor.email(Role.OFFICE)).get(f"/requests/{request_id}").text
    (row,) = clocks(portal, request_id)
    assert (row.state, row.met_at, row.due_at) == ("open", None, DUE)
    assert "缺少 1" in page or "缺 1" in page
    with portal.session(portal.world.scope) as session:
        counts = request_counts(session, vendor.id, request_id)
        assert (counts.expected, counts.delivered, counts.missing) == (3, 2, 1)
        told = session.scalars(
            sa.select(Notification).where(Notification.template.like("%%more calls are expected%%"))
        ).one()
        assert told.tenant_id == vendor.id and told.params["items"]["count"] == "1"
        assert "deadline.runs_again" in session.scalars(sa.select(JournalEntry.action)).all()
    with clock.frozen(DUE + timedelta(hours=16)):  # Friday at ten
        assert swept(portal) == 1
        deliver(portal, request_id, tmp_path, "13800000002_8012_20261023160500.wav", 1.3)
        made = hand_in(portal, request_id)
    assert (made.no, made.in_time, made.working_days_late) == (2, False, 1)
    (row,) = clocks(portal, request_id)
    assert (row.state, row.breached_at) == ("breached", DUE) and row.met_at is not None
    with clock.frozen(DUE + timedelta(days=4)), portal.session(portal.world.scope) as session:
        facts = score_facts(session, vendor.id, "2026-11", load(session))
    assert [(one.case_no, one.working_days_late) for one in facts.missed] == [("HC-00002", 1)]


def test_a_list_after_the_due_time_cannot_make_the_past_complete(
    portal: Portal, request_id: UUID
) -> None:
    """Handed in complete on Wednesday, the list's other call known on Friday only: overdue."""
    with clock.frozen(DUE + timedelta(hours=16)):
        take(portal, request_id, Role.OFFICE, MORE)
        assert swept(portal) == 1
    (row,) = clocks(portal, request_id)
    assert (row.state, row.met_at, row.breached_at) == ("breached", None, DUE)


def test_what_the_companys_list_adds_has_two_days_of_its_own(
    portal: Portal, request_id: UUID
) -> None:
    """The first clock stays met; the vendor is told of the other."""
    with clock.frozen(DUE + timedelta(hours=16)):
        take(portal, request_id, Role.AUDITOR, MORE)
    first, second = clocks(portal, request_id)
    monday = datetime(2026, 11, 10, 18, tzinfo=BEIJING)
    assert (first.state, second.state, second.due_at) == ("met", "open", monday)
    with portal.session(portal.world.scope) as session:
        item = session.scalars(sa.select(RequestItem).where(RequestItem.state == "missing")).one()
        assert (item.round, item.due_at) == (2, monday)
        told = session.scalars(
            sa.select(Notification).where(Notification.template.like("%%more calls are expected%%"))
        ).one()
        assert datetime.fromisoformat(told.params["due"]["moment"]) == monday


def test_recordings_wanted_if_they_exist_are_required_once_a_call_is_known(
    portal: Portal,
) -> None:
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        made = add_request(
            session,
            portal.world,
            portal.world.vendors[0],
            wanted=(Wanted(CALL, required=False),),
            cases=2,
        ).id
    with clock.frozen(MOMENT + timedelta(hours=1)):
        take(portal, made, Role.OFFICE, KNOWN)
    with portal.session(portal.world.scope) as session:
        counts = request_counts(session, portal.world.vendors[0].id, made)
    assert (counts.expected, counts.missing) == (2, 2)
