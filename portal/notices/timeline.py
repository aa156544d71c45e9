"""The way of a paper: issued, signed, mailed, first opened, escalated, served, acknowledged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.calendar.rules import YearNotConfirmed
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.events import Event, publish
from portal.notices.marks import Mark, Moment
from portal.notices.models import (
    Acknowledgement,
    Document,
    DocumentRecipient,
    DocumentRevision,
    DocumentStep,
)
from portal.notices.rules import OPENING_DAYS, OWN_PAPERS, STATING_PAPERS, StepKind

LOOKED_BACK = timedelta(days=60)
"""Papers older than this are not escalated any more (an installation that begins with history)."""


@dataclass(frozen=True, slots=True)
class DocumentUnopened(Event):
    """Nobody of the vendor opened a paper in time. `subject_id` is the document's id."""

    document: Document


@dataclass(frozen=True, slots=True)
class DocumentUnserved(Event):
    """An escalated paper is still unopened when the days are over that it states itself for when it
    counts as delivered. `subject_id` is the document's id."""

    document: Document


def mailed(
    session: Session,
    document: Document,
    *,
    to: str,
    at: datetime,
    account_id: UUID | None = None,
) -> None:
    """Note that the mail about a paper was taken by the mail server. `to` is a person's or the
    vendor's name, or empty, never an address. Works in the company's scope and the vendor's."""
    _add(session, document, StepKind.MAILED, at, name=to, account=account_id)


def served(session: Session, document: Document, *, ground: str, actor: Actor) -> None:
    """Note that a paper counts as served though unopened (视为送达); `ground` names the contract
    that says so. Once a paper."""
    if _find(session, document, StepKind.SERVED) is None:
        _add(session, document, StepKind.SERVED, clock.now(), note=ground)
        record(
            session,
            "notices.document.served",
            ("document", document.id),
            actor=actor,
            tenant_id=document.tenant_id,
            data={"ground": ground},
        )


def note_opening(session: Session, document: Document, *, actor: Actor) -> bool:
    """Note that a person of the vendor opened a paper, once each; True when it was the vendor's
    first opening of it."""
    mine = sa.select(DocumentStep.account_id).where(
        DocumentStep.tenant_id == document.tenant_id,
        DocumentStep.document_id == document.id,
        DocumentStep.kind == StepKind.OPENED,
    )
    seen = set(session.scalars(mine))
    if actor.account_id in seen:
        return False
    _add(session, document, StepKind.OPENED, clock.now(), name=actor.name, account=actor.account_id)
    return not seen


def sweep_unopened(session: Session, *, actor: Actor, limit: int = 200) -> int:
    """Escalate the papers that no one of the vendor opened within a working day (company scope).

    Returns how many. The day counts from when there was a PDF to open: a paper that waits for its
    seal is not the vendor's delay. Papers of a year whose calendar nobody confirmed wait for that.
    """
    now = clock.now()
    days = calendar_service.load(session)
    count = 0
    for document, made_at in session.execute(_unopened(now, limit)).all():
        try:
            due = days.due_after(made_at, OPENING_DAYS).due_at
        except YearNotConfirmed:
            continue
        if now <= due:
            continue
        _add(session, document, StepKind.ESCALATED, now)
        record(
            session,
            "notices.document.unopened",
            ("document", document.id),
            actor=actor,
            tenant_id=document.tenant_id,
            data={"number": document.number, "due_at": due.isoformat()},
        )
        publish(session, DocumentUnopened(document.tenant_id, document.id, document), actor)
        count += 1
    return count


def days_to_serve(document: Document) -> int:
    """Working days after which an unopened paper may count as served: as it states itself."""
    return int(document.content.get("deemed_days") or OPENING_DAYS)


def sweep_unserved(session: Session, *, actor: Actor, limit: int = 200) -> int:
    """Tell of papers that state more days than those of opening and are unopened after them
    (company scope). Returns how many."""
    now = clock.now()
    days = calendar_service.load(session)
    count = 0
    for document, made_at in session.execute(_unserved(now, limit)).all():
        if now > days.due_after(made_at, days_to_serve(document)).due_at:
            publish(session, DocumentUnserved(document.tenant_id, document.id, document), actor)
            count += 1
    return count


_Waiting = sa.Select[Document, datetime]


