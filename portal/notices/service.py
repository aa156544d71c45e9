"""Issue a paper: freeze its content under a number, address it, and have it rendered.

The slice that issues checks what must be on the paper (A6); nothing here asks it again.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.events import Event, publish
from portal.kernel.phrases import phrase, plural
from portal.kernel.settings import settings
from portal.notices import cards as whole_cards
from portal.notices import receipts, seals, timeline
from portal.notices.models import Document, DocumentRecipient, SealUse
from portal.notices.rules import WAITED, UseState
from portal.notices.snapshots import validate
from portal.notifications.service import notify
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


def issue(  # noqa: PLR0913 - each argument is a part of the paper
    session: Session,
    *,
    tenant_id: UUID,
    template: str,
    number: str,
    title: str,
    content: Mapping[str, Any],
    subject: tuple[str, UUID],
    recipients: Sequence[Recipient] = (),
    locale: str | None = None,
    supersedes: Document | None = None,
    cards: Mapping[str, str] = MappingProxyType({}),
    actor: Actor,
) -> Document:
    """Issue a paper to a vendor. Its content gets `number`, `issued_at` and the verification
    address; the PDF is rendered and signed by a job in the vendor's scope, at once or, where papers
    of the kind bear a seal, when its use is decided. Content that the paper could not show is
    refused here (`InvalidSnapshot`, `TooLarge`), before a number is spent.

    `cards`: whole card numbers by case number that the paper prints; they are kept apart, sealed,
    and only those to whom it is addressed open its file (A6). The content is masked all the same.
    `locale`: the vendor's own when not given. `supersedes`: the forerunner that this paper
    replaces; each names the other. Raises `Conflict` when it is replaced already.
    """
    at, code = clock.now(), verify_code()
    frozen = {
        **content,
        "number": number,
        "issued_at": at.isoformat(),
        "verify_url": verify_address(code),
    }
    if cards:
        frozen["card_display"] = "full"
    if supersedes is not None:
        frozen["supersedes"] = _forerunner(session, supersedes, tenant_id)
    validate(template, frozen)
    seal_id = seals.seal_for(session, template, actor=actor)
    document_id = new_id()
    document = Document(
        tenant_id=tenant_id,
        id=document_id,
        template=template,
        number=number,
        title=title,
        locale=locale or seals.language_of(session, tenant_id),
        content=frozen,
        cards_sealed=whole_cards.seal(session, tenant_id, document_id, cards),
        subject_type=subject[0],
        subject_id=subject[1],
        verify_code=code,
        issued_by_name=actor.name,
        issued_at=at,
        supersedes_id=supersedes.id if supersedes else None,
        seal_wanted=seal_id is not None,
    )
    session.add(document)
    session.flush()
    _address(session, document, recipients)
    record(
        session,
        "notices.document.issued",
        ("document", document.id),
        actor=actor,
        tenant_id=tenant_id,
        data={"number": number, "template": template, **({"whole_cards": True} if cards else {})},
    )
    if seal_id is not None:
        seals.ask(session, document, seal_id, actor=actor)
    else:
        _enqueue_render(session, document, actor)
    publish(session, DocumentIssued(tenant_id, document.id, document, tuple(recipients)), actor)
    return document


def _enqueue_render(session: Session, document: Document, actor: Actor) -> None:
    enqueue(
        session,
        "notices.render",
        {"document_id": document.id},
        actor=actor,
        tenant_id=document.tenant_id,
    )


def _address(session: Session, document: Document, recipients: Sequence[Recipient]) -> None:
    for recipient in recipients:
        session.add(
            DocumentRecipient(
                tenant_id=document.tenant_id,
                document_id=document.id,
                part=recipient.part,
                name=recipient.name,
                account_id=recipient.account_id,
                issued_at=document.issued_at,
            )
        )
    session.flush()


def _forerunner(session: Session, former: Document, tenant_id: UUID) -> dict[str, str]:
    """What a paper says of the one that it replaces. Raises `Conflict`, `NotFound`."""
    if former.tenant_id != tenant_id or former.issued_at is None:
        raise NotFound("document")
    if receipts.successor_of(session, former) is not None:
        raise Conflict(
            phrase("Paper %(number)s is replaced already.", number=former.number),
            phrase("Replace the newest one."),
        )
    return {"number": former.number, "issued_at": former.issued_at.isoformat()}


def issue_waiting(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Have the papers made that should be there for ten minutes and are not (company scope): the
    certificate had expired, the time stamp server was down, a worker died. Returns how many."""
    undecided = sa.exists().where(
        SealUse.tenant_id == Document.tenant_id,
        SealUse.document_id == Document.id,
        SealUse.state == UseState.ASKED,
    )
    rows = session.scalars(
        sa.select(Document)
        .where(
            Document.file_id.is_(None),
            Document.issued_at < clock.now() - WAITED,
            ~undecided,
        )
        .order_by(Document.issued_at)
        .limit(limit)
    ).all()
    for document in rows:
        enqueue(
            session,
            "notices.render",
            {"document_id": document.id, "seal_decided": document.seal_wanted},
            actor=actor,
            tenant_id=document.tenant_id,
        )
    if rows:
        notify(
            session,
            tenant_id=actor.company_id,
            roles=(Role.ADMINISTRATOR,),
            message=plural(
                "%(count)s paper waits for its PDF: see the worker's log.",
                "%(count)s papers wait for their PDF: see the worker's log.",
                by="count",
                count=len(rows),
            ),
            path="/papers",
        )
    return len(rows)


