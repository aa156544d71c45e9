"""Open, meet and void clocks, and sweep them for breaches and reminders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar.rules import Due, WorkingCalendar
from portal.deadlines.models import Deadline
from portal.deadlines.rules import (
    SOON,
    DeadlineState,
    Moment,
    check_not_void,
    reminders_due,
    state_when_moved,
)
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.events import Event, publish


@dataclass(frozen=True, slots=True)
class DeadlinePassed(Event):
    """A clock ran out unmet. `subject_id` is the deadline's id."""

    deadline: Deadline


@dataclass(frozen=True, slots=True)
class DeadlineUnmet(Event):
    """A clock is still unmet a working day after it ran out."""

    deadline: Deadline


@dataclass(frozen=True, slots=True)
class DeadlineNear(Event):
    """A reminder fell due (`moment`: "24h", "4h", …)."""

    deadline: Deadline
    moment: str


def basis_of(due: Due) -> dict[str, Any]:
    """Why a deadline is when it is, as stored: each day from the day of issue, counted or not."""
    return {
        "days": [
            {
                "day": note.day.isoformat(),
                "kind": note.kind.value,
                "name": note.name,
                "counted": note.counted,
            }
            for note in due.why
        ]
    }


def open_deadline(
    session: Session,
    *,
    tenant_id: UUID,
    kind: str,
    subject: tuple[str, UUID],
    label: str,
    owed_by: str,
    due: Due,
    target_at: datetime | None = None,
    basis: Mapping[str, Any] | None = None,
    round_no: int = 1,
) -> Deadline:
    """Start a clock. `owed_by` is "vendor" (shown to it) or "company" (hidden from it)."""
    row = Deadline(
        tenant_id=tenant_id,
        kind=kind,
        subject_type=subject[0],
        subject_id=subject[1],
        round=round_no,
        label=label,
        owed_by=owed_by,
        opened_at=clock.now(),
        issued_at=clock.now() if owed_by == "vendor" else None,
        target_at=target_at,
        due_at=due.due_at,
        basis=dict(basis or basis_of(due)),
        state=DeadlineState.OPEN,
    )
    session.add(row)
    session.flush()
    return row


def extend(session: Session, row: Deadline, due: Due, *, reason: str, actor: Actor) -> None:
    """Move a clock to a later time (延期). Its earlier dates stay in the basis, each with who moved
    it, when and why; the reminders before the new time go out anew.

    A clock that ran out meanwhile runs again until then; one that was stopped late is met, or
    late, by the new time. A cancelled one is not moved (`Conflict`).
    """
    check_not_void(DeadlineState(row.state))
    earlier = {
        "from": row.due_at.isoformat(),
        "to": due.due_at.isoformat(),
        "at": clock.now().isoformat(),
        "by": actor.name,
        "reason": reason,
    }
    before = row.basis.get("days", [])
    counted = max((day["counted"] for day in before), default=0)
    after = [
        {**day, "counted": day["counted"] and day["counted"] + counted}
        for day in basis_of(due)["days"][1:]
    ]
    row.basis = {
        **row.basis,
        "days": [*before, *after],
        "extended": [*row.basis.get("extended", []), earlier],
    }
    row.due_at = due.due_at
    row.state = state_when_moved(due.due_at, row.met_at, clock.now())
    row.breached_at = due.due_at if row.state == DeadlineState.BREACHED else None
    row.reminded = [moment for moment in row.reminded if moment == Moment.ISSUE]
    session.flush()
    record(
        session,
        "deadline.extended",
        (row.subject_type, row.subject_id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"kind": row.kind, "label": row.label, "from": earlier["from"], "to": earlier["to"]},
    )


def close(
    session: Session,
    tenant_id: UUID,
    subject_id: UUID,
    *,
    at: datetime,
    kind: str | None = None,
    round_no: int | None = None,
) -> bool:
    """Stop the open clocks of a subject: met when `at` is in time, else breached and met late.

    `round_no`: one of them only. Returns whether it was in time (True when no clock was open).
    """
    in_time = True
    for row in _open(session, tenant_id, subject_id, kind, round_no):
        late = at > row.due_at
        row.state = DeadlineState.BREACHED if late else DeadlineState.MET
        row.met_at = at
        if late and row.breached_at is None:
            row.breached_at = row.due_at
        in_time = in_time and not late
    # A clock that the sweeper already called breached still gets the time it was met.
    for row in session.scalars(
        _of(tenant_id, subject_id, kind, round_no).where(
            Deadline.state == DeadlineState.BREACHED, Deadline.met_at.is_(None)
        )
    ):
        row.met_at = at
        in_time = False
    session.flush()
    return in_time


