"""Scores after an upheld appeal: the months whose findings changed are computed anew (C2.4)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.consequences import FindingsCorrected
from portal.kernel.access import Actor
from portal.scoring import service
from portal.scoring.models import Score


def follow(session: Session, event: FindingsCorrected, actor: Actor) -> None:
    """Compute the scores of the event's months anew; issued ones are superseded."""
    rows = session.scalars(
        sa.select(Score)
        .where(Score.tenant_id == event.tenant_id, Score.period.in_(event.periods))
        .order_by(Score.period)
        .with_for_update()
    ).all()
    for row in rows:
        service.correct(session, row, event.reason, actor=actor)
