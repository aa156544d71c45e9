"""Issue a paper: freeze its content under a number, address it, and have it rendered.

The slice that issues checks what must be on the paper (A6); nothing here asks it again.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.events import Event, publish
from portal.kernel.settings import settings
from portal.notices.models import Document, DocumentRecipient
from portal.notices.snapshots import validate
from tenants.database import Database
from tenants.rows import new_id
from tenants.scope import Login, Scope, bound


@dataclass(frozen=True, slots=True)
class Recipient:
    """To whom a paper goes: part (经理/组长/责任人), name, account if they have one."""

    part: str
    name: str
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DocumentIssued(Event):
    """A paper was issued. `subject_id` is the document's id."""

    document: Document
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class DocumentOpened(Event):
    """A recipient opened a paper for the first time. `subject_id` is the document's id."""

    document: Document


def verify_code() -> str:
    """An 80-bit code for the public verification page, not to be guessed from the number."""
    return base64.b32encode(secrets.token_bytes(10)).decode()


def verify_address(code: str) -> str:
    """The address that a paper's QR code carries."""
    return f"{settings().base_url}/verify/{code}"


def issue(
    session: Session,
    *,
    tenant_id: UUID,
    template: str,
    number: str,
    title: str,
    content: Mapping[str, Any],
    subject: tuple[str, UUID],
    recipients: Sequence[Recipient] = (),
    locale: str = "zh_Hans_CN",
    actor: Actor,
) -> Document:
    """Issue a paper to a vendor. Its content gets `number`, `issued_at` and the verification
    address; the PDF is rendered by a job in the vendor's scope. Content that the paper could not
    show is refused here (`InvalidSnapshot`, `TooLarge`), before a number is spent."""
    at, code = clock.now(), verify_code()
    frozen = {
        **content,
        "number": number,
        "issued_at": at.isoformat(),
        "verify_url": verify_address(code),
    }
    validate(template, frozen)
    document = Document(
        tenant_id=tenant_id,
        id=new_id(),
        template=template,
        number=number,
        title=title,
        locale=locale,
        content=frozen,
        subject_type=subject[0],
        subject_id=subject[1],
        verify_code=code,
        issued_by_name=actor.name,
        issued_at=at,
    )
    session.add(document)
    session.flush()
    for recipient in recipients:
        session.add(
            DocumentRecipient(
                tenant_id=tenant_id,
                document_id=document.id,
                part=recipient.part,
                name=recipient.name,
                account_id=recipient.account_id,
                issued_at=at,
            )
        )
    session.flush()
    record(
        session,
        "notices.document.issued",
        ("document", document.id),
        actor=actor,
        tenant_id=tenant_id,
        data={"number": number, "template": template},
    )
    enqueue(
        session,
        "notices.render",
        {"document_id": document.id},
        actor=actor,
        tenant_id=tenant_id,
    )
    publish(session, DocumentIssued(tenant_id, document.id, document, tuple(recipients)), actor)
    return document


def opened(session: Session, document: Document, *, actor: Actor) -> None:
    """Record that a recipient opened the paper (once; the company's own looks do not count)."""
    if actor.is_company:
        return
    rows = session.scalars(
        sa.select(DocumentRecipient).where(
            DocumentRecipient.document_id == document.id,
            DocumentRecipient.account_id == actor.account_id,
            DocumentRecipient.opened_at.is_(None),
        )
    ).all()
    for row in rows:
        row.opened_at = clock.now()
    if rows:
        session.flush()
        record(session, "notices.document.opened", ("document", document.id), actor=actor)
        publish(session, DocumentOpened(document.tenant_id, document.id, document), actor)


@dataclass(frozen=True, slots=True)
class Verified:
    """What anybody who holds a paper's code may know of it."""

    number: str
    issued_at: datetime
    sha256: str


def verify(database: Database, code: str) -> Verified | None:
    """Look a verification code up on the public login, which may call one function and no more."""
    with bound(Scope(Login.PUBLIC)), database.engine(Login.PUBLIC).connect() as connection:
        row = connection.execute(
            sa.text("select number, issued_at, sha256 from app.verify_document(:code)"),
            {"code": code[:32]},
        ).first()
    return Verified(row.number, row.issued_at, row.sha256 or "") if row else None
