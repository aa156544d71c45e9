"""Entrusted cases (个案), their batches, and the imports that brought them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, CompanyRow, SharedRow, id_index, one_of, tenant_fk

MONEY = sa.Numeric(14, 2)
AGE_BANDS = ("M1", "M2", "M3", "M4", "M5", "M6", "M6+", "written_off")


class CaseStatus(StrEnum):
    """在案/停催/撤案/退案/留案/结清."""

    IN_HAND = "in_hand"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    KEPT = "kept"
    SETTLED = "settled"


HELD = (CaseStatus.IN_HAND, CaseStatus.SUSPENDED, CaseStatus.KEPT)
"""The statuses that count as in-hand volume (在案量)."""


class Batch(SharedRow, Base):
    """Cases that came together and go back together (委案到期日)."""

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
    search, as blind indexes. The age band is frozen on the day of entrusting.
    """

    __tablename__ = "cases"
    __table_args__ = (
        tenant_fk("project_id", "projects"),
        tenant_fk("batch_id", "batches"),
        tenant_fk("group_id", "groups"),
        tenant_fk("member_id", "members"),
        one_of("status", CaseStatus),
        one_of("age_band", AGE_BANDS),
        sa.UniqueConstraint("tenant_id", "case_no"),
        sa.Index("ix_cases_no", "case_no", "id"),
        sa.Index("ix_cases_tenant_amount", "tenant_id", "amount", "id"),
        sa.Index("ix_cases_amount", "amount", "id"),
        sa.Index("ix_cases_tenant_card", "tenant_id", "card_index"),
        sa.Index("ix_cases_tenant_phone", "tenant_id", "phone_index"),
        sa.Index("ix_cases_card", "card_index"),
        sa.Index("ix_cases_tenant_status", "tenant_id", "status"),
        id_index("cases"),
    )

    project_id: Mapped[UUID]
    batch_id: Mapped[UUID]
    case_no: Mapped[str]
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
    days_past_due: Mapped[int]
    age_band: Mapped[str]
    entrusted_on: Mapped[date]
    due_back_on: Mapped[date]
    group_id: Mapped[UUID | None]
    member_id: Mapped[UUID | None]
    status: Mapped[str]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class CaseImport(CompanyRow, Base):
    """An uploaded file of cases: checked by a job, confirmed by a person, taken by a job.

    `report` holds counts and errors by row and column, never a cell's personal data.
    """

    __tablename__ = "case_imports"
    __table_args__ = (
        tenant_fk("file_id", "stored_files"),
        one_of("state", ("uploaded", "checked", "taking", "taken", "refused")),
        sa.Index("ix_case_imports_sha256", "sha256"),
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
