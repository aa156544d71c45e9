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
    the serial it takes back.

    Serials are the company's own and do not repeat between vendors: imports see to that, one after
    the other.
    """

    __tablename__ = "receipts"
    __table_args__ = (
        tenant_fk("case_id", "cases"),
        sa.UniqueConstraint("tenant_id", "serial"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reverses"], ["receipts.tenant_id", "receipts.serial"]
        ),
        sa.CheckConstraint(
            "CASE WHEN reverses IS NULL THEN amount > 0 ELSE amount < 0 END", name="sign"
        ),
        sa.Index("ix_receipts_tenant_credited", "tenant_id", "credited_on", "id"),
        sa.Index("ix_receipts_credited", "credited_on", "id"),
        sa.Index("ix_receipts_case", "tenant_id", "case_id"),
        sa.Index("ix_receipts_case_no", "case_no", "credited_on", "id"),
        sa.Index("ix_receipts_serial", "serial"),
        sa.Index(
            "ix_receipts_reverses",
            "tenant_id",
            "reverses",
            postgresql_where=sa.text("reverses IS NOT NULL"),
        ),
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
        sa.Index("ix_receipt_imports_uploaded", "uploaded_at", "id"),
        sa.Index("ix_receipt_imports_sha256", "sha256"),
        id_index("receipt_imports"),
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
    taken_by: Mapped[UUID | None]
    taken_by_name: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


class ReceiptImportRemark(CompanyRow, Base):
    """What the check says of one cell: wrong (`note` false), or taken but to be known (`note`)."""

    __tablename__ = "receipt_import_remarks"
    __table_args__ = (
        tenant_fk("import_id", "receipt_imports", ondelete="CASCADE"),
        sa.Index("ix_receipt_import_remarks_place", "import_id", "note", "position", "id"),
    )

    import_id: Mapped[UUID]
    note: Mapped[bool]
    position: Mapped[int]
    row_number: Mapped[int]
    letter: Mapped[str]
    title: Mapped[str]
    code: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    shown: Mapped[str]
