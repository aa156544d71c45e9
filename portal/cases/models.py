"""Entrusted cases (个案), their batches and changes of status, and the imports of them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.cases.rules import AGE_BANDS, HELD, CaseStatus
from portal.imports.models import STATES, ImportRow, RemarkRow
from tenants.rows import Base, SharedRow, id_index, one_of, tenant_fk

__all__ = [
    "AGE_BANDS",
    "HELD",
    "Batch",
    "Case",
    "CaseImport",
    "CaseImportError",
    "CaseStatus",
    "CaseStatusChange",
]

MONEY = sa.Numeric(14, 2)
_HELD_SQL = "status IN ({})".format(", ".join(f"'{status.value}'" for status in HELD))


class Batch(SharedRow, Base):
    """Cases that came together and go back together (委案到期日). The dates span its cases'."""

    __tablename__ = "batches"
    __table_args__ = (
        tenant_fk("project_id", "projects"),
        sa.UniqueConstraint("tenant_id", "project_id", "batch_no"),
        id_index("batches"),
    )

    project_id: Mapped[UUID]
    batch_no: Mapped[str]
    entrusted_on: Mapped[date]
    due_back_on: Mapped[date]


class Case(SharedRow, Base):
    """One overdue account given to one vendor for a period.

    Personal data stand encrypted (`*_sealed`), masked for lists (`*_masked`) and, for exact
    search, as blind indexes. The age band is frozen on the day of entrusting. `closed_on` is the
    day on which the case left the vendor's hands.

    Each sort of the list has an index that starts with the vendor and one that does not. Amounts
    are sorted as cents: comparing `numeric` is not leak-proof, and under row-level security only
    leak-proof comparisons reach an index. Case numbers sort by code point, whatever the server's
    language, so that a prefix is a range of the index.
    """

    __tablename__ = "cases"
    __table_args__ = (
        tenant_fk("project_id", "projects"),
        tenant_fk("batch_id", "batches"),
        tenant_fk("group_id", "groups"),
        tenant_fk("member_id", "members"),
        one_of("status", CaseStatus),
        one_of("age_band", AGE_BANDS),
        sa.CheckConstraint("amount = principal + interest + fees", name="amount_adds_up"),
        sa.UniqueConstraint("tenant_id", "case_no"),
        sa.Index("ix_cases_no", "case_no", "id"),
        sa.Index("ix_cases_tenant_amount", "tenant_id", "amount_cents", "id"),
        sa.Index("ix_cases_amount", "amount_cents", "id"),
        sa.Index("ix_cases_tenant_entrusted", "tenant_id", "entrusted_on", "id"),
        sa.Index("ix_cases_entrusted", "entrusted_on", "id"),
        sa.Index("ix_cases_tenant_card", "tenant_id", "card_index"),
        sa.Index("ix_cases_tenant_phone", "tenant_id", "phone_index"),
        sa.Index("ix_cases_card", "card_index"),
        sa.Index("ix_cases_phone", "phone_index"),
        sa.Index("ix_cases_held", "tenant_id", "id", postgresql_where=sa.text(_HELD_SQL)),
        # The rare statuses: without it the company's list of suspended cases reads every case.
        sa.Index("ix_cases_not_in_hand", "status", postgresql_where=sa.text("status <> 'in_hand'")),
        id_index("cases"),
    )

    project_id: Mapped[UUID]
    batch_id: Mapped[UUID]
    case_no: Mapped[str] = mapped_column(sa.Text(collation="C"))
    entrusting_company: Mapped[str]
    card_sealed: Mapped[bytes]
    card_masked: Mapped[str]
    card_index: Mapped[bytes]
    debtor_sealed: Mapped[bytes]
    debtor_masked: Mapped[str]
    phone_sealed: Mapped[bytes]
    phone_masked: Mapped[str]
    phone_index: Mapped[bytes]
    principal: Mapped[Decimal] = mapped_column(MONEY)
    interest: Mapped[Decimal] = mapped_column(MONEY)
    fees: Mapped[Decimal] = mapped_column(MONEY)
    amount: Mapped[Decimal] = mapped_column(MONEY)
    amount_cents: Mapped[int] = mapped_column(
        sa.BigInteger, sa.Computed("(amount * 100)::bigint", persisted=True)
    )
    days_past_due: Mapped[int]
    age_band: Mapped[str]
    entrusted_on: Mapped[date]
    due_back_on: Mapped[date]
    group_id: Mapped[UUID | None]
    member_id: Mapped[UUID | None]
    status: Mapped[str]
    closed_on: Mapped[date | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class CaseStatusChange(SharedRow, Base):
    """A case was given another status, by whom and why; the vendor sees it."""

    __tablename__ = "case_status_changes"
    __table_args__ = (
        tenant_fk("case_id", "cases"),
        one_of("old_status", CaseStatus),
        one_of("new_status", CaseStatus),
        sa.Index("ix_case_status_changes_case", "tenant_id", "case_id", "changed_at"),
        id_index("case_status_changes"),
    )

    case_id: Mapped[UUID]
    old_status: Mapped[str]
    new_status: Mapped[str]
    reason: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID]
    changed_by_name: Mapped[str]


class CaseImport(ImportRow, Base):
    """An uploaded file of cases."""

    __tablename__ = "case_imports"
    __table_args__ = (
        tenant_fk("file_id", "stored_files"),
        one_of("state", STATES),
        sa.Index("ix_case_imports_sha256", "sha256"),
        id_index("case_imports"),
    )


class CaseImportError(RemarkRow, Base):
    """One wrong cell of an imported file of cases."""

    __tablename__ = "case_import_errors"
    __table_args__ = (
        tenant_fk("import_id", "case_imports", ondelete="CASCADE"),
        sa.Index("ix_case_import_errors_place", "import_id", "position", "id"),
    )