def opened(session: Session, document: Document, *, actor: Actor) -> None:
    """Record that a recipient opened the paper (once; the company's own looks do not count)."""
    if actor.is_company:
        return
    first = timeline.note_opening(session, document, actor=actor)
    rows = session.scalars(
        sa.select(DocumentRecipient).where(
            DocumentRecipient.document_id == document.id,
            DocumentRecipient.account_id == actor.account_id,
            DocumentRecipient.opened_at.is_(None),
        )
    ).all()
    for row in rows:
        row.opened_at = clock.now()
    if rows or first:
        session.flush()
        record(session, "notices.document.opened", ("document", document.id), actor=actor)
        publish(session, DocumentOpened(document.tenant_id, document.id, document), actor)


@dataclass(frozen=True, slots=True)
class Verified:
    """What anybody who holds a paper's code may know of it.

    `hashes` are the SHA-256 of its file as issued and after each acknowledgement; no names of
    persons, and of a successor no more than number and day.
    """

    number: str
    issued_at: datetime
    hashes: tuple[str, ...]
    signed_by: str
    signed_at: datetime | None
    stamped: bool
    acknowledged_at: tuple[datetime, ...]
    superseded_by: str
    superseded_at: datetime | None
    supersedes: str

    @property
    def sha256(self) -> str:
        """The hash of the newest file."""
        return self.hashes[-1] if self.hashes else ""

    def matches(self, sha256: str) -> bool:
        """Whether a file with this hash is one of ours."""
        return "".join(sha256.split()).lower() in self.hashes


def verify(database: Database, code: str) -> Verified | None:
    """Look a verification code up on the public login, which may call one function and no more.

    People type the code from paper: case and the dashes between its groups do not matter.
    """
    plain = code.replace("-", "").strip().upper()[:32]
    with bound(Scope(Login.PUBLIC)), database.engine(Login.PUBLIC).connect() as connection:
        row = connection.execute(
            sa.text("select * from app.verify_document(:code)"), {"code": plain}
        ).first()
    if row is None:
        return None
    return Verified(
        row.number,
        row.issued_at,
        tuple(row.hashes or ()),
        row.signed_by or "",
        row.signed_at,
        bool(row.stamped),
        tuple(row.acknowledged_at or ()),
        row.superseded_by or "",
        row.superseded_at,
        row.supersedes or "",
    )
