"""Monthly scores (考核): computed from recorded facts, snapshotted with them, issued (C2.4)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, IssuedRow, id_index, one_of, tenant_fk

POINTS = sa.Numeric(8, 2)


class ScoreState(StrEnum):
    """computed (may be computed anew) → issued (snapshot closed, vendor sees it)."""

    COMPUTED = "computed"
    ISSUED = "issued"


class Score(IssuedRow, Base):
    """A vendor's score of a month with the facts it was computed from."""

    __tablename__ = "scores"
    __table_args__ = (
        one_of("state", ScoreState),
        tenant_fk("document_id", "documents"),
        sa.UniqueConstraint("tenant_id", "period"),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.Index("ix_scores_period", "period", "id"),
        id_index("scores"),
    )

    number: Mapped[str | None]
    period: Mapped[str]
    state: Mapped[str]
    scheme_version: Mapped[int]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    result: Mapped[dict[str, Any]] = mapped_column(JSONB)
    total: Mapped[Decimal | None] = mapped_column(POINTS)
    grade: Mapped[str | None]
    factor: Mapped[Decimal] = mapped_column(sa.Numeric(6, 4))
    computed_at: Mapped[datetime]
    computed_by_name: Mapped[str]
    issued_by_name: Mapped[str | None]
    document_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class ScoreLine(IssuedRow, Base):
    """Points lost, and the fact that cost them (UX 15). `reason` is a message id with params."""

    __tablename__ = "score_lines"
    __table_args__ = (
        tenant_fk("score_id", "scores", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "score_id", "position"),
    )

    score_id: Mapped[UUID]
    position: Mapped[int]
    dimension: Mapped[str]
    indicator: Mapped[str]
    points_lost: Mapped[Decimal] = mapped_column(POINTS)
    reason: Mapped[dict[str, Any]] = mapped_column(JSONB)
    subject_type: Mapped[str | None]
    subject_id: Mapped[UUID | None]
