"""Who listened to a case and thought what, and the vendor's check of the facts (A3, A5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.audits.models import Verdict
from portal.audits.reviews.rules import CheckState, ListeningKind
from tenants.rows import Base, IssuedRow, PrivateRow, id_index, one_of, tenant_fk


class Listening(PrivateRow, Base):
    """One auditor's listening of a case with the verdict that it led to.

    An opinion (calibration) is `asked_at` when the case is drawn for it, then taken by an auditor,
    and given `at`; until then nobody who may give it sees the others' work (`blind`). `recused`:
    who looked none the less. `lapsed_at`: the case was reported before the opinion was given.
    `clause_no`: the heaviest clause that the opinion sees broken.
    """

    __tablename__ = "review_listenings"
    __table_args__ = (
        tenant_fk("review_id", "reviews", ondelete="CASCADE"),
        one_of("kind", ListeningKind),
        one_of("verdict", Verdict),
        sa.CheckConstraint("(at IS NULL) = (verdict IS NULL)", name="given_with_verdict"),
        sa.CheckConstraint("at IS NULL OR by IS NOT NULL", name="given_by_somebody"),
        sa.CheckConstraint("kind = 'opinion' OR at IS NOT NULL", name="only_opinions_wait"),
        sa.CheckConstraint("at IS NULL OR lapsed_at IS NULL", name="given_or_lapsed"),
        sa.Index(
            "ix_review_listenings_open",
            "asked_at",
            "id",
            postgresql_where=sa.text("kind = 'opinion' AND at IS NULL AND lapsed_at IS NULL"),
        ),
        sa.Index("ix_review_listenings_review", "tenant_id", "review_id"),
        sa.Index("ix_review_listenings_kind", "kind", "asked_at", "id"),
        sa.Index(
            "uq_review_listenings_one_opinion",
            "tenant_id",
            "review_id",
            unique=True,
            postgresql_where=sa.text("kind = 'opinion'"),
        ),
        id_index("review_listenings"),
    )

    review_id: Mapped[UUID]
    kind: Mapped[str]
    verdict: Mapped[str | None]
    clause_no: Mapped[str] = mapped_column(default="")
    remark: Mapped[str] = mapped_column(default="")
    asked_at: Mapped[datetime]
    by: Mapped[UUID | None]
    by_name: Mapped[str | None]
    at: Mapped[datetime | None]
    lapsed_at: Mapped[datetime | None]
    recused: Mapped[list[UUID]] = mapped_column(
        ARRAY(sa.Uuid), default=list, server_default=sa.text("'{}'")
    )
    version: Mapped[int] = mapped_column(default=1)


class FactCheck(IssuedRow, Base):
    """What a vendor is asked about a case before it is judged, and what it says.

    `facts` holds what is meant for it, frozen: clause, day, person, passage, facts, words; no
    level, points or notes. A trigger keeps it, and the answer once it is given. `replaces_id`: the
    check of the same case that was asked before. `recalled_at`: taken back, for a reason that the
    vendor reads.
    """

    __tablename__ = "fact_checks"
    __table_args__ = (
        tenant_fk("review_id", "reviews"),
        tenant_fk("request_id", "material_requests"),
        tenant_fk("case_id", "cases"),
        tenant_fk("replaces_id", "fact_checks"),
        one_of("state", CheckState),
        sa.CheckConstraint(
            "(state = 'recalled') = (recalled_at IS NOT NULL)", name="recalled_at_a_time"
        ),
        sa.CheckConstraint(
            "(state = 'answered') = (answered_at IS NOT NULL AND agreed IS NOT NULL)",
            name="answered_fully",
        ),
        sa.Index("ix_fact_checks_review", "tenant_id", "review_id"),
        sa.Index("ix_fact_checks_tenant_issued", "tenant_id", "issued_at", "id"),
        sa.Index(
            "ix_fact_checks_untold",
            "answered_at",
            postgresql_where=sa.text("state = 'answered' AND told_at IS NULL"),
        ),
        id_index("fact_checks"),
    )
    vendor_update = (
        "state",
        "agreed",
        "answer",
        "answered_at",
        "answered_by",
        "answered_by_name",
        "version",
    )

    review_id: Mapped[UUID]
    request_id: Mapped[UUID]
    case_id: Mapped[UUID]
    case_no: Mapped[str]
    facts: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    question: Mapped[str] = mapped_column(default="")
    state: Mapped[str]
    due_at: Mapped[datetime]
    asked_by: Mapped[UUID]
    asked_by_name: Mapped[str]
    agreed: Mapped[bool | None]
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None]
    answered_by_name: Mapped[str | None]
    told_at: Mapped[datetime | None]
    replaces_id: Mapped[UUID | None]
    recalled_at: Mapped[datetime | None]
    recall_reason: Mapped[str] = mapped_column(default="", server_default="")
    version: Mapped[int] = mapped_column(default=1)
