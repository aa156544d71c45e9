"""Extensions (延期申请) of any clock: asked before it runs out, granted or refused with the reason.

A slice finds the clock, checks that its subject may be worked on and locks it, tells the history
and the people; what an extension is, and what becomes of the clock, is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.deadlines.models import Deadline, Extension
from portal.deadlines.queries import extensions_of, rounds_of
from portal.deadlines.rules import DeadlineState, ExtensionState, check_asked_in_time, extended_to
from portal.deadlines.service import extend
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.kernel.reasons import reason_of


@dataclass(frozen=True, slots=True)
class Granted:
    """What was granted: the extension, its clock, and when that was due before."""

    extension: Extension
    deadline: Deadline
    old_due_at: datetime


def running(session: Session, tenant_id: UUID, subject_id: UUID, kind: str) -> Deadline | None:
    """The clock of a subject that runs out first of those that run: the one that presses, and that
    an extension is asked of. None when none runs."""
    rows = [
        row
        for row in rounds_of(session, tenant_id, subject_id, kind)
        if row.state == DeadlineState.OPEN and row.due_at >= clock.now()
    ]
    return min(rows, key=lambda row: row.due_at) if rows else None


def waiting(session: Session, tenant_id: UUID, subject_id: UUID) -> Extension | None:
    """The extension of a subject that waits for a decision, or None."""
    for one in extensions_of(session, tenant_id, subject_id):
        if one.state == ExtensionState.ASKED:
            return one
    return None


def ask(
    session: Session, row: Deadline | None, *, wanted: date | None, reason: str, actor: Actor
) -> Extension:
    """Ask for more time on a clock, until the close of business of `wanted` (vendor's scope).

    Before it runs out, with a reason, one at a time for the clock's subject, which the caller has
    locked: `Conflict` and `Invalid` say what is wrong. The clock runs on as it is until the company
    decides.
    """
    now = clock.now()
    due_at = check_asked_in_time(row.due_at if row is not None else None, now)
    text = reason_of(reason)
    if wanted is None:
        raise Invalid(phrase("The date is missing."), phrase("Choose a working day."))
    if row is None:
        raise NotFound("clock")
    if waiting(session, row.tenant_id, row.subject_id) is not None:
        raise Conflict(
            phrase("An extension is asked for already; it is not decided yet."),
            phrase("Wait for the decision."),
        )
    due = extended_to(calendar_service.load(session), due_at=due_at, wanted=wanted)
    made = Extension(
        tenant_id=row.tenant_id,
        deadline_id=row.id,
        state=ExtensionState.ASKED,
        reason=text,
        old_due_at=row.due_at,
        wanted_at=due.due_at,
        asked_at=now,
        asked_by=actor.account_id,
        asked_by_name=actor.name,
    )
    session.add(made)
    session.flush()
    return made


def _undecided(
    session: Session, tenant_id: UUID, subject_id: UUID, extension_id: UUID
) -> tuple[Extension, Deadline]:
    """An extension of the subject that waits, and its clock, both locked."""
    found = session.execute(
        sa.select(Extension, Deadline)
        .join(
            Deadline,
            sa.and_(
                Deadline.tenant_id == Extension.tenant_id, Deadline.id == Extension.deadline_id
            ),
        )
        .where(
            Extension.tenant_id == tenant_id,
            Extension.id == extension_id,
            Deadline.subject_id == subject_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound("extension")
    if found[0].state != ExtensionState.ASKED:
        raise Conflict(
            phrase("This extension is decided already."),
            phrase("Reload the page to see the decision."),
        )
    return found[0], found[1]


def grant(
    session: Session,
    tenant_id: UUID,
    subject_id: UUID,
    extension_id: UUID,
    *,
    until: date | None,
    note: str,
    actor: Actor,
) -> Granted:
    """Grant an extension until the close of business of `until`, which may be another day than the
    one wanted (company scope).

    What was asked in time is granted also after the clock ran out, or was stopped late: what is
    late is then counted from the new date (`service.extend`). The clock keeps its earlier date and
    the reason.
    """
    row, deadline = _undecided(session, tenant_id, subject_id, extension_id)
    text = reason_of(note)
    if until is None:
        raise Invalid(phrase("The date is missing."), phrase("Choose a working day."))
    before = deadline.due_at
    due = extended_to(calendar_service.load(session), due_at=before, wanted=until)
    extend(session, deadline, due, reason=text, actor=actor)
    row.new_due_at = due.due_at
    _decide(row, ExtensionState.GRANTED, text, actor)
    session.flush()
    return Granted(row, deadline, before)


def refuse(
    session: Session,
    tenant_id: UUID,
    subject_id: UUID,
    extension_id: UUID,
    *,
    note: str,
    actor: Actor,
) -> Extension:
    """Refuse an extension with the reason; the clock stays as it was."""
    row, _deadline = _undecided(session, tenant_id, subject_id, extension_id)
    _decide(row, ExtensionState.REFUSED, reason_of(note), actor)
    session.flush()
    return row


def _decide(row: Extension, state: ExtensionState, note: str, actor: Actor) -> None:
    row.state, row.decision_note = state, note
    row.decided_at, row.decided_by = clock.now(), actor.account_id
    row.decided_by_name = actor.name


def untold(session: Session, limit: int) -> list[tuple[Extension, Deadline]]:
    """Extensions that nobody of the company was told of yet, with their clocks, locked; whoever
    tells sets `told_at`."""
    rows = session.execute(
        sa.select(Extension, Deadline)
        .join(
            Deadline,
            sa.and_(
                Deadline.tenant_id == Extension.tenant_id, Deadline.id == Extension.deadline_id
            ),
        )
        .where(Extension.told_at.is_(None))
        .order_by(Extension.asked_at)
        .limit(limit)
        .with_for_update(of=Extension, skip_locked=True)
    )
    return [(row[0], row[1]) for row in rows]
