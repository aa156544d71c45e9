"""Draws, reviews, findings and the daily audit assessment form (A3, A5, A6)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, CompanyRow, IssuedRow, PrivateRow, id_index, one_of, tenant_fk


class DrawState(StrEnum):
    """planned → frozen (population hashed) → drawn (seed fixed after that) → issued (requests
    sent)."""

    PLANNED = "planned"
    FROZEN = "frozen"
    DRAWN = "drawn"
    ISSUED = "issued"


class Verdict(StrEnum):
    """Every reviewed case ends 合格 or 不合格."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"


class FindingState(StrEnum):
    """draft → confirmed (its clock starts, A5) → issued on a form; or withdrawn. An issued one is
    overturned by an appeal alone."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"
    OVERTURNED = "overturned"


class DecisionKind(StrEnum):
    """What was decided about a finding."""

    REPEAT_TAKEN = "repeat_taken"
    REPEAT_REFUSED = "repeat_refused"
    WITHDRAWN = "withdrawn"


class FormState(StrEnum):
    """prepared → issued when the audit head confirms (A6); or returned to the auditor."""

    PREPARED = "prepared"
    ISSUED = "issued"
    RETURNED = "returned"


class Draw(CompanyRow, Base):
    """One draw of a month over all vendors (A3). The population's hash is fixed before the seed.

    Either `total` cases are drawn or `rate` percent of those in hand; `total` of a draw by rate is
    known once it is frozen. `wanted` names the materials asked for: kind, and whether required.
    `options`: the plan's text where it has strata or weights (`portal.audits.draws.plans`), as
    `method` /2 hashes it.
    """

    __tablename__ = "draws"
    __table_args__ = (
        one_of("state", DrawState),
        sa.CheckConstraint("total IS NOT NULL OR rate IS NOT NULL", name="size_known"),
        sa.CheckConstraint(
            "state = 'planned' OR (population_hash IS NOT NULL AND frozen_at IS NOT NULL)",
            name="frozen_has_hash",
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'frozen') OR (seed IS NOT NULL AND drawn_at IS NOT NULL)",
            name="drawn_has_seed",
        ),
        sa.UniqueConstraint("tenant_id", "period", "name"),
        sa.Index("ix_draws_planned", "planned_at", "id"),
        sa.Index("ix_draws_period", "period", "planned_at", "id"),
    )

    name: Mapped[str]
    period: Mapped[str]
    method: Mapped[str]
    rate: Mapped[Decimal | None] = mapped_column(sa.Numeric(6, 3))
    total: Mapped[int | None]
    state: Mapped[str]
    options: Mapped[str | None]
    population: Mapped[int] = mapped_column(default=0)
    population_hash: Mapped[str | None]
    seed: Mapped[str | None]
    wanted: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    planned_at: Mapped[datetime]
    frozen_at: Mapped[datetime | None]
    drawn_at: Mapped[datetime | None]
    drawn_by_name: Mapped[str | None]
    issuing_at: Mapped[datetime | None]
    issuing_by: Mapped[UUID | None]
    issuing_by_name: Mapped[str | None]
    issued_at: Mapped[datetime | None]
    created_by: Mapped[UUID]
    created_by_name: Mapped[str]
    run_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class DrawShare(PrivateRow, Base):
    """One vendor's part of a draw: its frozen population, its quota, what was drawn.

    The population stands as the method takes it (`portal.cases.draw.canonical`: the ids' 16 bytes,
    ascending; by /2 with stratum and weight each) and is loaded only when asked for: 80 KB a vendor
    of 5,000 cases. `strata`: the strata's text of /2. `run_id`: the job that issues the vendor's
    request.
    """

    __tablename__ = "draw_shares"
    __table_args__ = (
        sa.UniqueConstraint("tenant_id", "draw_id"),
        sa.Index("ix_draw_shares_draw", "draw_id"),
    )

    draw_id: Mapped[UUID]
    in_hand: Mapped[int]
    quota: Mapped[int]
    population: Mapped[bytes] = mapped_column(deferred=True)
    strata: Mapped[str | None]
    population_hash: Mapped[str]
    vendor_seed: Mapped[str | None]
    positions: Mapped[list[int] | None] = mapped_column(ARRAY(sa.Integer))
    run_id: Mapped[UUID | None]
    request_id: Mapped[UUID | None]


class Review(PrivateRow, Base):
    """The audit's review of one drawn case: stage, notes, marks, verdict.

    `stage` says where an open case is (`portal.audits.reviews.rules.Stage`); `first_by` listened
    first, so somebody else listens second and judges.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("case_id", "cases"),
        one_of("state", ("open", "judged")),
        one_of("stage", ("first", "second", "facts", "judged")),
        sa.CheckConstraint("(state = 'judged') = (stage = 'judged')", name="stage_of_state"),
        sa.CheckConstraint("stage IN ('first', 'judged') OR first_by IS NOT NULL", name="heard"),
        one_of("verdict", Verdict),
        one_of("first_verdict", Verdict),
        sa.UniqueConstraint("tenant_id", "request_id", "case_id"),
        tenant_fk("form_id", "assessment_forms"),
        sa.Index("ix_reviews_state", "state", "opened_at", "id"),
        sa.Index("ix_reviews_stage", "stage", "opened_at", "id"),
        sa.Index("ix_reviews_opened", "opened_at", "id"),
        sa.Index("ix_reviews_tenant_opened", "tenant_id", "opened_at", "id"),
        id_index("reviews"),
    )

    request_id: Mapped[UUID]
    case_id: Mapped[UUID]
    case_no: Mapped[str]
    state: Mapped[str]
    stage: Mapped[str] = mapped_column(default="first")
    first_by: Mapped[UUID | None]
    first_by_name: Mapped[str | None]
    first_verdict: Mapped[str | None]
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
    """日常稽核评估表: reports findings on a vendor's cases.

    `unjudged`: cases of the request that were not judged yet when it was prepared (a form for the
    judged part). Once issued nothing of it changes: a trigger of the database refuses it (A6).
    """

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
    unjudged: Mapped[int]
    state: Mapped[str]
    prepared_at: Mapped[datetime]
    prepared_by: Mapped[UUID]
    prepared_by_name: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    confirmed_by_name: Mapped[str | None]
    return_reason: Mapped[str] = mapped_column(default="")
    document_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class Finding(IssuedRow, Base):
    """A violation found: the clause with its text as in force, who, when, the words said.

    `times`: how often the clause counts (its unit: per occurrence, item and day, person); points
    and deduction are the totals. `repeated`: the same person broke the clause before, so that the
    next level and the multiplied points stand here (A5). `merged_into_id`: a heavier finding on the
    same call, which counts in this one's place (一事不二罚). Once issued nothing changes any more
    but by a `FindingCorrection`, which a trigger of the database asks for.
    """

    __tablename__ = "findings"
    __table_args__ = (
        one_of("state", FindingState),
        tenant_fk("case_id", "cases"),
        tenant_fk("request_id", "material_requests"),
        tenant_fk("delivery_id", "deliveries"),
        tenant_fk("member_id", "members"),
        tenant_fk("form_id", "assessment_forms"),
        tenant_fk("merged_into_id", "findings"),
        sa.Index("ix_findings_review", "tenant_id", "review_id"),
        sa.Index("ix_findings_form", "tenant_id", "form_id"),
        tenant_fk("review_id", "reviews"),
        sa.Index("ix_findings_tenant_occurred", "tenant_id", "occurred_on"),
        sa.Index("ix_findings_tenant_issued", "tenant_id", "issued_at"),
        id_index("findings"),
    )

    review_id: Mapped[UUID]
    request_id: Mapped[UUID]
    case_id: Mapped[UUID]
    case_no: Mapped[str]
    state: Mapped[str]
    clause_no: Mapped[str]
    clause_text: Mapped[str]
    clause_version: Mapped[int]
    level: Mapped[str]
    outcome: Mapped[str]
    times: Mapped[int] = mapped_column(default=1)
    repeated: Mapped[bool] = mapped_column(default=False)
    points: Mapped[Decimal] = mapped_column(sa.Numeric(8, 2))
    deduction: Mapped[Decimal] = mapped_column(sa.Numeric(14, 2))
    member_id: Mapped[UUID | None]
    person_name: Mapped[str]
    staff_no: Mapped[str]
    group_name: Mapped[str]
    leader_name: Mapped[str]
    occurred_on: Mapped[date]
    delivery_id: Mapped[UUID | None]
    clip_from: Mapped[int | None]
    clip_to: Mapped[int | None]
    call_at: Mapped[datetime | None]
    facts: Mapped[str]
    words: Mapped[str] = mapped_column(default="")
    handling: Mapped[str]
    correction: Mapped[str]
    correct_by: Mapped[date | None]
    escalated: Mapped[bool]
    found_by: Mapped[UUID]
    found_by_name: Mapped[str]
    found_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    form_id: Mapped[UUID | None]
    merged_into_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class FindingDecision(PrivateRow, Base):
    """Why a finding is as it is, for the company alone: a repetition taken or refused (A5), or a
    withdrawal, with its reason."""

    __tablename__ = "finding_decisions"
    __table_args__ = (
        tenant_fk("finding_id", "findings", ondelete="CASCADE"),
        one_of("kind", DecisionKind),
        sa.Index("ix_finding_decisions_finding", "tenant_id", "finding_id"),
        id_index("finding_decisions"),
    )

    finding_id: Mapped[UUID]
    kind: Mapped[str]
    reason: Mapped[str]
    decided_at: Mapped[datetime]
    decided_by: Mapped[UUID]
    decided_by_name: Mapped[str]


