"""Extensions (延期申请): the vendor asks before a round's clock runs out, the company decides."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.deadlines import service as deadlines
from portal.deadlines.models import Deadline
from portal.deadlines.queries import rounds_of
from portal.deadlines.rules import DeadlineState
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import When, phrase
from portal.materials.rules import reason_of
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.rectification.kinds import ExtensionState
from portal.rectification.models import Extension, Rectification
from portal.rectification.permissions import MANAGE
from portal.rectification.queries import CLOCK
from portal.rectification.rules import OPEN_TO_ANSWER, check_extension, check_open
from portal.rectification.service import record_step, tell_vendor


def running(session: Session, notice: Rectification) -> Deadline | None:
    """The open clock of the present round, or None."""
    for row in rounds_of(session, notice.tenant_id, notice.id, CLOCK):
        if row.round == notice.round and row.state == DeadlineState.OPEN:
            return row
    return None


def may_be_asked(session: Session, notice: Rectification) -> bool:
    """Whether the round's clock still runs and no extension of it waits for a decision."""
    if notice.state not in OPEN_TO_ANSWER:
        return False
    row = running(session, notice)
    return row is not None and row.due_at >= clock.now() and waiting(session, notice) is None


def of_notice(session: Session, notice: Rectification) -> list[Extension]:
    """All extensions of a notice, the newest first."""
    return list(
        session.scalars(
            sa.select(Extension)
            .where(Extension.tenant_id == notice.tenant_id, Extension.rectification_id == notice.id)
            .order_by(Extension.asked_at.desc())
        )
    )


def waiting(session: Session, notice: Rectification) -> Extension | None:
    """The extension of the running clock that waits for a decision, or None."""
    row = running(session, notice)
    if row is None:
        return None
    for extension in of_notice(session, notice):
        if extension.deadline_id == row.id and extension.state == ExtensionState.ASKED:
            return extension
    return None


def ask(
    session: Session, notice: Rectification, *, wanted: date | None, reason: str, actor: Actor
) -> Extension:
    """Ask for more time until the close of business of `wanted` (vendor's scope); the notice must
    be locked. Before the clock runs out, with a reason, one at a time (`Conflict`, `Invalid`). The
    clock runs on as it is until the company decides."""
    check_open(notice.state)
    row = running(session, notice)
    if row is None:
        raise Conflict(
            phrase("The deadline has passed; it cannot be extended any more."),
            phrase("Submit the answer: it is taken, and recorded as late."),
        )
    text = reason_of(reason)
    if wanted is None:
        raise Invalid(phrase("The date is missing."), phrase("Choose a working day."))
    if waiting(session, notice) is not None:
        raise Conflict(
            phrase("An extension is asked for already; it is not decided yet."),
            phrase("Wait for the decision."),
        )
    due = check_extension(
        calendar_service.load(session), due_at=row.due_at, wanted=wanted, now=clock.now()
    )
    made = Extension(
        tenant_id=notice.tenant_id,
        rectification_id=notice.id,
        deadline_id=row.id,
        state=ExtensionState.ASKED,
        reason=text,
        old_due_at=row.due_at,
        wanted_at=due.due_at,
        asked_at=clock.now(),
        asked_by=actor.account_id,
        asked_by_name=actor.name,
    )
    session.add(made)
    session.flush()
    record_step(
        session,
        "rectification.extension.asked",
        notice,
        actor,
        {"from": row.due_at, "until": due.due_at},
    )
    return made


def _undecided(session: Session, notice: Rectification, extension_id: UUID) -> Extension:
    row = session.scalars(
        sa.select(Extension)
        .where(
            Extension.tenant_id == notice.tenant_id,
            Extension.rectification_id == notice.id,
            Extension.id == extension_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound("extension")
    if row.state != ExtensionState.ASKED:
        raise Conflict(
            phrase("This extension is decided already."),
            phrase("Reload the page to see the decision."),
        )
    return row


def grant(
    session: Session,
    notice: Rectification,
    extension_id: UUID,
    *,
    until: date | None,
    note: str,
    actor: Actor,
) -> Extension:
    """Grant an extension until the close of business of `until`, before the clock runs out.

    The date may be another than the one wanted. The clock keeps its earlier date and the ground.
    """
    row = _undecided(session, notice, extension_id)
    text = reason_of(note)
    if until is None:
        raise Invalid(phrase("The date is missing."), phrase("Choose a working day."))
    deadline = session.get(
        Deadline, (row.tenant_id, row.deadline_id), with_for_update=True, populate_existing=True
    )
    if deadline is None:
        raise NotFound("clock of the notice")
    due = check_extension(
        calendar_service.load(session), due_at=deadline.due_at, wanted=until, now=clock.now()
    )
    deadlines.extend(session, deadline, due, reason=text, actor=actor)
    notice.due_at, row.new_due_at = due.due_at, due.due_at
    notice.version += 1
    _decide(session, row, ExtensionState.GRANTED, text, actor)
    record_step(session, "rectification.extension.granted", notice, actor, {"until": due.due_at})
    tell_vendor(
        session,
        notice,
        phrase(
            "The extension of %(number)s is granted: due %(due)s (Beijing time).",
            number=notice.number or "",
            due=When(due.due_at),
        ),
    )
    return row


def refuse(
    session: Session, notice: Rectification, extension_id: UUID, *, note: str, actor: Actor
) -> Extension:
    """Refuse an extension with the reason; the clock stays as it was."""
    row = _undecided(session, notice, extension_id)
    _decide(session, row, ExtensionState.REFUSED, reason_of(note), actor)
    record_step(session, "rectification.extension.refused", notice, actor)
    tell_vendor(
        session,
        notice,
        phrase(
            "The extension of %(number)s is refused; it stays due %(due)s (Beijing time).",
            number=notice.number or "",
            due=When(row.old_due_at),
        ),
    )
    return row


def _decide(
    session: Session, row: Extension, state: ExtensionState, note: str, actor: Actor
) -> None:
    row.state, row.decision_note = state, note
    row.decided_at, row.decided_by = clock.now(), actor.account_id
    row.decided_by_name = actor.name
    session.flush()


def announce(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Tell the company's people of extensions that vendors asked for (company scope), each once;
    returns how many."""
    rows = session.execute(
        sa.select(Extension, Rectification.number)
        .join(
            Rectification,
            sa.and_(
                Rectification.tenant_id == Extension.tenant_id,
                Rectification.id == Extension.rectification_id,
            ),
        )
        .where(Extension.told_at.is_(None))
        .order_by(Extension.asked_at)
        .limit(limit)
        .with_for_update(of=Extension, skip_locked=True)
    ).all()
    for row, number in rows:
        row.told_at = clock.now()
        notify(
            session,
            tenant_id=actor.company_id,
            roles=MANAGE.roles,
            message=phrase("An extension of %(number)s is asked for.", number=number),
            path=f"/rectifications/{row.rectification_id}",
            kind=MessageKind.WORK,
        )
    session.flush()
    return len(rows)
