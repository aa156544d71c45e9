"""Failed sign-ins and counted requests that are kept no longer: swept by the worker."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.identity.models import SignInAttempt
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.settings import settings

MOST = 20_000
"""Rows that one sweep takes away; the rest follows with the next."""


def sweep(session: Session, *, actor: Actor) -> int:
    """Take away attempts older than `PORTAL_ATTEMPT_DAYS` (on the sign-in login), and journal how
    many; the count against guessing looks back minutes only. Returns how many."""
    days = settings().attempt_days
    row = SignInAttempt
    old = (
        sa.select(row.tenant_id, row.id)
        .where(row.at < clock.now() - timedelta(days=days))
        .order_by(row.at)
        .limit(MOST)
    )
    gone = session.scalars(
        sa.delete(row)
        .where(sa.tuple_(row.tenant_id, row.id).in_(old))
        .returning(row.id)
        .execution_options(synchronize_session=False)
    ).all()
    if gone:
        record(
            session,
            "identity.attempts.swept",
            ("company", actor.company_id),
            actor=actor,
            data={"attempts": len(gone), "days": days},
        )
    return len(gone)
