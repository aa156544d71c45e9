"""Appeals of findings with their evidence, and what an upheld one changed (A5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.audits.appeals.rules import AppealState
from tenants.rows import Base, IssuedRow, TenantRow, id_index, one_of, tenant_fk


class Appeal(TenantRow, Base):
    """The vendor disputes a finding (申诉): once before the audit department, then once before the
    general department (`instance` 2).

    `window_until`: the end of the window it was raised in, None while that had not begun. `due_at`:
    by when it is decided; the clock is opened, and the company's people are told (`told_at`), by
    the sweep, which a vendor's scope could not. `disputed`: which points of the finding (`Point`).
    `referred_at`: handed to the general department, because nobody is left in the audit department
    who had no part in the finding. A trigger lets none begin decided, and none that is decided
    change.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        tenant_fk("finding_id", "findings"),
        tenant_fk("form_id", "assessment_forms"),
        one_of("state", AppealState),
        sa.CheckConstraint("instance IN (1, 2)", name="instance_known"),
        sa.CheckConstraint(
            "disputed <@ ARRAY['facts', 'clause', 'severity'] AND cardinality(disputed) > 0",
            name="disputed_known",
        ),
        sa.CheckConstraint(
            "(referred_at IS NULL) = (referred_by_name IS NULL)", name="referred_by_somebody"
        ),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL AND decided_by IS NULL)", name="decided_fully"
        ),
        sa.UniqueConstraint("tenant_id", "finding_id", "instance"),
        sa.Index("ix_appeals_raised", "raised_at", "id"),
        sa.Index("ix_appeals_tenant_raised", "tenant_id", "raised_at", "id"),
        sa.Index("ix_appeals_untold", "raised_at", postgresql_where=sa.text("told_at IS NULL")),
        id_index("appeals"),
    )
    vendor_insert = True

    finding_id: Mapped[UUID]
    form_id: Mapped[UUID]
    instance: Mapped[int]
    state: Mapped[str]
    disputed: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    reason: Mapped[str]
    window_until: Mapped[datetime | None]
    raised_at: Mapped[datetime]
    raised_by: Mapped[UUID]
    raised_by_name: Mapped[str]
    told_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    referred_at: Mapped[datetime | None]
    referred_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None]
    decision: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


class AppealEvidence(TenantRow, Base):
    """A file that supports an appeal."""

    __tablename__ = "appeal_evidence"
    __table_args__ = (
        tenant_fk("appeal_id", "appeals"),
        tenant_fk("file_id", "stored_files"),
        sa.UniqueConstraint("tenant_id", "appeal_id", "file_id"),
        id_index("appeal_evidence"),
    )
    vendor_insert = True
    company_grants: ClassVar[str] = "SELECT"

    appeal_id: Mapped[UUID]
    file_id: Mapped[UUID]
    added_at: Mapped[datetime]


class FindingCorrection(IssuedRow, Base):
    """What an upheld appeal changed of a finding that was issued, or of another that hung on it: a
    repetition that is none any more, a lighter one on the same call that counts now.

    Without the row for `to_version` a trigger refuses the change. None changes, none is taken away.
    """

    __tablename__ = "finding_corrections"
    __table_args__ = (
        tenant_fk("finding_id", "findings"),
        tenant_fk("appeal_id", "appeals"),
        sa.UniqueConstraint("tenant_id", "finding_id", "to_version"),
        id_index("finding_corrections"),
    )
    company_grants: ClassVar[str] = "SELECT, INSERT"

    finding_id: Mapped[UUID]
    appeal_id: Mapped[UUID]
    to_version: Mapped[int]
    before: Mapped[dict[str, Any]] = mapped_column(JSONB)
    after: Mapped[dict[str, Any]] = mapped_column(JSONB)