def _made() -> _Waiting:
    """Papers with the moment at which their PDF was made; those without one are left out."""
    return sa.select(Document, DocumentRevision.made_at).join(
        DocumentRevision,
        sa.and_(
            DocumentRevision.tenant_id == Document.tenant_id,
            DocumentRevision.document_id == Document.id,
            DocumentRevision.revision == 1,
        ),
    )


def _unserved(now: datetime, limit: int) -> _Waiting:
    """Papers with days of their own that are escalated, neither opened nor served."""

    def stepped(*kinds: StepKind) -> sa.Exists:
        return sa.exists().where(
            DocumentStep.tenant_id == Document.tenant_id,
            DocumentStep.document_id == Document.id,
            DocumentStep.kind.in_(kinds),
        )

    return (
        _made()
        .where(
            Document.issued_at > now - LOOKED_BACK,
            Document.template.in_(STATING_PAPERS),
            Document.content["deemed_days"].as_integer() > OPENING_DAYS,
            stepped(StepKind.ESCALATED),
            ~stepped(StepKind.OPENED, StepKind.SERVED),
        )
        .order_by(Document.issued_at)
        .limit(limit)
        .with_for_update(of=Document, skip_locked=True)
    )


def _unopened(now: datetime, limit: int) -> _Waiting:
    """Papers of at least a day that were neither opened, acknowledged nor escalated."""
    stepped = sa.exists().where(
        DocumentStep.tenant_id == Document.tenant_id,
        DocumentStep.document_id == Document.id,
        DocumentStep.kind.in_((StepKind.OPENED, StepKind.ESCALATED)),
    )
    addressed = sa.exists().where(
        DocumentRecipient.tenant_id == Document.tenant_id,
        DocumentRecipient.document_id == Document.id,
        DocumentRecipient.opened_at.is_not(None),
    )
    return (
        _made()
        .where(
            Document.issued_at < now - timedelta(hours=12),
            Document.issued_at > now - LOOKED_BACK,
            Document.template.not_in(OWN_PAPERS),
            ~stepped,
            ~addressed,
        )
        .order_by(Document.issued_at)
        .limit(limit)
        .with_for_update(of=Document, skip_locked=True)
    )


def timeline_of(session: Session, document: Document) -> list[Moment]:
    """Everything that happened to a paper, in order of time."""
    moments = [Moment(Mark.ISSUED, _issued(document), document.issued_by_name)]
    if document.signed_at:
        moments.append(Moment(Mark.SIGNED, document.signed_at, document.signed_by or ""))
    steps = session.scalars(
        sa.select(DocumentStep).where(
            DocumentStep.tenant_id == document.tenant_id, DocumentStep.document_id == document.id
        )
    )
    moments += [Moment(Mark(step.kind), step.at, step.name, step.note) for step in steps]
    moments += [
        Moment(Mark(row.choice), row.acknowledged_at, f"{row.part} {row.name}".strip(), row.note)
        for row in acknowledgements_of(session, document)
    ]
    return sorted(moments, key=lambda moment: moment.at)


def acknowledgements_of(session: Session, document: Document) -> list[Acknowledgement]:
    """Who acknowledged a paper, oldest first."""
    return list(
        session.scalars(
            sa.select(Acknowledgement)
            .where(
                Acknowledgement.tenant_id == document.tenant_id,
                Acknowledgement.document_id == document.id,
            )
            .order_by(Acknowledgement.acknowledged_at, Acknowledgement.id)
        )
    )


def _issued(document: Document) -> datetime:
    if document.issued_at is None:
        raise ValueError("a document is issued when it is made")
    return document.issued_at


def _find(session: Session, document: Document, kind: StepKind) -> UUID | None:
    return session.scalar(
        sa.select(DocumentStep.id)
        .where(
            DocumentStep.tenant_id == document.tenant_id,
            DocumentStep.document_id == document.id,
            DocumentStep.kind == kind,
        )
        .limit(1)
    )


def _add(
    session: Session,
    document: Document,
    kind: StepKind,
    at: datetime,
    *,
    name: str = "",
    note: str = "",
    account: UUID | None = None,
) -> None:
    session.add(
        DocumentStep(
            tenant_id=document.tenant_id,
            document_id=document.id,
            kind=kind,
            at=at,
            name=name,
            note=note,
            account_id=account,
            issued_at=at,
        )
    )
    session.flush()
