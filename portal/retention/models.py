"""Legal holds, warnings, and what was deleted when its time was over (C4.1)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.retention.kinds import DataClass, HoldOn
from tenants.rows import Base, PrivateRow, SharedRow, id_index, one_of


class LegalHold(PrivateRow, Base):
    """Somebody says that nothing of a case, request or notice may be deleted, and why; until
    somebody lifts it, with the reason. Vendors see nothing of holds."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        one_of("subject_type", HoldOn),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lift_reason IS NULL AND lifted_by_name IS NULL)",
            name="lifted_fully",
        ),
        sa.Index(
            "uq_legal_holds_one_open",
            "tenant_id",
            "subject_id",
            unique=True,
            postgresql_where=sa.text("lifted_at IS NULL"),
        ),
        id_index("legal_holds"),
    )

    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    label: Mapped[str]
    reason: Mapped[str]
    placed_at: Mapped[datetime]
    placed_by_name: Mapped[str]
    lifted_at: Mapped[datetime | None]
    lifted_by_name: Mapped[str | None]
    lift_reason: Mapped[str | None]


class RetentionWarning(PrivateRow, Base):
    """The company was warned that something requested or disputed would expire; once each."""

    __tablename__ = "retention_warnings"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "subject_id", "expires_on"),)

    subject_id: Mapped[UUID]
    expires_on: Mapped[date]
    warned_at: Mapped[datetime]


class Deletion(SharedRow, Base):
    """The fact of a deletion: what it was, its hash and size, when its time was over, by whom. A
    vendor reads of its own things that they are gone, as its receipts go on naming them.

    `rule`: what the terms said then (months, and from when they count); empty for what was deleted
    before it was kept. `keys` are the stored bytes that go; `bytes_gone_at` is set when they are
    gone.
    """

    __tablename__ = "retention_deletions"
    __table_args__ = (
        one_of("data_class", DataClass),
        sa.UniqueConstraint("tenant_id", "data_class", "subject_id"),
        sa.Index(
            "ix_retention_deletions_bytes",
            "deleted_at",
            postgresql_where=sa.text("bytes_gone_at IS NULL"),
        ),
        sa.Index("ix_retention_deletions_deleted", "deleted_at", "id"),
        id_index("retention_deletions"),
    )

    data_class: Mapped[str]
    subject_id: Mapped[UUID]
    label: Mapped[str]
    sha256: Mapped[str | None]
    size: Mapped[int] = mapped_column(sa.BigInteger)
    expired_on: Mapped[date]
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sa.text("'{}'"))
    keys: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    run_id: Mapped[UUID]
    deleted_at: Mapped[datetime]
    deleted_by_name: Mapped[str]
    bytes_gone_at: Mapped[datetime | None]
