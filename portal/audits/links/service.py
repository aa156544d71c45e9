"""Make, end, open and answer one-time links to a person's page of a form (A5)."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.queries import papers_of
from portal.audits.assessments.queries import FindingRow, finding_rows
from portal.audits.links.models import FormLink
from portal.audits.links.terms import days_on
from portal.audits.models import AssessmentForm
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound, PortalError
from portal.kernel.events import Event, publish
from portal.kernel.phrases import When, phrase
from portal.notices import service as notices
from portal.notices.models import DocumentRecipient
from portal.notices.receipts import MOST_NOTE, acknowledge
from portal.notices.rules import Choice
from tenants.database import Database
from tenants.rows import new_id
from tenants.scope import Login, Scope, bound

PART = "责任人"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}\.[^@\s,;<>\"]{2,}")


@dataclass(frozen=True, slots=True)
class LinkMailed(Event):
    """A link (`subject_id`) is to go out by mail: the one moment at which its token is known."""

    address: str
    token: str
    days: int


class LinkOver(PortalError):
    """A link that was good once: it ran out, a later one replaced it, or another browser has it.
    Told only to who holds its token, so that they know what to do."""

    status = 410


def digest(secret: str) -> bytes:
    """What is kept of a token or a browser's secret."""
    return hashlib.sha256(secret.encode()).digest()


def rows_of(session: Session, form: AssessmentForm, person: str, staff_no: str) -> list[FindingRow]:
    """The findings of a form that concern a person, those that stand."""
    return [
        row
        for row in finding_rows(session, form)
        if row.finding.person_name == person
        and row.finding.staff_no == staff_no
        and not row.overturned
    ]


def links_of(session: Session, form: AssessmentForm) -> list[FormLink]:
    """The links to pages of a form, newest first."""
    return list(
        session.scalars(
            sa.select(FormLink)
            .where(FormLink.tenant_id == form.tenant_id, FormLink.form_id == form.id)
            .order_by(FormLink.made_at.desc(), FormLink.id.desc())
        )
    )


