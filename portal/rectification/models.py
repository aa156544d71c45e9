"""Rectification notices (整改通知), the vendor's answers and the company's decisions (C2.4)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.rectification.kinds import SOURCES, OpinionState, Recheck, RectificationState
from tenants.rows import Base, IssuedRow, PrivateRow, TenantRow, id_index, one_of, tenant_fk


class Rectification(IssuedRow, Base):
    """A notice that orders a vendor to correct something by a date; tracked until accepted.

    `working_days` is the deadline counted from the day of issue; `due_at` moves with each return
    and extension. `recheck_on`: the day from which the company owes the effectiveness re-check of
    an accepted notice, until its clock is opened. `follows_id`: the forerunner whose correction a
    re-check found not effective.
    Once issued, a trigger of the database refuses every change but that of its state.
    """

    __tablename__ = "rectifications"
    __table_args__ = (
        one_of("state", RectificationState),
        one_of("source", SOURCES),
        tenant_fk("document_id", "documents"),
        tenant_fk("form_id", "assessment_forms"),
        tenant_fk("follows_id", "rectifications"),
        tenant_fk("opinion_id", "rectification_opinions"),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.Index(
            "ix_rectifications_recheck",
            "recheck_on",
            postgresql_where=sa.text("recheck_on IS NOT NULL"),
        ),
        sa.Index("ix_rectifications_created", "created_at", "id"),
        sa.Index("ix_rectifications_tenant_created", "tenant_id", "created_at", "id"),
        # A vendor may write `state` but not `closed_at`: it cannot close a notice.
        sa.CheckConstraint(
            "(state IN ('accepted', 'cancelled')) = (closed_at IS NOT NULL)", name="closed_is_dated"
        ),
        sa.CheckConstraint("working_days BETWEEN 1 AND 60", name="working_days_sane"),
        id_index("rectifications"),
    )
    vendor_update = ("state", "version")

    number: Mapped[str | None]
    source: Mapped[str]
    source_reference: Mapped[str] = mapped_column(default="", server_default="")
    opinion_id: Mapped[UUID | None]
    form_id: Mapped[UUID | None]
    level: Mapped[str]
    title: Mapped[str]
    facts: Mapped[str]
    grounds: Mapped[str]
    consequence: Mapped[str]
    working_days: Mapped[int]
    state: Mapped[str]
    round: Mapped[int] = mapped_column(default=1)
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID]
    created_by_name: Mapped[str]
    issued_by: Mapped[UUID | None]
    issued_by_name: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    closed_by_name: Mapped[str | None]
    close_reason: Mapped[str | None]
    document_id: Mapped[UUID | None]
    recheck_on: Mapped[date | None]
    follows_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class Opinion(PrivateRow, Base):
    """A rectification opinion (整改意见) of the audit department (A10), for the company alone: a
    vendor manager makes a notice of it (`turned`), or declines it with a reason."""

    __tablename__ = "rectification_opinions"
    __table_args__ = (
        one_of("state", OpinionState),
        tenant_fk("form_id", "assessment_forms"),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.CheckConstraint("(state = 'given') = (answered_at IS NULL)", name="answered_is_dated"),
        sa.Index("ix_rectification_opinions_given", "given_at", "id"),
        id_index("rectification_opinions"),
    )

    number: Mapped[str]
    form_id: Mapped[UUID | None]
    state: Mapped[str]
    level: Mapped[str]
    title: Mapped[str]
    facts: Mapped[str]
    grounds: Mapped[str]
    demands: Mapped[str]
    given_at: Mapped[datetime]
    given_by: Mapped[UUID]
    given_by_name: Mapped[str]
    answered_at: Mapped[datetime | None]
    answered_by_name: Mapped[str | None]
    answer: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)


class Demand(IssuedRow, Base):
    """One demand of a notice; they are answered one by one."""

    __tablename__ = "rectification_demands"
    __table_args__ = (
        tenant_fk("rectification_id", "rectifications"),
        tenant_fk("finding_id", "findings"),
        sa.UniqueConstraint("tenant_id", "rectification_id", "position"),
    )

    rectification_id: Mapped[UUID]
    finding_id: Mapped[UUID | None]
    position: Mapped[int]
    text: Mapped[str]


class Answer(TenantRow, Base):
    """The vendor's answer of a round: cause, correction, prevention (整改报告). A draft is kept
    while it is written. `told_at`: when the company's people were told of what was submitted."""

    __tablename__ = "rectification_answers"
    __table_args__ = (
        tenant_fk("rectification_id", "rectifications"),
        one_of("state", ("draft", "submitted")),
        sa.UniqueConstraint("tenant_id", "rectification_id", "round"),
        sa.Index(
            "ix_rectification_answers_untold",
            "submitted_at",
            postgresql_where=sa.text("state = 'submitted' AND told_at IS NULL"),
        ),
        id_index("rectification_answers"),
    )
    vendor_insert = True
    vendor_update = (
        "cause",
        "correction",
        "prevention",
        "person_treatment",
        "done_on",
        "state",
        "submitted_at",
        "in_time",
        "by_name",
        "saved_at",
        "version",
    )

    rectification_id: Mapped[UUID]
    round: Mapped[int]
    cause: Mapped[str]
    correction: Mapped[str]
    prevention: Mapped[str]
    person_treatment: Mapped[str]
    done_on: Mapped[date | None]
    state: Mapped[str]
    saved_at: Mapped[datetime]
    submitted_at: Mapped[datetime | None]
    in_time: Mapped[bool | None]
    by_name: Mapped[str]
    told_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class Evidence(TenantRow, Base):
    """A file that proves a correction."""

    __tablename__ = "rectification_evidence"
    __table_args__ = (
        tenant_fk("answer_id", "rectification_answers"),
        tenant_fk("file_id", "stored_files"),
        sa.UniqueConstraint("tenant_id", "answer_id", "file_id"),
        id_index("rectification_evidence"),
    )
    vendor_insert = True
    vendor_delete = True

    answer_id: Mapped[UUID]
    file_id: Mapped[UUID]
    added_at: Mapped[datetime]


