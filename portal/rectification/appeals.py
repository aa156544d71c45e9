"""Rectification notices after an upheld appeal: one whose findings all fell is cancelled (C2.4)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.consequences import FindingsCorrected
from portal.audits.findings.queries import STANDING
from portal.audits.models import Finding
from portal.kernel.access import Actor
from portal.kernel.phrases import phrase
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import Rectification
from portal.rectification.permissions import MANAGE
from portal.rectification.service import cancel_notice

CLOSED = (State.ACCEPTED, State.CANCELLED)


def follow(session: Session, event: FindingsCorrected, actor: Actor) -> None:
    """Cancel the open notices of forms on which no finding stands any more; tell the vendor
    managers of those on which others stand, since their wording is the manager's."""
    rows = session.scalars(
        sa.select(Rectification)
        .where(
            Rectification.tenant_id == event.tenant_id,
            Rectification.form_id.in_(event.form_ids),
            Rectification.state.not_in(CLOSED),
        )
        .order_by(Rectification.id)
        .with_for_update()
    ).all()
    for notice in rows:
        if _stands(session, notice):
            _tell(session, notice, actor)
        else:
            cancel_notice(session, notice, event.reason, actor=actor)


def _stands(session: Session, notice: Rectification) -> bool:
    return bool(
        session.scalar(
            sa.select(
                sa.exists().where(
                    Finding.tenant_id == notice.tenant_id,
                    Finding.form_id == notice.form_id,
                    Finding.state.in_(STANDING),
                )
            )
        )
    )


def _tell(session: Session, notice: Rectification, actor: Actor) -> None:
    notify(
        session,
        tenant_id=actor.company_id,
        roles=MANAGE.roles,
        message=phrase(
            "Findings behind %(number)s changed on appeal: see whether the notice still holds.",
            number=notice.number or notice.title,
        ),
        path=f"/rectifications/{notice.id}",
        kind=MessageKind.WORK,
    )
