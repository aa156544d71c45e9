"""Reads of papers for lists and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.notices.models import (
    Document,
    DocumentRecipient,
    DocumentRevision,
    DocumentSeal,
)
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A paper in a list."""

    id: UUID
    tenant_id: UUID
    vendor: str
    number: str
    title: str
    template: str
    issued_at: datetime
    ready: bool
    sha256: str


def list_documents(
    session: Session,
    *,
    template: str | None = None,
    vendor_id: UUID | None = None,
    search: str = "",
    cursor: str | None = None,
) -> Page[DocumentRow]:
    """Issued papers, newest first, by kind, vendor and beginning of the number."""
    statement = (
        sa.select(
            Document.id,
            Document.tenant_id,
            Document.number,
            Document.title,
            Document.template,
            Document.issued_at.label("sort_key"),
            Document.file_id,
            Document.sha256,
            Tenant.short_name,
        )
        .join(Tenant, Tenant.id == Document.tenant_id)
        .where(Document.issued_at.is_not(None))
    )
    if template:
        statement = statement.where(Document.template == template)
    if vendor_id:
        statement = statement.where(Document.tenant_id == vendor_id)
    if search:
        statement = statement.where(Document.number.startswith(search.upper(), autoescape=True))
    page = paginate(session, statement, Sort(Document.issued_at, Document.id, True), cursor)
    return page.map(
        lambda row: DocumentRow(
            row.id,
            row.tenant_id,
            row.short_name,
            row.number,
            row.title,
            row.template,
            row.sort_key,
            row.file_id is not None,
            row.sha256 or "",
        )
    )


def get_document(session: Session, document_id: UUID) -> Document:
    """An issued paper that this scope sees; raises `NotFound`."""
    row = session.scalars(sa.select(Document).where(Document.id == document_id)).first()
    if row is None:
        raise NotFound("document")
    return row


def documents_of(session: Session, subject_id: UUID) -> list[Document]:
    """The papers about a subject, oldest first."""
    return list(
        session.scalars(
            sa.select(Document).where(Document.subject_id == subject_id).order_by(Document.id)
        )
    )


def recipients_of(session: Session, document_id: UUID) -> list[DocumentRecipient]:
    """Who a paper went to, and when each first opened it."""
    return list(
        session.scalars(
            sa.select(DocumentRecipient)
            .where(DocumentRecipient.document_id == document_id)
            .order_by(DocumentRecipient.id)
        )
    )


def find_document(session: Session, document_id: UUID | None) -> Document | None:
    """A paper that this scope sees, if it is named and there."""
    if document_id is None:
        return None
    return session.scalars(sa.select(Document).where(Document.id == document_id)).first()


def revisions_of(session: Session, document_id: UUID) -> list[DocumentRevision]:
    """The states of a paper's file, as issued first."""
    return list(
        session.scalars(
            sa.select(DocumentRevision)
            .where(DocumentRevision.document_id == document_id)
            .order_by(DocumentRevision.revision)
        )
    )


def get_revision(session: Session, document_id: UUID, number: int | None) -> DocumentRevision:
    """A state of a paper's file, the newest when none is named; raises `NotFound`."""
    rows = revisions_of(session, document_id)
    if number is not None:
        rows = [row for row in rows if row.revision == number]
    if not rows:
        raise NotFound("revision")
    return rows[-1]


def seal_of(session: Session, document_id: UUID) -> DocumentSeal | None:
    """The seal that was granted for a paper."""
    return session.scalars(
        sa.select(DocumentSeal).where(DocumentSeal.document_id == document_id)
    ).first()
