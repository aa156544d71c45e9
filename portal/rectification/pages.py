"""What the page of one notice shows: clock, rounds, forms, and who has it now (UX 1, 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session

from portal.audits.words import LEVELS
from portal.calendar import service as calendar_service
from portal.deadlines.models import Deadline
from portal.deadlines.pages import ExtensionBox, extension_box
from portal.deadlines.queries import ClockView, clock_view
from portal.files.evidence import accept_types
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import PortalError
from portal.kernel.web import actor, db
from portal.notices.models import Document
from portal.notices.queries import get_document, recipients_of
from portal.rectification import milestones, queries, rechecks, repeats, service
from portal.rectification.forms import (
    AnswerForm,
    MilestoneForm,
    RecheckForm,
    ReopenForm,
    RepetitionForm,
    ReturnForm,
)
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import (
    Milestone,
    RecheckResult,
    Rectification,
    Repetition,
)
from portal.rectification.permissions import ANSWER, MANAGE, SEE_OPINIONS
from portal.rectification.queries import Round
from portal.rectification.repeats import Repeat
from portal.rectification.rules import OPEN_TO_ANSWER
from portal.rectification.words import RECHECKS, SOURCE_NAMES, STATES
from portal.vendors.clauses import Level
from tenants.models import Tenant


def clock_for(session: Session, row: Deadline | None) -> ClockView | None:
    """A clock as the macros show it."""
    return clock_view(row, calendar_service.load(session), clock.now()) if row else None


def events(notice: Rectification, rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """The history of all rounds, oldest first."""
    found: list[dict[str, Any]] = []
    if notice.issued_at:
        title = _("Issued as %(number)s", number=notice.number)
        found.append(
            _event(
                notice.issued_at, title, notice.issued_by_name or notice.created_by_name, "", "info"
            )
        )
    for one in rounds:
        answer, decision = one.answer, one.decision
        if answer and answer.submitted_at:
            title = _("Round %(no)s: answered in time", no=one.number)
            if not answer.in_time:
                title = _("Round %(no)s: answered late", no=one.number)
            tone = "success" if answer.in_time else "danger"
            found.append(_event(answer.submitted_at, title, answer.by_name, "", tone))
        if decision and decision.issued_at and decision.verdict == "returned":
            title = _("Round %(no)s: returned, a new date is set", no=one.number)
            found.append(
                _event(decision.issued_at, title, decision.by_name, decision.reason, "warning")
            )
        found += _late(one)
        if decision and decision.verdict == "accepted" and one.reopening:
            title = _("Round %(no)s: accepted", no=one.number)
            found.append(
                _event(decision.issued_at, title, decision.by_name, decision.reason, "success")
            )
        if one.reopening:
            title = _("Reopened, a new date is set")
            found.append(
                _event(
                    one.reopening.issued_at,
                    title,
                    one.reopening.by_name,
                    one.reopening.reason,
                    "warning",
                )
            )
    if notice.closed_at:
        cancelled = notice.state == State.CANCELLED
        title = _("Cancelled") if cancelled else _("Accepted; the notice is closed")
        tone = "neutral" if cancelled else "success"
        found.append(
            _event(
                notice.closed_at,
                title,
                notice.closed_by_name or "",
                notice.close_reason or "",
                tone,
            )
        )
    return sorted(found, key=lambda one: one["at"])


def _late(one: Round) -> list[dict[str, Any]]:
    """That a round ran out unanswered, in its place of the history."""
    if one.clock is None or one.clock.breached_at is None:
        return []
    title = _("Round %(no)s: overdue; the company's people are told", no=one.number)
    return [_event(one.clock.breached_at, title, "", "", "danger")]


def _event(at: Any, title: str, who: str, text: str, tone: str) -> dict[str, Any]:
    return {"at": at, "title": title, "who": who, "text": text, "tone": tone, "icon": ""}


def next_step(notice: Rectification, *, company: bool) -> str:
    """Who has the notice now and what comes next (UX 10); empty for the reader's own turn."""
    if notice.state == State.ANSWERED and not company:
        return str(
            _(
                "Your answer is with the company. It accepts the answer, or returns it with a "
                "reason and a new date; you get a message either way."
            )
        )
    if notice.state in OPEN_TO_ANSWER and company:
        return str(_("The vendor answers with cause, correction, prevention and evidence."))
    return ""