class Decision(IssuedRow, Base):
    """The company's decision on an answer: accepted, or returned with a reason and a new date; and
    an accepted one that was reopened later, with its reason and date."""

    __tablename__ = "rectification_decisions"
    __table_args__ = (
        tenant_fk("rectification_id", "rectifications"),
        one_of("verdict", ("accepted", "returned", "reopened")),
        sa.UniqueConstraint("tenant_id", "rectification_id", "round", "verdict"),
        sa.Index(
            "uq_rectification_decisions_one_answer",
            "tenant_id",
            "rectification_id",
            "round",
            unique=True,
            postgresql_where=sa.text("verdict <> 'reopened'"),
        ),
    )

    rectification_id: Mapped[UUID]
    round: Mapped[int]
    verdict: Mapped[str]
    reason: Mapped[str]
    new_due_at: Mapped[datetime | None]
    by_name: Mapped[str]


class Milestone(TenantRow, Base):
    """A step of the correction that the vendor plans for a day, and when it was done (里程碑). Both
    sides see it. A trigger of the database lets a step that is done neither change nor go."""

    __tablename__ = "rectification_milestones"
    __table_args__ = (
        tenant_fk("rectification_id", "rectifications"),
        sa.CheckConstraint("(done_at IS NULL) = (done_by_name IS NULL)", name="done_by_somebody"),
        sa.Index(
            "ix_rectification_milestones_notice", "tenant_id", "rectification_id", "planned_on"
        ),
        id_index("rectification_milestones"),
    )
    vendor_insert = True
    vendor_update = ("done_at", "done_by_name")
    vendor_delete = True

    rectification_id: Mapped[UUID]
    text: Mapped[str]
    planned_on: Mapped[date]
    added_at: Mapped[datetime]
    added_by_name: Mapped[str]
    done_at: Mapped[datetime | None]
    done_by_name: Mapped[str | None]


class RecheckResult(IssuedRow, Base):
    """The result of an effectiveness re-check (复查结论) with its reason, and what followed."""

    __tablename__ = "rectification_rechecks"
    __table_args__ = (
        tenant_fk("rectification_id", "rectifications"),
        one_of("result", Recheck),
        sa.UniqueConstraint("tenant_id", "rectification_id", "round"),
    )

    rectification_id: Mapped[UUID]
    round: Mapped[int]
    result: Mapped[str]
    reason: Mapped[str]
    by_name: Mapped[str]


class Repetition(PrivateRow, Base):
    """What the issuer decided about a repetition (屡犯), for the company alone: the next grade
    taken, or refused with a reason."""

    __tablename__ = "rectification_repetitions"
    __table_args__ = (
        tenant_fk("rectification_id", "rectifications"),
        sa.CheckConstraint("taken OR reason <> ''", name="refused_with_reason"),
        sa.UniqueConstraint("tenant_id", "rectification_id"),
    )

    rectification_id: Mapped[UUID]
    taken: Mapped[bool]
    reason: Mapped[str]
    from_level: Mapped[str]
    to_level: Mapped[str]
    decided_at: Mapped[datetime]
    decided_by: Mapped[UUID]
    decided_by_name: Mapped[str]
