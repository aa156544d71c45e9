"""签收: the vendor's people acknowledge a paper; the scan of a stamped print goes beside it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.inspection import inspect
from portal.files.kinds import FileKind
from portal.files.service import keep
from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.events import Event, publish
from portal.kernel.phrases import phrase
from portal.notices.models import Acknowledgement, Document, DocumentRecipient, DocumentScan
from portal.notices.rules import MOST_ACKNOWLEDGEMENTS, WAITED, Choice, must_be_opened
from portal.notices.timeline import acknowledgements_of

MOST_NOTE = 500
MOST_SCANS = 20
MOST_SCAN_BYTES = 50 << 20
SCANS = frozenset({FileKind.PDF, FileKind.JPEG, FileKind.PNG})
PARTS = {Role.MANAGER: "经理", Role.SUPERVISOR: "主管", Role.TEAM_LEADER: "组长"}


class DocumentAcknowledged(Event):
    """A vendor's person acknowledged a paper. `subject_id` is the document's id."""


def may_acknowledge(session: Session, document: Document, actor: Actor) -> bool:
    """Whether this person may acknowledge the paper now: of its vendor, once, while a field of
    the paper is free, no later paper replaces it, and it does not wait for the company's seal."""
    if actor.is_company or not must_be_opened(document.template):
        return False
    if document.seal_wanted and document.file_id is None:
        return False
    rows = acknowledgements_of(session, document)
    return (
        len(rows) < MOST_ACKNOWLEDGEMENTS
        and all(row.account_id != actor.account_id for row in rows)
        and successor_of(session, document) is None
    )


def acknowledge(
    session: Session,
    document: Document,
    choice: Choice,
    note: str = "",
    *,
    part: str = "",
    actor: Actor,
) -> Acknowledgement:
    """Acknowledge receipt of a paper, with or without an appeal to follow. `part`: in what part,
    when neither the paper nor a role tells it.

    A job seals it into the paper's file. Raises `Conflict` when this person did already, when all
    fields are taken or a later paper replaces it, `Invalid` for a note that is too long.
    """
    session.refresh(document, with_for_update=not actor.is_company)
    if not may_acknowledge(session, document, actor):
        raise Conflict(
            phrase("This paper cannot be acknowledged now."),
            phrase("Reload the page: it was acknowledged already, or a later paper replaces it."),
        )
    if len(note) > MOST_NOTE:
        raise Invalid(phrase("The note has more than %(most)s characters.", most=MOST_NOTE))
    row = Acknowledgement(
        tenant_id=document.tenant_id,
        document_id=document.id,
        account_id=actor.account_id,
        name=actor.name,
        part=part or _part(session, document, actor),
        choice=choice,
        note=note.strip(),
        acknowledged_at=clock.now(),
        issued_at=clock.now(),
    )
    session.add(row)
    session.flush()
    record(
        session,
        "notices.document.acknowledged",
        ("document", document.id),
        actor=actor,
        data={"choice": choice.value},
    )
    enqueue(session, "notices.seal_receipt", {"document_id": document.id}, actor=actor)
    publish(session, DocumentAcknowledged(document.tenant_id, document.id), actor)
    return row


def seal_waiting(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Have the acknowledgements sealed in that have waited ten minutes for it (company scope): the
    time stamp server was down, or the paper was not made yet. Returns of how many papers."""
    rows = session.execute(
        sa.select(Document.tenant_id, Document.id)
        .where(
            Document.signed_at.is_not(None),
            sa.exists().where(
                Acknowledgement.tenant_id == Document.tenant_id,
                Acknowledgement.document_id == Document.id,
                Acknowledgement.revision.is_(None),
                Acknowledgement.acknowledged_at < clock.now() - WAITED,
            ),
        )
        .order_by(Document.issued_at)
        .limit(limit)
    ).all()
    for tenant_id, document_id in rows:
        enqueue(
            session,
            "notices.seal_receipt",
            {"document_id": document_id},
            actor=actor,
            tenant_id=tenant_id,
        )
    return len(rows)


def _part(session: Session, document: Document, actor: Actor) -> str:
    """In what part: as the paper addresses the person, else by role."""
    addressed = session.scalar(
        sa.select(DocumentRecipient.part).where(
            DocumentRecipient.tenant_id == document.tenant_id,
            DocumentRecipient.document_id == document.id,
            DocumentRecipient.account_id == actor.account_id,
        )
    )
    return addressed or next((PARTS[role] for role in PARTS if role in actor.roles), "")


def successor_of(session: Session, document: Document) -> Document | None:
    """The paper that replaces this one, if any."""
    return session.scalars(
        sa.select(Document).where(
            Document.tenant_id == document.tenant_id, Document.supersedes_id == document.id
        )
    ).first()


def add_scan(
    session: Session, document: Document, name: str, stream: IO[bytes], *, note: str, actor: Actor
) -> DocumentScan:
    """Check the scan of a stamped print (PDF, JPEG, PNG) and keep it beside the original; it
    replaces nothing. Raises `Invalid` for a file that cannot be used, `Conflict` when there are
    too many."""
    count = len(scans_of(session, document))
    if count >= MOST_SCANS:
        raise Conflict(phrase("There are %(most)s scans already.", most=MOST_SCANS))
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        path = Path(folder) / "scan"
        _copy(stream, path)
        found = inspect(path, name, SCANS)
        if not found.ok or found.kind is None:
            raise Invalid(found.problems[0].message)
        kept = f"{document.number}-scan-{count + 1}.{found.kind.extensions[0]}"
        with path.open("rb") as body:
            file = keep(
                session,
                body,
                tenant_id=document.tenant_id,
                purpose="scan",
                original_name=kept,
                safe_name=kept,
                media_type=found.media_type,
                actor=actor,
            )
    row = DocumentScan(
        tenant_id=document.tenant_id,
        document_id=document.id,
        file_id=file.id,
        sha256=file.sha256,
        size=file.size,
        note=note.strip()[:MOST_NOTE],
        added_by_name=actor.name,
        added_at=clock.now(),
        issued_at=clock.now(),
    )
    session.add(row)
    session.flush()
    record(
        session,
        "notices.document.scan_added",
        ("document", document.id),
        actor=actor,
        data={"sha256": file.sha256},
    )
    return row


def _copy(stream: IO[bytes], path: Path) -> None:
    """Write what was sent to a file, up to the limit of scans."""
    size = 0
    with path.open("wb") as out:
        while chunk := stream.read(1 << 20):
            size += len(chunk)
            if size > MOST_SCAN_BYTES:
                raise Invalid(phrase("The scan has more than %(most)s MB.", most=50))
            out.write(chunk)


def scans_of(session: Session, document: Document) -> list[DocumentScan]:
    """The scans beside a paper, oldest first."""
    return list(
        session.scalars(
            sa.select(DocumentScan)
            .where(
                DocumentScan.tenant_id == document.tenant_id,
                DocumentScan.document_id == document.id,
            )
            .order_by(DocumentScan.added_at, DocumentScan.id)
        )
    )


def get_scan(session: Session, document: Document, scan_id: UUID) -> DocumentScan:
    """A scan of this paper; raises `NotFound`."""
    row = session.get(DocumentScan, (document.tenant_id, scan_id))
    if row is None or row.document_id != document.id:
        raise NotFound("scan")
    return row
