"""Draws, reviews, findings and the daily audit assessment form (A3, A5, A6)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, CompanyRow, IssuedRow, PrivateRow, id_index, one_of, tenant_fk


class DrawState(StrEnum):
    """frozen (population hashed) → drawn → issued (requests sent)."""

    FROZEN = "frozen"
    DRAWN = "drawn"
    ISSUED = "issued"


class Verdict(StrEnum):
    """Every reviewed case ends 合格 or 不合格."""

    PASS = "pass"
    FAIL = "fail"


class FindingState(StrEnum):
    """draft → confirmed (its clock starts, A5) → issued on a form; or withdrawn."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


class FormState(StrEnum):
    """prepared → confirmed by the audit head (A6) → issued."""

    PREPARED = "prepared"
    ISSUED = "issued"


class Draw(CompanyRow, Base):
    """One draw of a month over all vendors. The population's hash is fixed before the seed."""

    __tablename__ = "draws"
    __table_args__ = (one_of("state", DrawState), sa.Index("ix_draws_frozen", "frozen_at", "id"))

    name: Mapped[str]
    period: Mapped[str]
    method: Mapped[str]
    total: Mapped[int]
    state: Mapped[str]
    population: Mapped[int]
    population_hash: Mapped[str]
    seed: Mapped[str | None]
    wanted: Mapped[list[str]] = mapped_column(JSONB)
    frozen_at: Mapped[datetime]
    drawn_at: Mapped[datetime | None]
    issued_at: Mapped[datetime | None]
    created_by: Mapped[UUID]
    created_by_name: Mapped[str]
    run_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class DrawShare(PrivateRow, Base):
    """One vendor's part of a draw: its frozen population, its quota, what was drawn."""

    __tablename__ = "draw_shares"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "draw_id"),
        sa.Index("ix_draw_shares_draw", "draw_id"),
    )

    draw_id: Mapped[UUID]
    in_hand: Mapped[int]
    quota: Mapped[int]
    population: Mapped[list[UUID]] = mapped_column(ARRAY(sa.Uuid))
    population_hash: Mapped[str]
    vendor_seed: Mapped[str | None]
    positions: Mapped[list[int] | None] = mapped_column(ARRAY(sa.Integer))
    request_id: Mapped[UUID | None]


class Review(PrivateRow, Base):
    """An auditor's review of one drawn case: notes, marks, verdict."""

    __tablename__ = "reviews"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("case_id", "cases"),
        one_of("state", ("open", "judged")),
        one_of("verdict", Verdict),
        sa.UniqueConstraint("tenant_id", "request_id", "case_id"),
        sa.Index("ix_reviews_state", "state", "opened_at", "id"),
        id_index("reviews"),
    )

    request_id: Mapped[UUID]
    case_id: Mapped[UUID]
    case_no: Mapped[str]
    state: Mapped[str]
    verdict: Mapped[str | None]
    notes: Mapped[str]
    marks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    opened_at: Mapped[datetime]
    judged_at: Mapped[datetime | None]
    judged_by: Mapped[UUID | None]
    judged_by_name: Mapped[str | None]
    form_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class AssessmentForm(IssuedRow, Base):
    """日常稽核评估表: reports findings on a vendor's cases. Immutable once issued (A6)."""

    __tablename__ = "assessment_forms"
    __table_args__ = (
        one_of("state", FormState),
        tenant_fk("request_id", "material_requests"),
        tenant_fk("document_id", "documents"),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.Index("ix_assessment_forms_prepared", "prepared_at", "id"),
        sa.Index("ix_assessment_forms_tenant_prepared", "tenant_id", "prepared_at", "id"),
        id_index("assessment_forms"),
    )

    number: Mapped[str | None]
    request_id: Mapped[UUID]
    period: Mapped[str]
    manner: Mapped[str]
    expected: Mapped[int]
    delivered: Mapped[int]
    reviewed: Mapped[int]
    passed: Mapped[int]
    state: Mapped[str]
    prepared_at: Mapped[datetime]
    prepared_by: Mapped[UUID]
    prepared_by_name: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    confirmed_by_name: Mapped[str | None]
    document_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class Finding(IssuedRow, Base):
    """A violation found: the clause with its text as in force, who, when, the words said."""

    __tablename__ = "findings"
    __table_args__ = (
        one_of("state", FindingState),
        tenant_fk("case_id", "cases"),
        tenant_fk("file_id", "stored_files"),
        tenant_fk("member_id", "members"),
        tenant_fk("form_id", "assessment_forms"),
        sa.Index("ix_findings_review", "tenant_id", "review_id"),
        sa.Index("ix_findings_form", "tenant_id", "form_id"),
        sa.Index("ix_findings_tenant_occurred", "tenant_id", "occurred_on"),
        id_index("findings"),
    )

    review_id: Mapped[UUID]
    case_id: Mapped[UUID]
    case_no: Mapped[str]
    state: Mapped[str]
    clause_no: Mapped[int]
    clause_text: Mapped[str]
    clause_version: Mapped[int]
    level: Mapped[str]
    outcome: Mapped[str]
    points: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    deduction: Mapped[Decimal] = mapped_column(sa.Numeric(14, 2))
    member_id: Mapped[UUID | None]
    person_name: Mapped[str]
    staff_no: Mapped[str]
    group_name: Mapped[str]
    leader_name: Mapped[str]
    occurred_on: Mapped[date]
    file_id: Mapped[UUID | None]
    clip_from: Mapped[int | None]
    clip_to: Mapped[int | None]
    facts: Mapped[str]
    handling: Mapped[str]
    correction: Mapped[str]
    correct_by: Mapped[date | None]
    escalated: Mapped[bool]
    found_by: Mapped[UUID]
    found_by_name: Mapped[str]
    found_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    form_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class Escalation(PrivateRow, Base):
    """What went at once to the general manager's office (A5), with its own record."""

    __tablename__ = "escalations"
    __table_args__ = (
        tenant_fk("finding_id", "findings"),
        sa.UniqueConstraint("tenant_id", "finding_id"),
        id_index("escalations"),
    )

    finding_id: Mapped[UUID]
    reason: Mapped[str]
    raised_at: Mapped[datetime]
    raised_by_name: Mapped[str]
    seen_at: Mapped[datetime | None]
    seen_by_name: Mapped[str | None]
