"""Receipts (回款): money credited on cases, as finance confirms it (C3.4)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.imports.models import STATES, ImportRow, RemarkRow
from tenants.rows import Base, SharedRow, id_index, one_of, tenant_fk

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


class ReceiptImport(ImportRow, Base):
    """An uploaded file of receipts, confirmed by finance."""

    __tablename__ = "receipt_imports"
    __table_args__ = (
        tenant_fk("file_id", "stored_files"),
        one_of("state", STATES),
        sa.Index("ix_receipt_imports_uploaded", "uploaded_at", "id"),
        sa.Index("ix_receipt_imports_sha256", "sha256"),
        id_index("receipt_imports"),
    )


class ReceiptImportRemark(RemarkRow, Base):
    """What the check says of one cell: wrong (`note` false), or taken but to be known (`note`)."""

    __tablename__ = "receipt_import_remarks"
    __table_args__ = (
        tenant_fk("import_id", "receipt_imports", ondelete="CASCADE"),
        sa.Index("ix_receipt_import_remarks_place", "import_id", "note", "position", "id"),
    )

    note: Mapped[bool]
