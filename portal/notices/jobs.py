"""Make a paper's PDF, sign it, and seal acknowledgements into it, in the scope of its vendor.

A paper is issued once: rendering, signature and storing end in one commit. A worker that dies on
the way leaves nothing but bytes without a row; the next one makes the paper anew.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.service import get_file, keep, storage
from portal.jobs.registry import Job, task
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.notices.cards import open_for_print
from portal.notices.models import (
    Acknowledgement,
    Document,
    DocumentRevision,
    DocumentSeal,
)
from portal.notices.render import Edition, render
from portal.notices.rules import Choice
from portal.notices.signing.desk import Desk, desk
from portal.notices.signing.fields import ISSUER, RECEIPTS
from portal.notices.signing.pades import Statement
from portal.notices.snapshots import KINDS

WORDS = {Choice.NO_OBJECTION: "签收无异议", Choice.APPEAL: "签收并申诉"}
"""What an acknowledgement's signature states; the paper's own language is Chinese."""


@task("notices.render", vendor_may=True)
def render_document(job: Job, *, document_id: str, seal_decided: bool = False) -> dict[str, Any]:
    """Make and sign the PDF of a document, once: a repeated job finds the file and stops.

    A paper that waits for a seal is made when that is decided (`seal_decided`), with the seal if
    its use was granted.
    """
    document = _locked(job.session, UUID(document_id))
    picture = _seal(job.session, document)
    if document.file_id is None and (seal_decided or picture or not document.seal_wanted):
        _make(job, document, picture or b"", desk())
    return {"document_id": document_id, "file_id": str(document.file_id)}


def _make(job: Job, document: Document, seal: bytes, at_desk: Desk) -> None:
    edition = Edition(at_desk.signer_name, seal, open_for_print(job.session, document))
    made = render(document.template, document.content, document.locale, edition)
    signed_at = clock.now()
    issuer = document.content.get("issuer", {}).get("name", "")
    reason = f"签发 {document.number}"
    pdf = at_desk.sign(made.pdf, ISSUER, Statement(reason, issuer, signed_at), certify=True)
    row = _store(job, document, pdf)
    document.file_id, document.sha256 = row.file_id, row.sha256
    document.pages, document.rendered_at = made.pages, signed_at
    if at_desk.identity is not None:
        document.signed_at, document.signed_by = signed_at, at_desk.signer_name
        document.stamped = at_desk.stamper is not None


@task("notices.seal_receipt", vendor_may=True)
def seal_receipt(job: Job, *, document_id: str) -> dict[str, Any]:
    """Seal the acknowledgements that no revision bears yet into the paper, each as a signature
    of the company's certificate that names who and when. What was there stays, byte for byte."""
    document = _locked(job.session, UUID(document_id))
    last = latest_revision(job.session, document)
    if last is None:
        return {"document_id": document_id, "revision": None}
    sealed = last.revision - 1
    pdf = _bytes(job.session, last)
    at_desk = desk()
    for row in _unsealed(job.session, document):
        if at_desk.identity is None or sealed >= len(RECEIPTS):
            break
        pdf = at_desk.sign(pdf, RECEIPTS[sealed], _statement(row, document))
        row.revision = _store(job, document, pdf).revision
        sealed += 1
    job.session.flush()
    return {"document_id": document_id, "revision": sealed + 1}


def _statement(row: Acknowledgement, document: Document) -> Statement:
    """Who acknowledged, in what part, how and when, as the signature states it."""
    at = clock.beijing(row.acknowledged_at)
    who = " ".join(part for part in (row.part, row.name) if part)
    reason = f"{WORDS[Choice(row.choice)]} {document.number} {who} {at:%Y-%m-%d %H:%M:%S}"
    vendor = document.content.get("vendor", {}).get("name", "")
    return Statement(reason, vendor, clock.now())


def _locked(session: Session, document_id: UUID) -> Document:
    document = session.scalars(
        sa.select(Document).where(Document.id == document_id).with_for_update()
    ).first()
    if document is None or document.template not in KINDS:
        raise NotFound("document")
    return document


def _seal(session: Session, document: Document) -> bytes | None:
    return session.scalar(
        sa.select(DocumentSeal.picture).where(
            DocumentSeal.tenant_id == document.tenant_id, DocumentSeal.document_id == document.id
        )
    )


def latest_revision(session: Session, document: Document) -> DocumentRevision | None:
    """The newest revision of the paper's file; None while it is being made."""
    return session.scalars(
        sa.select(DocumentRevision)
        .where(
            DocumentRevision.tenant_id == document.tenant_id,
            DocumentRevision.document_id == document.id,
        )
        .order_by(DocumentRevision.revision.desc())
        .limit(1)
    ).first()


def _unsealed(session: Session, document: Document) -> list[Acknowledgement]:
    return list(
        session.scalars(
            sa.select(Acknowledgement)
            .where(
                Acknowledgement.tenant_id == document.tenant_id,
                Acknowledgement.document_id == document.id,
                Acknowledgement.revision.is_(None),
            )
            .order_by(Acknowledgement.acknowledged_at, Acknowledgement.id)
        )
    )


def _bytes(session: Session, revision: DocumentRevision) -> bytes:
    with storage().open(get_file(session, revision.file_id).storage_key) as body:
        return body.read()


def _store(job: Job, document: Document, pdf: bytes) -> DocumentRevision:
    """Keep the file as the paper's next revision."""
    last = latest_revision(job.session, document)
    number = last.revision + 1 if last else 1
    name = f"{document.number}.pdf" if number == 1 else f"{document.number}-{number}.pdf"
    file = keep(
        job.session,
        pdf,
        tenant_id=document.tenant_id,
        purpose="document",
        original_name=name,
        safe_name=name,
        media_type="application/pdf",
        actor=job.actor,
        made_from=(uuid5(document.id, f"revision {number}"), document.issued_at or clock.now()),
    )
    row = DocumentRevision(
        tenant_id=document.tenant_id,
        document_id=document.id,
        revision=number,
        file_id=file.id,
        sha256=file.sha256,
        signatures=number if desk().identity else 0,
        made_at=clock.now(),
        issued_at=clock.now(),
    )
    job.session.add(row)
    job.session.flush()
    return row
