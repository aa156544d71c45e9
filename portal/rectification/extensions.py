"""Extensions (延期申请) of a notice's clock: asked by the vendor, decided by the company (C2.4).

What an extension is stands in `portal.deadlines.extensions`; here are the notice's own state,
record and people.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.deadlines import extensions
from portal.deadlines.models import Deadline, Extension
from portal.kernel.access import Actor
from portal.kernel.phrases import When, phrase
from portal.rectification.models import Answer, Rectification
from portal.rectification.queries import CLOCK
from portal.rectification.rules import check_open
from portal.rectification.service import record_step, tell_vendor


def ask(
    session: Session, notice: Rectification, *, wanted: date | None, reason: str, actor: Actor
) -> Extension:
    """Ask for more time until the close of business of `wanted` (vendor's scope); the notice must
    be locked."""
    check_open(notice.state)
    row = extensions.running(session, notice.tenant_id, notice.id, CLOCK)
    made = extensions.ask(session, row, wanted=wanted, reason=reason, actor=actor)
    record_step(
        session,
        "rectification.extension.asked",
        notice,
        actor,
        {"from": made.old_due_at, "until": made.wanted_at},
    )
    return made


def grant(
    session: Session,
    notice: Rectification,
    extension_id: UUID,
    *,
    until: date | None,
    note: str,
    actor: Actor,
) -> Extension:
    """Grant an extension until the close of business of `until`; the notice must be locked. An
    answer that came meanwhile is in time, or late, by the new date."""
    done = extensions.grant(
        session, notice.tenant_id, notice.id, extension_id, until=until, note=note, actor=actor
    )
    due_at = done.deadline.due_at
    if done.deadline.round == notice.round and notice.closed_at is None:
        notice.due_at = due_at
    notice.version += 1
    session.flush()
    _recount(session, notice, done.deadline)
    record_step(session, "rectification.extension.granted", notice, actor, {"until": due_at})
    tell_vendor(
        session,
        notice,
        phrase(
            "The extension of %(number)s is granted: due %(due)s (Beijing time).",
            number=notice.number or "",
            due=When(due_at),
        ),
    )
    return done.extension


def _recount(session: Session, notice: Rectification, deadline: Deadline) -> None:
    answer = session.scalars(
        sa.select(Answer)
        .where(
            Answer.tenant_id == notice.tenant_id,
            Answer.rectification_id == notice.id,
            Answer.round == deadline.round,
            Answer.submitted_at.is_not(None),
        )
        .with_for_update()
    ).first()
    if answer is not None and answer.submitted_at is not None:
        answer.in_time = answer.submitted_at <= deadline.due_at
        session.flush()


def refuse(
    session: Session, notice: Rectification, extension_id: UUID, *, note: str, actor: Actor
) -> Extension:
    """Refuse an extension with the reason; the clock stays as it was."""
    row = extensions.refuse(
        session, notice.tenant_id, notice.id, extension_id, note=note, actor=actor
    )
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
