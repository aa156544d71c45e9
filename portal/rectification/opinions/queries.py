"""Reads of rectification opinions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel.paging import Page, Sort, paginate
from portal.rectification.models import Opinion, Rectification
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class OpinionRow:
    """An opinion in a list, with the notice that was made of it."""

    id: UUID
    number: str
    vendor: str
    title: str
    level: str
    state: str
    given_at: datetime
    given_by: str
    answered_by: str
    notice_id: UUID | None
    notice_number: str


def list_opinions(session: Session, cursor: str | None = None) -> Page[OpinionRow]:
    """Opinions, newest first (company scope)."""
    statement = (
        sa.select(
            Opinion,
            Opinion.id,
            Opinion.given_at.label("sort_key"),
            Tenant.short_name,
            Rectification.id.label("notice_id"),
            Rectification.number,
        )
        .join(Tenant, Tenant.id == Opinion.tenant_id)
        .outerjoin(
            Rectification,
            sa.and_(
                Rectification.tenant_id == Opinion.tenant_id,
                Rectification.opinion_id == Opinion.id,
            ),
        )
    )
    page = paginate(session, statement, Sort(Opinion.given_at, Opinion.id, True), cursor)
    return page.map(
        lambda row: OpinionRow(
            row.id,
            row.Opinion.number,
            row.short_name,
            row.Opinion.title,
            row.Opinion.level,
            row.Opinion.state,
            row.Opinion.given_at,
            row.Opinion.given_by_name,
            row.Opinion.answered_by_name or "",
            row.notice_id,
            row.number or "",
        )
    )
