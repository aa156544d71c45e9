"""Tell the company's people of hand-ins. A vendor's own session cannot write to the company's
inbox, so the worker's sweep does."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.phrases import phrase, plural
from portal.materials.models import HandIn, MaterialRequest
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.models import Tenant

FOLLOWERS = (Role.AUDITOR, Role.AUDIT_HEAD)
_IN_TIME = phrase("%(vendor)s handed in %(number)s in time: %(delivered)s of %(expected)s.")
_LATE = plural(
    "%(vendor)s handed in %(number)s, %(days)s working day late: %(delivered)s of %(expected)s.",
    "%(vendor)s handed in %(number)s, %(days)s working days late: %(delivered)s of %(expected)s.",
    by="days",
)


def announce(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Tell of the hand-ins that nobody was told of yet (company scope), each once; how many."""
    rows = session.execute(
        sa.select(HandIn, MaterialRequest.number, Tenant.short_name)
        .join(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == HandIn.tenant_id,
                MaterialRequest.id == HandIn.request_id,
            ),
        )
        .join(Tenant, Tenant.id == HandIn.tenant_id)
        .where(HandIn.told_at.is_(None))
        .order_by(HandIn.at)
        .limit(limit)
        .with_for_update(of=HandIn, skip_locked=True)
    ).all()
    for row, number, vendor in rows:
        row.told_at = clock.now()
        words = _IN_TIME if row.in_time else _LATE
        notify(
            session,
            tenant_id=actor.company_id,
            roles=FOLLOWERS,
            message=words.filled(
                {
                    "vendor": vendor,
                    "number": number,
                    "days": row.working_days_late,
                    "delivered": row.counts["delivered"],
                    "expected": row.counts["expected"],
                }
            ),
            path=f"/requests/{row.request_id}",
            kind=MessageKind.WORK,
        )
    session.flush()
    return len(rows)