class CrisisState(StrEnum):
    """reported → handling (危机处理) → closed with a conclusion; or dismissed: no crisis."""

    REPORTED = "reported"
    HANDLING = "handling"
    DISMISSED = "dismissed"
    CLOSED = "closed"


class Escalation(PrivateRow, Base):
    """What went at once to the general manager's office (A5): the crisis record (危机处理) of a
    severe finding. `decision` says why crisis handling began or did not, `lead_name` who leads it,
    `conclusion` how it ended. Its course stands in `CrisisStep`."""

    __tablename__ = "escalations"
    __table_args__ = (
        one_of("state", CrisisState),
        tenant_fk("finding_id", "findings"),
        sa.UniqueConstraint("tenant_id", "finding_id"),
        sa.Index("ix_escalations_raised", "raised_at", "id"),
        id_index("escalations"),
    )

    finding_id: Mapped[UUID]
    reason: Mapped[str]
    raised_at: Mapped[datetime]
    raised_by_name: Mapped[str]
    seen_at: Mapped[datetime | None]
    seen_by_name: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="reported", server_default="reported")
    decided_at: Mapped[datetime | None]
    decided_by_name: Mapped[str | None]
    decision: Mapped[str] = mapped_column(default="", server_default="")
    lead_name: Mapped[str] = mapped_column(default="", server_default="")
    closed_at: Mapped[datetime | None]
    closed_by_name: Mapped[str | None]
    conclusion: Mapped[str] = mapped_column(default="", server_default="")
    version: Mapped[int] = mapped_column(default=1, server_default="1")


