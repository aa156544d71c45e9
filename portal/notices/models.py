"""Papers: frozen content, its number, its PDF and who was given it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, IssuedRow, PrivateRow, id_index, tenant_fk


class Document(IssuedRow, Base):
    """An issued paper. The content is frozen with the number; the PDF is made from it by a job.

    Nothing of a document changes after issue but `file_id`/`sha256`, set once when rendered
    (a trigger of the database refuses anything else).
    """

    __tablename__ = "documents"
    __table_args__ = (
        tenant_fk("file_id", "stored_files"),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.UniqueConstraint("verify_code"),
        sa.Index("ix_documents_subject", "tenant_id", "subject_id"),
        sa.Index("ix_documents_issued", "tenant_id", "issued_at", "id"),
        id_index("documents"),
    )
    vendor_insert = True
    vendor_update = ("file_id", "sha256", "pages", "rendered_at")
    company_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    template: Mapped[str]
    number: Mapped[str]
    title: Mapped[str]
    locale: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    verify_code: Mapped[str]
    issued_by_name: Mapped[str]
    file_id: Mapped[UUID | None]
    sha256: Mapped[str | None]
    pages: Mapped[int | None]
    rendered_at: Mapped[datetime | None]


class DocumentRecipient(IssuedRow, Base):
    """Somebody whom a paper is addressed to, and when it was first opened."""

    __tablename__ = "document_recipients"
    __table_args__ = (
        tenant_fk("document_id", "documents"),
        sa.Index("ix_document_recipients_document", "tenant_id", "document_id"),
    )
    vendor_insert = True
    vendor_update = ("opened_at",)

    document_id: Mapped[UUID]
    part: Mapped[str]
    name: Mapped[str]
    account_id: Mapped[UUID | None]
    opened_at: Mapped[datetime | None]


class NumberSeries(PrivateRow, Base):
    """The next number of a kind, per vendor and Beijing year (ZG-HC-2026-0012)."""

    __tablename__ = "number_series"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "kind", "year"),)

    kind: Mapped[str]
    year: Mapped[int]
    last: Mapped[int]
