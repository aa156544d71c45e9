"""Reads of excellent cases: lists, and the rewards of a month (A7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.excellence.models import ExcellentCase
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class RewardedCase:
    """A selected case of a month and what it earned (CNY, tax included)."""

    id: UUID
    case_id: UUID
    case_no: str
    reward: Decimal


def rewards(session: Session, tenant_id: UUID, period: str) -> tuple[RewardedCase, ...]:
    """The vendor's cases recommended for the month "YYYY-MM" and selected (A7), by number."""
    rows = session.scalars(
        sa.select(ExcellentCase)
        .where(
            ExcellentCase.tenant_id == tenant_id,
            ExcellentCase.period == period,
            ExcellentCase.state == "selected",
        )
        .order_by(ExcellentCase.case_no, ExcellentCase.id)
    )
    return tuple(
        RewardedCase(row.id, row.case_id, row.case_no, row.reward or Decimal("0.00"))
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class ExcellentRow:
    """A recommended case in the list."""

    id: UUID
    vendor: str
    case_id: UUID
    case_no: str
    period: str
    why: str
    state: str
    recommended_at: datetime
    recommended_by_name: str
    decided_at: datetime | None
    decided_by_name: str
    decision_note: str
    reward: Decimal | None
    version: int


def list_cases(
    session: Session,
    *,
    vendor_id: UUID | None = None,
    state: str = "",
    period: str = "",
    cursor: str | None = None,
) -> Page[ExcellentRow]:
    """Recommendations, newest first; a vendor's scope shows its own."""
    statement = sa.select(
        ExcellentCase,
        ExcellentCase.id,
        ExcellentCase.recommended_at.label("sort_key"),
        Tenant.short_name,
    ).join(Tenant, Tenant.id == ExcellentCase.tenant_id)
    if vendor_id:
        statement = statement.where(ExcellentCase.tenant_id == vendor_id)
    if state:
        statement = statement.where(ExcellentCase.state == state)
    if period:
        statement = statement.where(ExcellentCase.period == period)
    sort = Sort(ExcellentCase.recommended_at, ExcellentCase.id, True)
    return paginate(session, statement, sort, cursor).map(_row)


def _row(row: Any) -> ExcellentRow:
    found: ExcellentCase = row.ExcellentCase
    return ExcellentRow(
        found.id,
        row.short_name,
        found.case_id,
        found.case_no,
        found.period,
        found.why,
        found.state,
        found.recommended_at,
        found.recommended_by_name,
        found.decided_at,
        found.decided_by_name or "",
        found.decision_note or "",
        found.reward,
        found.version,
    )


def get_case(session: Session, excellent_id: UUID, *, lock: bool = False) -> ExcellentCase:
    """A recommendation that this scope sees; raises `NotFound`."""
    statement = sa.select(ExcellentCase).where(ExcellentCase.id == excellent_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("excellent case")
    return row