class CrisisStep(PrivateRow, Base):
    """A step of crisis handling: a measure with who takes it and by when, whom was informed, or how
    things stand. None is taken away; one that is done does not change."""

    __tablename__ = "crisis_steps"
    __table_args__ = (
        tenant_fk("escalation_id", "escalations"),
        one_of("kind", ("measure", "informed", "note")),
        sa.CheckConstraint("(done_at IS NULL) = (done_by_name IS NULL)", name="done_by_somebody"),
        sa.Index("ix_crisis_steps_escalation", "tenant_id", "escalation_id", "at"),
        id_index("crisis_steps"),
    )
    company_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    escalation_id: Mapped[UUID]
    at: Mapped[datetime]
    kind: Mapped[str]
    text: Mapped[str]
    owner_name: Mapped[str]
    due_on: Mapped[date | None]
    done_at: Mapped[datetime | None]
    done_by_name: Mapped[str | None]
    added_by_name: Mapped[str]


class ClipHearing(PrivateRow, Base):
    """That a finding's clip was sent to the person who is to sign its form, and heard by them. A
    form that was returned and prepared anew is heard anew; `heard_at` is set once (trigger)."""

    __tablename__ = "clip_hearings"
    __table_args__ = (
        tenant_fk("form_id", "assessment_forms"),
        tenant_fk("finding_id", "findings"),
        sa.UniqueConstraint("tenant_id", "form_id", "finding_id", "heard_by"),
    )
    company_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    form_id: Mapped[UUID]
    finding_id: Mapped[UUID]
    sent_at: Mapped[datetime]
    heard_at: Mapped[datetime | None]
    heard_by: Mapped[UUID]
    heard_by_name: Mapped[str]
