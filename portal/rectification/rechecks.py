"""The effectiveness re-check (复查) of an accepted correction: when it is due, what came of it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.calendar.rules import YearNotConfirmed
from portal.deadlines import service as deadlines
from portal.deadlines.models import Deadline
from portal.deadlines.queries import rounds_of
from portal.deadlines.rules import DeadlineState
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict
from portal.kernel.phrases import When, phrase
from portal.kernel.reasons import reason_of
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.rectification.decisions import reopen_notice
from portal.rectification.kinds import Recheck
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import RecheckResult, Rectification
from portal.rectification.permissions import MANAGE
from portal.rectification.queries import RECHECK
from portal.rectification.service import (
    record_step,
    tell_vendor,
    text_of,
    write_draft,
)
from portal.rectification.terms import terms_on
from tenants.rows import new_id

_EFFECTIVE = phrase("The re-check of %(number)s found the correction effective.")
_NOT_EFFECTIVE = phrase("The re-check of %(number)s found the correction not effective.")


def open_due(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Open the company's clock for the accepted notices whose day has come (company scope), and
    tell who follows them up; returns how many. In a year that nobody confirmed none is opened: the
    calendar warns of it."""
    rows = session.scalars(
        sa.select(Rectification)
        .where(Rectification.recheck_on <= clock.today())
        .order_by(Rectification.recheck_on, Rectification.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return 0
    days = terms_on(session, clock.today()).recheck_due
    try:
        due = calendar_service.load(session).due_after(clock.now(), days)
    except YearNotConfirmed:
        return 0
    for notice in rows:
        earlier = rounds_of(session, notice.tenant_id, notice.id, RECHECK)
        deadlines.open_deadline(
            session,
            tenant_id=notice.tenant_id,
            kind=RECHECK,
            subject=("rectification", notice.id),
            label=notice.number or "",
            owed_by="company",
            due=due,
            round_no=len(earlier) + 1,
        )
        notice.recheck_on = None
        notify(
            session,
            tenant_id=actor.company_id,
            roles=MANAGE.roles,
            message=phrase(
                "The effect of %(number)s is to be re-checked by %(due)s (Beijing time).",
                number=notice.number or "",
                due=When(due.due_at),
            ),
            path=f"/rectifications/{notice.id}",
            kind=MessageKind.WORK,
        )
    session.flush()
    return len(rows)


def due_clock(session: Session, notice: Rectification) -> Deadline | None:
    """The clock of the re-check that is owed now (company scope), or None."""
    for row in rounds_of(session, notice.tenant_id, notice.id, RECHECK):
        if row.met_at is None and row.state != DeadlineState.VOID:
            return row
    return None


def results_of(session: Session, notice: Rectification) -> list[RecheckResult]:
    """The results of a notice's re-checks, oldest first."""
    return list(
        session.scalars(
            sa.select(RecheckResult)
            .where(
                RecheckResult.tenant_id == notice.tenant_id,
                RecheckResult.rectification_id == notice.id,
            )
            .order_by(RecheckResult.round)
        )
    )


def follow_ups_of(session: Session, notice: Rectification) -> list[Rectification]:
    """The notices that name this one as their forerunner; a vendor sees the issued ones."""
    return list(
        session.scalars(
            sa.select(Rectification)
            .where(
                Rectification.tenant_id == notice.tenant_id, Rectification.follows_id == notice.id
            )
            .order_by(Rectification.created_at)
        )
    )


def decide(
    session: Session,
    notice: Rectification,
    result: Recheck,
    reason: str,
    *,
    working_days: int = 0,
    actor: Actor,
) -> UUID | None:
    """Record the result of the re-check that is due, with its reason; the vendor reads both.

    Not effective: the notice is reopened with a new date in `working_days`, or a follow-up notice
    is drafted that names it; its id is returned. Raises `Conflict` when none is due, `Invalid`
    without a reason or with a date out of bounds.
    """
    due = due_clock(session, notice)
    if due is None or notice.state != State.ACCEPTED:
        raise Conflict(
            phrase("No re-check of this notice is due."),
            phrase("The page shows its present state."),
        )
    text = reason_of(reason)
    deadlines.close(
        session, notice.tenant_id, notice.id, at=clock.now(), kind=RECHECK, round_no=due.round
    )
    session.add(
        RecheckResult(
            tenant_id=notice.tenant_id,
            rectification_id=notice.id,
            round=due.round,
            result=result.value,
            reason=text,
            by_name=actor.name,
            issued_at=clock.now(),
        )
    )
    notice.version += 1
    session.flush()
    record_step(session, "rectification.recheck.decided", notice, actor, {"result": result.value})
    if result is Recheck.REOPENED:
        reopen_notice(session, notice, text, working_days, actor=actor)
        return None
    words = _NOT_EFFECTIVE if result is Recheck.FOLLOWED else _EFFECTIVE
    tell_vendor(session, notice, phrase(words.msgid, number=notice.number or ""))
    return _follow_up(session, notice, text, actor) if result is Recheck.FOLLOWED else None


def _follow_up(session: Session, notice: Rectification, reason: str, actor: Actor) -> UUID:
    """A draft that repeats the forerunner's demands and says what the re-check found."""
    text = text_of(session, notice)
    draft = write_draft(
        session,
        draft_id=new_id(),
        tenant_id=notice.tenant_id,
        form_id=notice.form_id,
        text=replace(
            text,
            title=f"关于{notice.number}整改复查不合格的整改通知"[:200],
            source="inspection",
            source_reference=notice.number or "",
            facts=f"经复查，{notice.number}号整改通知的整改未见成效：{reason}\n{text.facts}"[
                :5_000
            ],
        ),
        actor=actor,
    )
    draft.follows_id = notice.id
    session.flush()
    return draft.id