def make(
    session: Session,
    form: AssessmentForm,
    person: str,
    staff_no: str,
    *,
    mail_to: str = "",
    actor: Actor,
) -> str:
    """Make a link for a person of an issued form, ending the one there is; returns its token, which
    is not kept. With `mail_to` (company scope) it goes out by mail, without a name in the mail.

    Raises `NotFound` for somebody whom no finding of the form concerns, `Conflict` when the page is
    acknowledged already, `Invalid` for what is no address.
    """
    if form.issued_at is None or not rows_of(session, form, person, staff_no):
        raise NotFound("person responsible")
    if mail_to and not _ADDRESS.fullmatch(mail_to):
        raise Invalid(phrase("This is no mail address."), phrase("Write it as name@example.com."))
    for former in links_of(session, form):
        if (former.person_name, former.staff_no) != (person, staff_no) or former.revoked_at:
            continue
        if former.answered_at is not None:
            raise Conflict(
                phrase("This person has acknowledged the page already."),
                phrase("Nothing more is asked of them."),
            )
        former.revoked_at = clock.now()
    token, days = secrets.token_urlsafe(32), days_on(session, clock.today())
    row = FormLink(
        tenant_id=form.tenant_id,
        id=new_id(),
        form_id=form.id,
        person_name=person,
        staff_no=staff_no,
        token_hash=digest(token),
        made_at=clock.now(),
        made_by_name=actor.name,
        expires_at=clock.now() + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    _record(session, "made", row, actor, mailed=bool(mail_to))
    if mail_to:
        publish(session, LinkMailed(row.tenant_id, row.id, mail_to, token, days), actor)
    return token


@dataclass(frozen=True, slots=True)
class Found:
    """Whose link a token is: its tenant, its id, and the company."""

    tenant_id: UUID
    link_id: UUID
    company_id: UUID

    @property
    def scope(self) -> Scope:
        """The scope in which the page is read: the vendor's, behind both walls."""
        return Scope.vendor(self.tenant_id)


def find(database: Database, token: str) -> Found | None:
    """Look a token up by the one function that the public login may call; None for one that never
    was, or is of a vendor that is not active."""
    if not _TOKEN.fullmatch(token):
        return None
    with bound(Scope(Login.PUBLIC)), database.engine(Login.PUBLIC).connect() as connection:
        row = connection.execute(
            sa.text("select tenant_id, link_id, company_id from app.form_link(:token)"),
            {"token": digest(token)},
        ).first()
    return None if row is None else Found(row.tenant_id, row.link_id, row.company_id)


def get_open(session: Session, found: Found, browser: str) -> FormLink:
    """The link, for this browser (its secret; empty for one that has none). Raises `LinkOver` when
    it ran out, was replaced by a later one, or is another browser's."""
    statement = sa.select(FormLink).where(FormLink.id == found.link_id)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("one-time link")
    if row.revoked_at is not None:
        raise LinkOver(
            phrase("This link was replaced by a later one."),
            phrase("Open the later link, or ask whoever sent it to you for a new one."),
        )
    if row.expires_at < clock.now():
        raise LinkOver(
            phrase("This link could be opened until %(until)s.", until=When(row.expires_at)),
            phrase("Ask your team leader or the audit department for a new one."),
        )
    if row.browser_hash is not None and not secrets.compare_digest(
        row.browser_hash, digest(browser)
    ):
        raise _opened_elsewhere()
    return row


def _opened_elsewhere() -> LinkOver:
    return LinkOver(
        phrase("This link was opened already, in another browser; it opens in that one only."),
        phrase("If that was not you, tell your team leader at once: a new link ends this one."),
    )


def actor_of(found: Found, link: FormLink) -> Actor:
    """The person behind a link, without an account and without a role."""
    return Actor(link.id, link.person_name, found.tenant_id, found.company_id)


def bind(session: Session, link: FormLink, browser: str, *, actor: Actor) -> None:
    """Bind a link to the browser that opens it first; the opening is a step of the paper."""
    taken = session.execute(
        sa.update(FormLink)
        .where(
            FormLink.tenant_id == link.tenant_id,
            FormLink.id == link.id,
            FormLink.browser_hash.is_(None),
        )
        .values(browser_hash=digest(browser), opened_at=clock.now())
        .returning(FormLink.id)
    ).first()
    if taken is None:
        raise _opened_elsewhere()
    session.refresh(link)
    form = session.get_one(AssessmentForm, (link.tenant_id, link.form_id))
    paper = papers_of(session, form)[-1]
    session.execute(
        sa.update(DocumentRecipient)
        .where(
            DocumentRecipient.tenant_id == link.tenant_id,
            DocumentRecipient.document_id == paper.id,
            DocumentRecipient.part == PART,
            DocumentRecipient.name == link.person_name,
            DocumentRecipient.account_id.is_(None),
            DocumentRecipient.opened_at.is_(None),
        )
        .values(opened_at=clock.now())
    )
    notices.opened(session, paper, actor=actor)
    _record(session, "opened", link, actor)


def answer(session: Session, link: FormLink, choice: Choice, note: str, *, actor: Actor) -> None:
    """Acknowledge the page (签收), once. It goes into the paper's receipts while a field is free.

    Raises `Conflict` the second time, `Invalid` for a note that is too long.
    """
    if link.browser_hash is None or link.answered_at is not None:
        raise Conflict(
            phrase("This page is acknowledged already."), phrase("Nothing more is asked of you.")
        )
    if len(note) > MOST_NOTE:
        raise Invalid(phrase("The note has more than %(most)s characters.", most=MOST_NOTE))
    link.choice, link.note, link.answered_at = choice.value, note.strip(), clock.now()
    session.flush()
    form = session.get_one(AssessmentForm, (link.tenant_id, link.form_id))
    try:
        with session.begin_nested():
            acknowledge(session, papers_of(session, form)[-1], choice, note, part=PART, actor=actor)
        on_paper = True
    except Conflict:  # every field of the paper is taken: the link's own record stands
        on_paper = False
    _record(session, "answered", link, actor, choice=choice.value, on_paper=on_paper)


def _record(session: Session, verb: str, link: FormLink, actor: Actor, **data: str | bool) -> None:
    record(
        session,
        f"audits.link.{verb}",
        ("form_link", link.id),
        actor=actor,
        tenant_id=link.tenant_id,
        data={"form": str(link.form_id), **data},
    )


def people_of(session: Session, rows: Sequence[FindingRow]) -> list[tuple[str, str]]:
    """The persons responsible of a form: name and staff number, each once."""
    return list(
        dict.fromkeys(
            (row.finding.person_name, row.finding.staff_no)
            for row in rows
            if row.finding.person_name and not row.overturned
        )
    )
