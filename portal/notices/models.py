"""Papers: frozen content, number, PDF and its revisions, the way of each paper, and the seals."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.notices.rules import LANGUAGES, Choice, StepKind, UseState
from tenants.rows import (
    Base,
    CompanyRow,
    IssuedRow,
    PrivateRow,
    SharedRow,
    id_index,
    one_of,
    tenant_fk,
)

MADE = ("file_id", "sha256", "pages", "rendered_at", "signed_at", "signed_by", "stamped")
"""What a document gets once, when its PDF is made."""


class Document(IssuedRow, Base):
    """An issued paper. The content is frozen with the number; the PDF is made from it by a job.

    Nothing of a document changes after issue but `file_id`/`sha256` and the rest of `MADE`, set
    once when rendered and signed (a trigger of the database refuses anything else). `file_id` is
    the first revision; what acknowledgements add are `DocumentRevision`s.
    """

    __tablename__ = "documents"
    __table_args__ = (
        tenant_fk("file_id", "stored_files"),
        tenant_fk("supersedes_id", "documents"),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.UniqueConstraint("tenant_id", "supersedes_id"),
        sa.UniqueConstraint("verify_code"),
        sa.Index("ix_documents_subject", "tenant_id", "subject_id"),
        sa.Index("ix_documents_issued", "tenant_id", "issued_at", "id"),
        id_index("documents"),
    )
    vendor_insert = True
    vendor_update = MADE
    company_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    template: Mapped[str]
    number: Mapped[str]
    title: Mapped[str]
    locale: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    cards_sealed: Mapped[bytes | None] = mapped_column(deferred=True)
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    verify_code: Mapped[str]
    issued_by_name: Mapped[str]
    file_id: Mapped[UUID | None]
    sha256: Mapped[str | None]
    pages: Mapped[int | None]
    rendered_at: Mapped[datetime | None]
    supersedes_id: Mapped[UUID | None]
    seal_wanted: Mapped[bool] = mapped_column(default=False)
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    stamped: Mapped[bool | None]


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


class DocumentRevision(IssuedRow, Base):
    """A state of a paper's file: 1 as issued, each further one with an acknowledgement's seal
    appended. Nothing of it changes, none is taken away."""

    __tablename__ = "document_revisions"
    __table_args__ = (
        tenant_fk("document_id", "documents"),
        tenant_fk("file_id", "stored_files"),
        sa.UniqueConstraint("tenant_id", "document_id", "revision"),
    )
    vendor_insert = True
    company_grants: ClassVar[str] = "SELECT, INSERT"

    document_id: Mapped[UUID]
    revision: Mapped[int]
    file_id: Mapped[UUID]
    sha256: Mapped[str]
    signatures: Mapped[int]
    made_at: Mapped[datetime]


class DocumentStep(IssuedRow, Base):
    """A moment on a paper's way: mailed, opened, escalated, served. `name` says to or by whom,
    `note` on what ground. None is changed or taken away."""

    __tablename__ = "document_steps"
    __table_args__ = (
        tenant_fk("document_id", "documents"),
        one_of("kind", StepKind),
        sa.Index("ix_document_steps_document", "tenant_id", "document_id", "at"),
    )
    vendor_insert = True
    company_grants: ClassVar[str] = "SELECT, INSERT"

    document_id: Mapped[UUID]
    kind: Mapped[str]
    at: Mapped[datetime]
    name: Mapped[str]
    note: Mapped[str]
    account_id: Mapped[UUID | None]


class Acknowledgement(IssuedRow, Base):
    """签收: a person of the vendor says that the paper was received, with or without an appeal.

    `revision` is the file's revision that bears it, set once when it is sealed in.
    """

    __tablename__ = "acknowledgements"
    __table_args__ = (
        tenant_fk("document_id", "documents"),
        one_of("choice", Choice),
        sa.UniqueConstraint("tenant_id", "document_id", "account_id"),
    )
    vendor_insert = True
    vendor_update = ("revision",)
    company_grants: ClassVar[str] = "SELECT"

    document_id: Mapped[UUID]
    account_id: Mapped[UUID]
    name: Mapped[str]
    part: Mapped[str]
    choice: Mapped[str]
    note: Mapped[str]
    acknowledged_at: Mapped[datetime]
    revision: Mapped[int | None]


class DocumentScan(IssuedRow, Base):
    """A scan of the stamped print, beside the original (a vendor without a certificate)."""

    __tablename__ = "document_scans"
    __table_args__ = (
        tenant_fk("document_id", "documents"),
        tenant_fk("file_id", "stored_files"),
        sa.Index("ix_document_scans_document", "tenant_id", "document_id"),
        id_index("document_scans"),
    )
    vendor_insert = True
    company_grants: ClassVar[str] = "SELECT"

    document_id: Mapped[UUID]
    file_id: Mapped[UUID]
    sha256: Mapped[str]
    size: Mapped[int]
    note: Mapped[str]
    added_by_name: Mapped[str]
    added_at: Mapped[datetime]


class DocumentSeal(IssuedRow, Base):
    """用印 granted: the picture that is drawn on a paper, who asked for it and who granted it.

    `content_sha256` is the hash of the frozen content that was asked and granted for.
    """

    __tablename__ = "document_seals"
    __table_args__ = (
        tenant_fk("document_id", "documents"),
        sa.UniqueConstraint("tenant_id", "document_id"),
    )
    company_grants: ClassVar[str] = "SELECT, INSERT"

    document_id: Mapped[UUID]
    seal_name: Mapped[str]
    seal_version: Mapped[int]
    content_sha256: Mapped[str]
    asked_by_name: Mapped[str]
    asked_at: Mapped[datetime]
    granted_by_name: Mapped[str]
    granted_at: Mapped[datetime]
    picture: Mapped[bytes]


class SealUse(PrivateRow, Base):
    """用印: a seal asked for a paper, and what was decided by somebody else."""

    __tablename__ = "seal_uses"
    __table_args__ = (
        tenant_fk("document_id", "documents"),
        one_of("state", UseState),
        sa.UniqueConstraint("tenant_id", "document_id"),
        sa.Index("ix_seal_uses_state", "state", "asked_at"),
        id_index("seal_uses"),
    )
    company_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    document_id: Mapped[UUID]
    seal_id: Mapped[UUID]
    content_sha256: Mapped[str]
    asked_by: Mapped[UUID]
    asked_by_name: Mapped[str]
    asked_at: Mapped[datetime]
    state: Mapped[str]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    note: Mapped[str]


class Seal(CompanyRow, Base):
    """A seal of the company (公章, 合同专用章); its picture has versions."""

    __tablename__ = "seals"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "name"),)
    company_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    name: Mapped[str]
    retired_at: Mapped[datetime | None]


class SealVersion(CompanyRow, Base):
    """A picture of a seal, as it was checked and drawn anew when it was uploaded."""

    __tablename__ = "seal_versions"
    __table_args__ = (
        tenant_fk("seal_id", "seals"),
        sa.UniqueConstraint("tenant_id", "seal_id", "version"),
    )
    company_grants: ClassVar[str] = "SELECT, INSERT"

    seal_id: Mapped[UUID]
    version: Mapped[int]
    picture: Mapped[bytes]
    sha256: Mapped[str]
    added_by_name: Mapped[str]
    added_at: Mapped[datetime]


class SealRule(CompanyRow, Base):
    """Which kind of paper bears which seal: it waits for 用印 before its PDF is made."""

    __tablename__ = "seal_rules"
    __table_args__ = (
        tenant_fk("seal_id", "seals"),
        sa.UniqueConstraint("tenant_id", "template"),
    )

    template: Mapped[str]
    seal_id: Mapped[UUID]


class PaperLanguage(SharedRow, Base):
    """The language in which a vendor gets its papers; Simplified Chinese without a row."""

    __tablename__ = "paper_languages"
    __table_args__ = (
        one_of("locale", LANGUAGES),
        sa.UniqueConstraint("tenant_id"),
    )

    locale: Mapped[str]


class NumberSeries(PrivateRow, Base):
    """The next number of a kind, per vendor and Beijing year (ZG-HC-2026-0012)."""

    __tablename__ = "number_series"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "kind", "year"),)

    kind: Mapped[str]
    year: Mapped[int]
    last: Mapped[int]
