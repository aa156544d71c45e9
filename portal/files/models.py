"""Stored files: the row that a scope must see before a byte is served."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, IssuedRow, id_index, one_of


class StoredFile(IssuedRow, Base):
    """A file in the store. A vendor sees its own uploads at once, and the company's papers for it
    once issued (`issued_at`).

    Original names may hold personal data (dialler names hold phone numbers): encrypted in
    `name_sealed`; `safe_name` is what is shown and downloaded.
    """

    __tablename__ = "stored_files"
    __table_args__ = (
        one_of("state", ("started", "stored", "deleted")),
        sa.UniqueConstraint("tenant_id", "storage_key"),
        sa.Index("ix_stored_files_sha256", "tenant_id", "sha256"),
        id_index("stored_files"),
    )
    vendor_insert = True
    vendor_update = ("state", "completed_at", "size", "sha256", "media_type", "facts")

    purpose: Mapped[str]
    safe_name: Mapped[str]
    name_sealed: Mapped[bytes]
    media_type: Mapped[str]
    size: Mapped[int] = mapped_column(sa.BigInteger)
    sha256: Mapped[str]
    storage_key: Mapped[str]
    state: Mapped[str]
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    uploaded_by: Mapped[UUID]
    uploaded_by_name: Mapped[str]
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