def run_again(
    session: Session, tenant_id: UUID, subject_id: UUID, *, kind: str, round_no: int, actor: Actor
) -> bool:
    """Let a clock that was stopped run again, because more turned out to be owed on it; returns
    whether it stood. Its due time stays: past it, the next sweep records the breach. One that was
    stopped late is overdue again."""
    row = session.scalars(
        _of(tenant_id, subject_id, kind, round_no)
        .where(Deadline.met_at.is_not(None), Deadline.state != DeadlineState.VOID)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        return False
    stopped, row.met_at = row.met_at, None
    if row.state == DeadlineState.MET:
        row.state = DeadlineState.OPEN
    session.flush()
    record(
        session,
        "deadline.runs_again",
        (row.subject_type, row.subject_id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={
            "kind": row.kind,
            "label": row.label,
            "round": row.round,
            "met_at": stopped.isoformat() if stopped else "",
        },
    )
    return True


def void(
    session: Session,
    tenant_id: UUID,
    subject_id: UUID,
    kind: str | None = None,
    round_no: int | None = None,
) -> None:
    """Take the open clocks of a subject away (it was cancelled); `round_no`: one of them only."""
    for row in _open(session, tenant_id, subject_id, kind, round_no):
        row.state = DeadlineState.VOID
    session.flush()


def _of(
    tenant_id: UUID, subject_id: UUID, kind: str | None, round_no: int | None = None
) -> sa.Select[Deadline]:
    statement = sa.select(Deadline).where(
        Deadline.tenant_id == tenant_id, Deadline.subject_id == subject_id
    )
    if round_no is not None:
        statement = statement.where(Deadline.round == round_no)
    return statement.where(Deadline.kind == kind) if kind else statement


def _open(
    session: Session,
    tenant_id: UUID,
    subject_id: UUID,
    kind: str | None,
    round_no: int | None = None,
) -> list[Deadline]:
    return list(
        session.scalars(
            _of(tenant_id, subject_id, kind, round_no)
            .where(Deadline.state == DeadlineState.OPEN)
            .order_by(Deadline.id)
            .with_for_update()
        )
    )


def sweep(session: Session, *, actor: Actor, limit: int = 500) -> int:
    """Record the breaches that have come to pass (company scope); returns how many.

    Each is journalled and published, so that the wiring can notify and escalate. Rows that
    another sweeper or a hand-in holds are left for the next round.
    """
    now = clock.now()
    rows = session.scalars(
        sa.select(Deadline)
        .where(Deadline.state == DeadlineState.OPEN, Deadline.due_at < now)
        .order_by(Deadline.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.state = DeadlineState.BREACHED
        row.breached_at = row.due_at
        record(
            session,
            "deadline.breached",
            (row.subject_type, row.subject_id),
            actor=actor,
            tenant_id=row.tenant_id,
            data={"kind": row.kind, "due_at": row.due_at.isoformat(), "label": row.label},
        )
        publish(session, DeadlinePassed(row.tenant_id, row.id, row), actor)
    session.flush()
    return len(rows)


def remind(session: Session, *, actor: Actor, limit: int = 500) -> int:
    """Publish the reminders that have fallen due before the deadline (company scope).

    A reminder is sent once, whatever became of the sweeper meanwhile: what was sent is kept with
    the clock. After an outage the last of several goes out alone. Returns how many went out.
    """
    now = clock.now()
    rows = session.scalars(
        sa.select(Deadline)
        .where(
            Deadline.state == DeadlineState.OPEN,
            Deadline.due_at >= now,
            Deadline.due_at <= now + SOON,
        )
        .order_by(Deadline.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    sent = 0
    for row in rows:
        due = reminders_due(row.opened_at, row.due_at, row.reminded, now)
        if not due:
            continue
        row.reminded = [*row.reminded, *(reminder.moment.value for reminder in due)]
        if due[-1].moment is not Moment.ISSUE:
            publish(session, DeadlineNear(row.tenant_id, row.id, row, due[-1].moment.value), actor)
            sent += 1
    session.flush()
    return sent


def remind_after(
    session: Session, calendar: WorkingCalendar, *, actor: Actor, limit: int = 500
) -> int:
    """Publish, once each, the clocks that nobody met by the close of the working day after they
    ran out (company scope); returns how many."""
    now = clock.now()
    rows = session.scalars(
        sa.select(Deadline)
        .where(
            Deadline.state == DeadlineState.BREACHED,
            Deadline.met_at.is_(None),
            Deadline.due_at < now,
            ~Deadline.reminded.contains([Moment.AFTER.value]),
        )
        .order_by(Deadline.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    sent = 0
    for row in rows:
        if calendar.next_close(row.due_at) <= now:
            row.reminded = [*row.reminded, Moment.AFTER.value]
            publish(session, DeadlineUnmet(row.tenant_id, row.id, row), actor)
            sent += 1
    session.flush()
    return sent
