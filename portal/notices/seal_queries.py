"""Uses of seals as their page shows them: those to decide, and what was decided, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel.paging import Page, Sort, paginate
from portal.notices.models import Document, Seal, SealUse
from portal.notices.rules import UseState
from tenants.models import Tenant

DECIDED_A_PAGE = 20
MOST_OPEN = 200


@dataclass(frozen=True, slots=True)
class UseRow:
    """A use of a seal as the list shows it."""

    id: UUID
    document_id: UUID
    number: str
    template: str
    vendor: str
    seal: str
    content_sha256: str
    asked_by: UUID
    asked_by_name: str
    asked_at: datetime
    state: str
    decided_by_name: str | None
    decided_at: datetime | None
    note: str


def open_uses(session: Session) -> list[UseRow]:
    """What is still to decide, oldest first."""
    rows = session.execute(
        _statement(SealUse.state == UseState.ASKED)
        .order_by(SealUse.asked_at, SealUse.id)
        .limit(MOST_OPEN)
    )
    return [_row(row) for row in rows]


def decided_uses(session: Session, cursor: str | None = None) -> Page[UseRow]:
    """What was decided, newest first by when it was asked."""
    page = paginate(
        session,
        _statement(SealUse.state != UseState.ASKED),
        Sort(SealUse.asked_at, SealUse.id, descending=True),
        cursor,
        size=DECIDED_A_PAGE,
    )
    return page.map(_row)


def _statement(condition: Any) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            SealUse,
            SealUse.id,
            SealUse.asked_at.label("sort_key"),
            Document.number,
            Document.template,
            Tenant.short_name,
            Seal.name,
        )
        .join(
            Document,
            sa.and_(Document.tenant_id == SealUse.tenant_id, Document.id == SealUse.document_id),
        )
        .join(Tenant, Tenant.id == SealUse.tenant_id)
        .join(Seal, Seal.id == SealUse.seal_id)
        .where(condition)
    )


def _row(row: Any) -> UseRow:
    use: SealUse = row.SealUse
    return UseRow(
        use.id,
        use.document_id,
        row.number,
        row.template,
        row.short_name,
        row.name,
        use.content_sha256,
        use.asked_by,
        use.asked_by_name,
        use.asked_at,
        use.state,
        use.decided_by_name,
        use.decided_at,
        use.note,
    )
