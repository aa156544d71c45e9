"""Write, issue and cancel rectification notices, and decide on the answers (C2.4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import AssessmentForm, Finding, FindingState
from portal.calendar import service as calendar_service
from portal.calendar.rules import Due
from portal.deadlines import service as deadlines
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import Phrase, When, phrase
from portal.notices import service as notices
from portal.notices.models import Document
from portal.notices.numbering import next_number
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.rectification import repeats
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import Demand, Rectification
from portal.rectification.paper import TITLE, Duties, notice_content, recipients
from portal.rectification.permissions import READERS
from portal.rectification.queries import CLOCK, demands_of
from portal.rectification.rules import (
    NoticeText,
    check_complete,
    check_days,
    moved,
)
from portal.rectification.terms import terms_on
from portal.vendors.clauses import Level, Outcome
from portal.vendors.penalties import catalogue_on
from tenants.models import Tenant, TenantKind


def outcomes(session: Session) -> dict[str, Outcome]:
    """What follows from each level today, with its deadline in working days (A5)."""
    found = catalogue_on(session, clock.today()).catalogue.outcomes
    return {level.value: found[level] for level in Level}


def text_of(session: Session, notice: Rectification) -> NoticeText:
    """The notice's present wording."""
    return NoticeText(
        title=notice.title,
        source=notice.source,
        level=notice.level,
        facts=notice.facts,
        grounds=notice.grounds,
        demands=tuple(demand.text for demand in demands_of(session, notice)),
        consequence=notice.consequence,
        working_days=notice.working_days,
        source_reference=notice.source_reference,
    )


def text_from_form(session: Session, form: AssessmentForm, consequence: str) -> NoticeText:
    """A notice's wording proposed from an issued assessment form: its findings as facts, its
    clauses as grounds, the corrections asked for as demands, its severest level."""
    if form.issued_at is None:
        raise NotFound("issued assessment form")
    rows = session.scalars(
        sa.select(Finding)
        .where(
            Finding.tenant_id == form.tenant_id,
            Finding.form_id == form.id,
            Finding.state != FindingState.OVERTURNED,
        )
        .order_by(Finding.case_no, Finding.id)
    ).all()
    level = max((Level(row.level) for row in rows), key=lambda one: one.rank, default=Level.MINOR)
    clauses = dict.fromkeys(
        f"《不规范催收处罚条例》第{row.clause_no}条：{row.clause_text}" for row in rows
    )
    demands = dict.fromkeys(
        " ".join(row.correction.split()) or f"纠正第{row.clause_no}条所列行为，并查明原因。"
        for row in rows
    )
    return NoticeText(
        title=f"关于日常稽核评估表{form.number}所列问题的整改通知",
        source="audit",
        level=level.value,
        facts="\n".join(f"个案{row.case_no}：{row.facts}" for row in rows),
        grounds="\n".join(clauses),
        demands=tuple(demands),
        consequence=consequence,
        working_days=outcomes(session)[level.value].rectify_working_days,
        source_reference=form.number or "",
    )


def write_draft(
    session: Session,
    *,
    draft_id: UUID,
    tenant_id: UUID,
    form_id: UUID | None,
    text: NoticeText,
    opinion_id: UUID | None = None,
    actor: Actor,
) -> Rectification:
    """Keep a new notice as a draft, invisible to the vendor.

    A second call with the same `draft_id` (a double click) returns the draft that stands. Raises
    `NotFound` for an unknown vendor or a form that is not that vendor's, `Invalid` for a deadline
    sooner than the level's.
    """
    known = session.get(Rectification, (tenant_id, draft_id))
    if known is not None:
        return known
    vendor = session.get(Tenant, tenant_id)
    if vendor is None or vendor.kind != TenantKind.VENDOR:
        raise NotFound("vendor")
    if form_id is not None and session.get(AssessmentForm, (tenant_id, form_id)) is None:
        raise NotFound("assessment form")
    notice = Rectification(
        tenant_id=tenant_id,
        id=draft_id,
        form_id=form_id,
        opinion_id=opinion_id,
        state=State.DRAFT.value,
        round=1,
        created_at=clock.now(),
        created_by=actor.account_id,
        created_by_name=actor.name,
        version=1,
    )
    _fill(session, notice, text)
    session.add(notice)
    session.flush()
    _set_demands(session, notice, text)
    record_step(session, "rectification.notice.drafted", notice, actor)
    return notice


def edit_draft(session: Session, notice: Rectification, text: NoticeText, *, actor: Actor) -> None:
    """Replace a draft's wording. Raises `Conflict` once it is issued or cancelled."""
    _check_draft(notice)
    _fill(session, notice, text)
    notice.version += 1
    session.flush()
    _set_demands(session, notice, text)
    record_step(session, "rectification.notice.edited", notice, actor)


def _check_draft(notice: Rectification) -> None:
    if notice.state != State.DRAFT:
        raise Conflict(
            phrase("An issued notice is not changed any more."),
            phrase("Cancel it with a reason and issue another one."),
        )


