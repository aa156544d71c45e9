"""One sweeper for every clock: it reminds once, records the breach, and tells who must know."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from portal.app.background import chores
from portal.calendar.service import load
from portal.deadlines.models import Deadline
from portal.deadlines.service import close, open_deadline
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.notifications.models import Notification
from tenants.rows import new_id
from tests.conftest import Portal
from tests.factories.world import MOMENT


def _sweep(portal: Portal) -> None:
    for chore in chores(portal.database, portal.world.company_id):
        if chore.name == "sweep deadlines":
            chore.run()


def _messages(portal: Portal) -> list[tuple[bool, str]]:
    with portal.session(portal.world.scope) as session:
        rows = session.scalars(sa.select(Notification).order_by(Notification.at, Notification.id))
        return [(row.tenant_id == portal.world.company_id, row.template[:4]) for row in rows]


def test_a_clock_reminds_breaches_and_is_met_late(portal: Portal) -> None:
    """Issued Tuesday 10:00, due Thursday 18:00: one reminder 24 h before, one 4 h before, then
    the breach for both sides; met late stays a breach."""
    vendor, subject = portal.world.vendors[0], new_id()
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        due = load(session).due_after(MOMENT, 2)
        open_deadline(
            session,
            tenant_id=vendor.id,
            kind="material_request",
            subject=("material_request", subject),
            label="DQ-HC-2026-0001",
            owed_by="vendor",
            due=due,
        )
        session.commit()
    for before, said in ((30, 0), (23, 1), (22, 1), (3, 2)):
        with clock.frozen(due.due_at - timedelta(hours=before)):
            _sweep(portal)
        assert _messages(portal) == [(False, "Soon")] * said
    with clock.frozen(due.due_at + timedelta(minutes=1)):
        _sweep(portal)
        _sweep(portal)
    assert sorted(_messages(portal)[2:]) == [(False, "Over"), (True, "Over")]
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Deadline)).one()
        assert (row.state, row.breached_at) == ("breached", due.due_at)
        acts = session.scalars(
            sa.select(JournalEntry.action).where(JournalEntry.subject_id == subject)
        ).all()
        assert acts == ["deadline.breached"]
        late = due.due_at + timedelta(hours=5)
        assert not close(session, vendor.id, subject, at=late)
        assert (row.state, row.met_at) == ("breached", late)
