"""Receipts (回款): money credited on cases, as finance confirms it (C3.4)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, CompanyRow, SharedRow, id_index, one_of, tenant_fk

MONEY = sa.Numeric(14, 2)


class Receipt(SharedRow, Base):
    """Money credited on a case, confirmed by finance; a reversal is a negative amount that names
    the serial it takes back."""

    __tablename__ = "receipts"
    __table_args__ = (
        tenant_fk("case_id", "cases"),
        sa.UniqueConstraint("tenant_id", "serial"),
        sa.Index("ix_receipts_tenant_credited", "tenant_id", "credited_on", "id"),
        sa.Index("ix_receipts_credited", "credited_on", "id"),
        sa.Index("ix_receipts_case", "tenant_id", "case_id"),
        id_index("receipts"),
    )

    case_id: Mapped[UUID]
    case_no: Mapped[str]
    serial: Mapped[str]
    credited_on: Mapped[date]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    reverses: Mapped[str | None]
    import_id: Mapped[UUID]
    confirmed_at: Mapped[datetime]


class ReceiptImport(CompanyRow, Base):
    """An uploaded file of receipts: checked by a job, confirmed by finance, taken by a job."""

    __tablename__ = "receipt_imports"
    __table_args__ = (
        tenant_fk("file_id", "stored_files"),
        one_of("state", ("uploaded", "checked", "taking", "taken", "refused")),
    )

    file_id: Mapped[UUID]
    sha256: Mapped[str]
    safe_name: Mapped[str]
    state: Mapped[str]
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    run_id: Mapped[UUID | None]
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[UUID]
    uploaded_by_name: Mapped[str]
    taken_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
