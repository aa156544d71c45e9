"""Excellent cases (优秀个案): recommended by vendors, selected by the general department (A7)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, TenantRow, id_index, one_of, tenant_fk


class ExcellentCase(TenantRow, Base):
    """A case that a vendor recommends for the training material; selected ones earn a reward."""

    __tablename__ = "excellent_cases"
    __table_args__ = (
        tenant_fk("case_id", "cases"),
        one_of("state", ("recommended", "selected", "declined")),
        sa.UniqueConstraint("tenant_id", "period", "case_id"),
        sa.Index("ix_excellent_cases_recommended", "recommended_at", "id"),
        sa.Index("ix_excellent_cases_tenant_recommended", "tenant_id", "recommended_at", "id"),
        id_index("excellent_cases"),
    )
    vendor_insert = True

    case_id: Mapped[UUID]
    case_no: Mapped[str]
    period: Mapped[str]
    why: Mapped[str]
    state: Mapped[str]
    recommended_at: Mapped[datetime]
    recommended_by_name: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str | None]
    decision_note: Mapped[str | None]
    reward: Mapped[Decimal | None] = mapped_column(sa.Numeric(14, 2))
    version: Mapped[int] = mapped_column(default=1)
