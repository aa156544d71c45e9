"""Tell the company's people of answers to rectification notices (C2.4). A vendor's own session
cannot write to the company's inbox, so the worker's sweep does."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.phrases import phrase
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.rectification.models import Answer, Rectification
from portal.rectification.permissions import MANAGE
from tenants.models import Tenant

_IN_TIME = phrase("%(vendor)s answered %(number)s in time.")
_LATE = phrase("%(vendor)s answered %(number)s after the deadline.")


def announce(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Tell of the submitted answers that nobody was told of yet (company scope), each once; how
    many."""
    rows = session.execute(
        sa.select(Answer, Rectification.number, Tenant.short_name)
        .join(
            Rectification,
            sa.and_(
                Rectification.tenant_id == Answer.tenant_id,
                Rectification.id == Answer.rectification_id,
            ),
        )
        .join(Tenant, Tenant.id == Answer.tenant_id)
        .where(Answer.state == "submitted", Answer.told_at.is_(None))
        .order_by(Answer.submitted_at)
        .limit(limit)
        .with_for_update(of=Answer, skip_locked=True)
    ).all()
    for row, number, vendor in rows:
        row.told_at = clock.now()
        words = _IN_TIME if row.in_time else _LATE
        notify(
            session,
            tenant_id=actor.company_id,
            roles=MANAGE.roles,
            message=phrase(words.msgid, vendor=vendor, number=number),
            path=f"/rectifications/{row.rectification_id}",
            kind=MessageKind.WORK,
        )
    session.flush()
    return len(rows)