def _fill(session: Session, notice: Rectification, text: NoticeText) -> None:
    proposed = outcomes(session)[text.level].rectify_working_days
    notice.working_days = check_days(text.working_days or proposed, proposed)
    notice.title, notice.source, notice.level = text.title, text.source, text.level
    notice.facts, notice.grounds = text.facts, text.grounds
    notice.consequence = text.consequence
    notice.source_reference = text.source_reference


def _set_demands(session: Session, notice: Rectification, text: NoticeText) -> None:
    session.execute(
        sa.delete(Demand).where(
            Demand.tenant_id == notice.tenant_id, Demand.rectification_id == notice.id
        )
    )
    session.add_all(
        Demand(
            tenant_id=notice.tenant_id,
            rectification_id=notice.id,
            finding_id=None,
            position=position,
            text=demand,
        )
        for position, demand in enumerate(text.demands, start=1)
    )
    session.flush()


def duties_of(session: Session, notice: Rectification) -> Duties:
    """What a notice of this level demands beside its text, today."""
    return Duties(outcomes(session)[notice.level].stop, terms_on(session, clock.today()).recheck)


def due_if_issued_now(session: Session, working_days: int) -> Due:
    """When a notice issued at this moment falls due. Raises `YearNotConfirmed`."""
    return calendar_service.load(session).due_after(clock.now(), working_days)


def issue_notice(session: Session, notice: Rectification, *, actor: Actor) -> Document:
    """Issue a draft: number, frozen paper, clock, message; they stand or fall together.

    Raises `Conflict` when it is issued already, `Invalid` when a part is missing or the paper
    could not show it, `YearNotConfirmed`.
    """
    state = moved(notice.state, State.ISSUED)
    check_complete(text_of(session, notice))
    repeats.check_decided(session, notice)
    demands = demands_of(session, notice)
    due = due_if_issued_now(session, notice.working_days)
    content = notice_content(session, notice, demands, due, duties_of(session, notice), actor=actor)
    number = next_number(session, notice.tenant_id, "ZG")
    document = notices.issue(
        session,
        tenant_id=notice.tenant_id,
        template="rectification_notice",
        number=number,
        title=TITLE,
        content=content,
        subject=("rectification", notice.id),
        recipients=recipients(session, notice.tenant_id),
        actor=actor,
    )
    for demand in demands:
        demand.issued_at = clock.now()
    session.flush()
    notice.number, notice.document_id = number, document.id
    notice.state, notice.due_at, notice.issued_at = state.value, due.due_at, clock.now()
    notice.issued_by, notice.issued_by_name = actor.account_id, actor.name
    notice.version += 1
    session.flush()
    open_clock(session, notice, due)
    record_step(session, "rectification.notice.issued", notice, actor, {"due_at": due.due_at})
    tell_vendor(
        session,
        notice,
        phrase(
            "Rectification notice %(number)s: answer by %(due)s (Beijing time).",
            number=number,
            due=When(due.due_at),
        ),
    )
    return document


def open_clock(session: Session, notice: Rectification, due: Due) -> None:
    """Open the vendor's clock of the notice's present round."""
    deadlines.open_deadline(
        session,
        tenant_id=notice.tenant_id,
        kind=CLOCK,
        subject=("rectification", notice.id),
        label=notice.number or "",
        owed_by="vendor",
        due=due,
        round_no=notice.round,
    )


def cancel_notice(session: Session, notice: Rectification, reason: str, *, actor: Actor) -> None:
    """Cancel a notice, or throw a draft away, with a reason that the vendor of an issued one
    reads. Its open clock ends without effect. Raises `Conflict` when it is closed."""
    state = moved(notice.state, State.CANCELLED)
    close(session, notice, state, reason, actor)
    deadlines.void(session, notice.tenant_id, notice.id, CLOCK)
    record_step(session, "rectification.notice.cancelled", notice, actor)
    if notice.issued_at is not None:
        tell_vendor(
            session,
            notice,
            phrase("Rectification notice %(number)s is cancelled.", number=notice.number or ""),
        )


def close(session: Session, notice: Rectification, state: State, reason: str, actor: Actor) -> None:
    """Close a notice with its reason, which a cancellation needs (`Invalid`)."""
    if state is State.CANCELLED and not reason.strip():
        raise Invalid(phrase("A cancellation needs its reason."), phrase("Write why."))
    notice.state, notice.closed_at = state.value, clock.now()
    notice.closed_by_name, notice.close_reason = actor.name, reason.strip()
    notice.version += 1
    session.flush()


def tell_vendor(session: Session, notice: Rectification, message: Phrase) -> None:
    """Write a message of a notice to the vendor's people who see it."""
    notify(
        session,
        tenant_id=notice.tenant_id,
        roles=READERS,
        message=message,
        path=f"/rectifications/{notice.id}",
        kind=MessageKind.WORK,
    )


def record_step(
    session: Session,
    action: str,
    notice: Rectification,
    actor: Actor,
    data: dict[str, Any] | None = None,
) -> None:
    """Put a step of a notice into the journal of its vendor."""
    record(
        session,
        action,
        ("rectification", notice.id),
        actor=actor,
        tenant_id=notice.tenant_id,
        data={"number": notice.number, "level": notice.level, **(data or {})},
    )
