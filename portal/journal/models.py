"""The journal: who did what to what, when. Entries are only ever added.

An entry is written by a definer function in the business transaction (no login may INSERT,
UPDATE or DELETE here); a sealer then chains the entries of each tenant and signs the head.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, PrivateRow, id_index


class JournalEntry(PrivateRow, Base):
    """One act. `data` holds no personal data of debtors (design: Journal)."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        sa.Index("ix_journal_entries_at", "at", "id"),
        sa.Index("ix_journal_entries_subject", "subject_type", "subject_id"),
        sa.Index("ix_journal_entries_tenant_at", "tenant_id", "at", "id"),
        id_index("journal_entries"),
    )
    company_grants: ClassVar[str] = "SELECT"

    at: Mapped[datetime]
    account_id: Mapped[UUID]
    actor_name: Mapped[str]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID | None]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


class JournalSeal(PrivateRow, Base):
    """A sealed batch: the chain's hash after the batch, signed. `first`/`last` are positions."""

    __tablename__ = "journal_seals"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "last_position"),)
    company_grants: ClassVar[str] = "SELECT, INSERT"

    sealed_at: Mapped[datetime]
    first_position: Mapped[int]
    last_position: Mapped[int]
    head: Mapped[bytes]
    signature: Mapped[bytes]


class JournalLink(PrivateRow, Base):
    """An entry's place in its tenant's chain. `id` is the entry's id."""

    __tablename__ = "journal_links"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "position"),)
    company_grants: ClassVar[str] = "SELECT, INSERT"

    position: Mapped[int]
    hash: Mapped[bytes]
