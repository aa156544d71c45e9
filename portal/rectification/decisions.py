"""Decide on the vendor's answers: accept, return, reopen (C2.4)."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar.rules import Due
from portal.deadlines import service as deadlines
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import When, phrase
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import Answer, Decision, Rectification
from portal.rectification.queries import RECHECK
from portal.rectification.rules import check_new_days, moved, reopened
from portal.rectification.service import (
    close,
    due_if_issued_now,
    open_clock,
    record_step,
    tell_vendor,
)
from portal.rectification.terms import terms_on
from tenants.rows import new_id


def accept_answer(session: Session, notice: Rectification, note: str, *, actor: Actor) -> None:
    """Accept the answer of the present round; the notice is closed, and the day of its
    effectiveness re-check is set."""
    state = moved(notice.state, State.ACCEPTED)
    _decide(session, notice, "accepted", note, None, actor)
    notice.recheck_on = clock.today() + timedelta(days=terms_on(session, clock.today()).recheck)
    close(session, notice, state, note, actor)
    record_step(session, "rectification.answer.accepted", notice, actor, {"round": notice.round})
    tell_vendor(
        session,
        notice,
        phrase(
            "Your answer to %(number)s is accepted; the notice is closed.",
            number=notice.number or "",
        ),
    )


def return_answer(
    session: Session, notice: Rectification, reason: str, working_days: int, *, actor: Actor
) -> None:
    """Return the answer with a reason and a new date: the next round begins with its own clock.

    The answer stays readable. Raises `Invalid` without a reason or with a date out of bounds.
    """
    state = moved(notice.state, State.RETURNED)
    if not reason.strip():
        raise Invalid(
            phrase("A return needs its reason."),
            phrase("Write what is wrong and what is wanted instead; the vendor reads it."),
        )
    due = due_if_issued_now(session, check_new_days(working_days))
    _decide(session, notice, "returned", reason, due, actor)
    _next_round(session, notice, state, due)
    record_step(session, "rectification.answer.returned", notice, actor, {"due_at": due.due_at})
    tell_vendor(
        session,
        notice,
        phrase(
            "Your answer to %(number)s is returned; answer again by %(due)s (Beijing time).",
            number=notice.number or "",
            due=When(due.due_at),
        ),
    )


def _next_round(session: Session, notice: Rectification, state: State, due: Due) -> None:
    notice.state, notice.round, notice.due_at = state.value, notice.round + 1, due.due_at
    notice.version += 1
    session.flush()
    open_clock(session, notice, due)


def reopen_notice(
    session: Session, notice: Rectification, reason: str, working_days: int, *, actor: Actor
) -> None:
    """Open an accepted notice again with a reason and a new date: the next round begins with its
    own clock, and a re-check that was due is not any more. What was accepted stays readable.

    Raises `Conflict` unless it is accepted, `Invalid` without a reason or with a date out of
    bounds.
    """
    state = reopened(notice.state)
    if not reason.strip():
        raise Invalid(
            phrase("Reopening needs its reason."),
            phrase("Write what was found since the answer was accepted; the vendor reads it."),
        )
    due = due_if_issued_now(session, check_new_days(working_days))
    deadlines.void(session, notice.tenant_id, notice.id, RECHECK)
    _decide(session, notice, "reopened", reason, due, actor)
    notice.closed_at = notice.closed_by_name = notice.close_reason = notice.recheck_on = None
    _next_round(session, notice, state, due)
    record_step(session, "rectification.notice.reopened", notice, actor, {"due_at": due.due_at})
    tell_vendor(
        session,
        notice,
        phrase(
            "Rectification notice %(number)s is reopened; answer again by %(due)s (Beijing time).",
            number=notice.number or "",
            due=When(due.due_at),
        ),
    )


def _decide(
    session: Session,
    notice: Rectification,
    verdict: str,
    reason: str,
    due: Due | None,
    actor: Actor,
) -> None:
    answered = session.scalar(
        sa.select(Answer.id).where(
            Answer.tenant_id == notice.tenant_id,
            Answer.rectification_id == notice.id,
            Answer.round == notice.round,
            Answer.state == "submitted",
        )
    )
    if answered is None:
        raise Conflict(phrase("There is no answer to decide on."))
    session.add(
        Decision(
            tenant_id=notice.tenant_id,
            id=new_id(),
            rectification_id=notice.id,
            round=notice.round,
            verdict=verdict,
            reason=reason.strip(),
            new_due_at=due.due_at if due else None,
            by_name=actor.name,
            issued_at=clock.now(),
        )
    )
    session.flush()
