"""Milestones (里程碑): the steps of a correction that the vendor plans, and those done (C2.4)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.phrases import phrase
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import Milestone, Rectification
from portal.rectification.rules import check_milestone
from portal.rectification.service import record_step

PLANNED_IN = frozenset({State.ISSUED, State.ANSWERED, State.RETURNED})
"""While a notice is in one of these, milestones are added and taken away."""


def of_notice(session: Session, notice: Rectification) -> list[Milestone]:
    """The milestones by their day."""
    return list(
        session.scalars(
            sa.select(Milestone)
            .where(Milestone.tenant_id == notice.tenant_id, Milestone.rectification_id == notice.id)
            .order_by(Milestone.planned_on, Milestone.id)
        )
    )


def add(
    session: Session, notice: Rectification, text: str, planned_on: date | None, *, actor: Actor
) -> Milestone:
    """Plan a step for a day, while the notice is open (`Conflict`, `Invalid`)."""
    _check_planned(notice)
    kept = " ".join(text.split())
    day = check_milestone(kept, planned_on, clock.today(), len(of_notice(session, notice)))
    row = Milestone(
        tenant_id=notice.tenant_id,
        rectification_id=notice.id,
        text=kept,
        planned_on=day,
        added_at=clock.now(),
        added_by_name=actor.name,
    )
    session.add(row)
    session.flush()
    record_step(session, "rectification.milestone.planned", notice, actor, {"day": day})
    return row


def _check_planned(notice: Rectification) -> None:
    if notice.state not in PLANNED_IN:
        raise Conflict(
            phrase("This notice is closed; its plan stays as it is."),
            phrase("A planned step can still be marked as done."),
        )


def _get(session: Session, notice: Rectification, milestone_id: UUID) -> Milestone:
    row = session.scalars(
        sa.select(Milestone)
        .where(
            Milestone.tenant_id == notice.tenant_id,
            Milestone.rectification_id == notice.id,
            Milestone.id == milestone_id,
        )
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound("milestone")
    if row.done_at is not None:
        raise Conflict(
            phrase("This milestone is done already."), phrase("What is done does not change.")
        )
    return row


def finish(session: Session, notice: Rectification, milestone_id: UUID, *, actor: Actor) -> None:
    """Mark a step as done now; also after the answer was accepted, when it was planned for later.

    Raises `NotFound`, `Conflict` when it is done or the notice is cancelled.
    """
    if notice.state == State.CANCELLED:
        _check_planned(notice)
    row = _get(session, notice, milestone_id)
    row.done_at, row.done_by_name = clock.now(), actor.name
    session.flush()
    record_step(
        session, "rectification.milestone.done", notice, actor, {"planned_on": row.planned_on}
    )


def remove(session: Session, notice: Rectification, milestone_id: UUID, *, actor: Actor) -> None:
    """Take a step that is not done out of the plan. Raises `NotFound`, `Conflict`."""
    _check_planned(notice)
    row = _get(session, notice, milestone_id)
    planned = row.planned_on
    session.delete(row)
    session.flush()
    record_step(session, "rectification.milestone.removed", notice, actor, {"planned_on": planned})
