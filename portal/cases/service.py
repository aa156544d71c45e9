"""Verbs on a case: change its status, uncover its personal data."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case, CaseStatusChange
from portal.cases.rules import CaseStatus, check_transition, closing_date
from portal.cases.sealing import CARD, DEBTOR, PHONE
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.events import Event, publish
from portal.kernel.phrases import phrase
from tenants.rows import new_id
from tenants.vault import installed

REASON_MOST = 500


@dataclass(frozen=True, slots=True)
class CaseStatusChanged(Event):
    """A case got another status; `subject_id` is the case."""

    old: CaseStatus
    new: CaseStatus


@dataclass(frozen=True, slots=True)
class Personal:
    """Personal data of a case in clear; for one page, never stored or logged."""

    debtor: str
    phone: str
    card: str

    def __repr__(self) -> str:
        """Nothing, so that no log can hold it."""
        return "Personal(…)"


def get_row(session: Session, case_id: UUID, *, lock: bool = False) -> Case:
    """The case's row; raises `NotFound`. `lock` holds it until the transaction ends."""
    statement = sa.select(Case).where(Case.id == case_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("case")
    return row


def change_status(
    session: Session, case: Case, new: CaseStatus, *, reason: str, actor: Actor
) -> None:
    """Give a case another status, with a reason that the vendor sees (company scope).

    The same status again changes nothing. Raises `Conflict` for a step that `TRANSITIONS` lacks,
    `Invalid` without a reason.
    """
    old = CaseStatus(case.status)
    if new is old:
        return
    check_transition(old, new)
    text = reason.strip()
    if not 0 < len(text) <= REASON_MOST:
        raise Invalid(
            phrase("The reason is missing or longer than %(most)s characters.", most=REASON_MOST),
            phrase("Say in a sentence why the status changes."),
        )
    case.status, case.version = new.value, case.version + 1
    case.closed_on = closing_date(new, clock.today())
    session.add(
        CaseStatusChange(
            tenant_id=case.tenant_id,
            id=new_id(),
            case_id=case.id,
            old_status=old.value,
            new_status=new.value,
            reason=text,
            changed_at=clock.now(),
            changed_by=actor.account_id,
            changed_by_name=actor.name,
        )
    )
    record(
        session,
        "cases.status.changed",
        ("case", case.id),
        actor=actor,
        tenant_id=case.tenant_id,
        data={"old": old.value, "new": new.value},
    )
    publish(session, CaseStatusChanged(case.tenant_id, case.id, old, new), actor)
    session.flush()


def reveal(session: Session, case: Case, *, actor: Actor) -> Personal:
    """Open a case's personal data for one look, and record who looked (C4.1)."""
    if not case.debtor_sealed:
        raise Conflict(
            phrase("The personal data of this case are deleted: their time was over."),
            phrase("What it was entrusted for stands in the papers."),
        )
    key = installed().key(session, case.tenant_id)
    personal = Personal(
        debtor=key.open(DEBTOR, case.id, case.debtor_sealed),
        phone=key.open(PHONE, case.id, case.phone_sealed),
        card=key.open(CARD, case.id, case.card_sealed),
    )
    record(
        session,
        "cases.personal.revealed",
        ("case", case.id),
        actor=actor,
        tenant_id=case.tenant_id,
    )
    return personal