def page(
    notice: Rectification,
    *,
    problem: PortalError | None = None,
    answer_form: AnswerForm | None = None,
    return_form: ReturnForm | None = None,
    refused: Sequence[PortalError] = (),
    given: Mapping[str, FlaskForm] = MappingProxyType({}),
) -> str:
    """The page of a notice, with whatever was typed and why it was not taken (`given`: the forms
    of its course by name)."""
    person = actor()
    company = person.is_company
    rounds = queries.rounds_of(db(), notice, drafts=not company)
    document: Document | None = None
    if notice.document_id:
        document = get_document(db(), notice.document_id)
    current = rounds[-1] if rounds else None
    draft = current.answer if current and current.answer else None
    manages = person.may(MANAGE)
    return render_template(
        "rectification/show.html",
        notice=notice,
        vendor=db().get(Tenant, notice.tenant_id),
        demands=queries.demands_of(db(), notice),
        rounds=rounds,
        clock=clock_for(db(), current.clock if current else None),
        clocks={one.number: clock_for(db(), one.clock) for one in rounds},
        draft=draft,
        draft_files=current.files if current else (),
        document=document,
        recipients=recipients_of(db(), document.id) if document else [],
        events=events(notice, rounds),
        next_step_text=next_step(notice, company=company),
        due=_proposed(notice) if manages and notice.state == State.DRAFT else None,
        problem=problem,
        refused=refused,
        answer_form=answer_form or _answer_form(draft, rounds),
        return_form=return_form
        or ReturnForm(
            formdata=None,
            data={"version": notice.version, "working_days": notice.working_days},
        ),
        company=company,
        may_manage=manages,
        may_see_opinion=person.may(SEE_OPINIONS),
        may_answer=person.may(ANSWER) and notice.state in OPEN_TO_ANSWER,
        course=course_of(db(), notice, person, given),
        accept_types=accept_types(),
        levels=LEVELS,
        states=STATES,
        sources=SOURCE_NAMES,
    )


@dataclass(frozen=True, slots=True)
class Course:
    """What runs beside the rounds: extensions, milestones, re-checks, what follows, with the
    forms that the reader may send."""

    extension: ExtensionBox
    milestones: Sequence[Milestone]
    results: Sequence[RecheckResult]
    recheck_clock: ClockView | None
    forerunner: Rectification | None
    follow_ups: Sequence[Rectification]
    forms: Mapping[str, FlaskForm]
    may_plan: bool
    may_finish: bool
    may_reopen: bool
    repeats: Sequence[Repeat]
    proposed: Level | None
    repetition: Repetition | None
    today: date
    names: Mapping[str, Mapping[str, Any]]


def course_of(
    session: Session, notice: Rectification, person: Actor, given: Mapping[str, FlaskForm]
) -> Course:
    """The course of a notice as `person` may see and move it."""
    answers, manages = person.may(ANSWER), person.may(MANAGE)
    due = rechecks.due_clock(session, notice) if manages else None
    days = {"version": notice.version, "working_days": notice.working_days}
    made: dict[str, FlaskForm] = {
        "milestone": MilestoneForm(formdata=None, prefix="milestone-"),
        "reopen": ReopenForm(formdata=None, prefix="reopen-", data=days),
        "repetition": RepetitionForm(formdata=None, prefix="repetition-", data=days),
        "recheck": RecheckForm(formdata=None, prefix="recheck-", data=days),
    }
    forerunner = None
    if notice.follows_id is not None:
        forerunner = queries.get_notice(session, notice.follows_id)
    return Course(
        extension=extension_box(
            session,
            (notice.tenant_id, notice.id, queries.CLOCK),
            given,
            may_ask=answers and notice.state in OPEN_TO_ANSWER,
            may_decide=manages and notice.state != State.CANCELLED,
        ),
        milestones=milestones.of_notice(session, notice),
        results=rechecks.results_of(session, notice),
        recheck_clock=clock_for(session, due),
        forerunner=forerunner,
        follow_ups=rechecks.follow_ups_of(session, notice),
        forms={**made, **given},
        may_plan=answers and notice.state in milestones.PLANNED_IN,
        may_finish=answers and notice.state != State.CANCELLED,
        may_reopen=manages and notice.state == State.ACCEPTED,
        repeats=repeats.found(session, notice),
        proposed=repeats.proposed(session, notice) if manages else None,
        repetition=repeats.decision_of(session, notice) if person.is_company else None,
        today=clock.today(),
        names={"rechecks": RECHECKS},
    )


def _proposed(notice: Rectification) -> Any:
    """When the draft would fall due, were it issued now; None when the calendar cannot say."""
    try:
        return service.due_if_issued_now(db(), notice.working_days).due_at
    except PortalError:
        return None


def _answer_form(draft: Any, rounds: Sequence[Round]) -> AnswerForm:
    """The draft; a new round starts from the answer that was returned, to be mended."""
    if draft is not None:
        return AnswerForm(formdata=None, obj=draft)
    form = AnswerForm(formdata=None, obj=rounds[-2].answer if len(rounds) > 1 else None)
    form.version.data = "0"
    return form
