"""What the page of one review shows: the case, its materials, findings, forms and choices."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audits.findings.forms import FindingForm, MarkForm, NotesForm
from portal.audits.findings.queries import decisions_of, findings_of, people
from portal.audits.findings.text import FindingText
from portal.audits.models import Finding, Review
from portal.audits.reviews.checks import check_of, unseen, waits
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.queries import (
    Material,
    calls_of_case,
    case_facts,
    get_review,
    materials_of,
    next_for,
    progress,
)
from portal.audits.reviews.rules import CheckState, Stage
from portal.audits.reviews.stages import CLOCK as FACTS_CLOCK
from portal.audits.reviews.stages import listenings_of
from portal.calendar.service import load as load_calendar
from portal.deadlines.models import Deadline
from portal.deadlines.pages import ExtensionBox, extension_box
from portal.deadlines.queries import ClockView, clock_of, clock_view
from portal.kernel import clock
from portal.materials.delivered import FileRow
from portal.vendors.penalties import catalogue_on


@dataclass(frozen=True, slots=True)
class Fields:
    """The forms of the page as they were sent, where one was refused."""

    finding: FindingForm | None = None
    mark: MarkForm | None = None
    notes: NotesForm | None = None


def recordings(materials: list[Material]) -> list[FileRow]:
    """The case's recordings, in the order in which they are listed."""
    return [row for material in materials for row in material.files if row.is_audio]


def finding_form(
    session: Session,
    review: Review,
    materials: list[Material],
    finding: Finding | None = None,
    *,
    posted: bool = False,
) -> FindingForm:
    """The form of a new finding, or of the one that is changed, with its choices; `posted`: as
    it was sent."""
    if posted:
        form = FindingForm()
    else:
        data = _data(finding) if finding else {"occurred_on": clock.today()}
        form = FindingForm(formdata=None, data=data)
    day = form.occurred_on.data or clock.today()
    catalogue = catalogue_on(session, day).catalogue
    form.set_choices(
        [(clause.no, f"{clause.no} {clause.text}") for clause in catalogue.clauses.values()],
        [
            (
                str(person.id),
                " · ".join(filter(None, (person.staff_no, person.name, person.group_name))),
            )
            for person in people(session, review.tenant_id)
        ],
        [(str(row.id), row.safe_name) for row in recordings(materials)],
    )
    return form


def _data(finding: Finding) -> dict[str, Any]:
    own = ("clause_no", "occurred_on", "times", "clip_from", "clip_to", "facts", "words")
    data = {name: getattr(finding, name) for name in (*own, "handling", "correction", "correct_by")}
    data["version"] = finding.version
    data["person_id"] = str(finding.member_id or "")
    if finding.member_id is None:
        for name in ("person_name", "staff_no", "group_name", "leader_name"):
            data[name] = getattr(finding, name)
    data["delivery_id"] = str(finding.delivery_id or "")
    if finding.call_at is not None:
        data["call_at"] = clock.beijing(finding.call_at)
    return data


def finding_text(form: FindingForm) -> FindingText:
    """What the form says, for the service. Times of day are Beijing's."""
    decided = {"take": True, "refuse": False}
    call_at, day = form.call_at.data, form.occurred_on.data
    return FindingText(
        clause_no=form.clause_no.data,
        occurred_on=day if isinstance(day, date) else clock.today(),
        facts=form.facts.data or "",
        person_id=UUID(form.person_id.data) if form.person_id.data else None,
        person_name=form.person_name.data or "",
        staff_no=form.staff_no.data or "",
        group_name=form.group_name.data or "",
        leader_name=form.leader_name.data or "",
        times=form.times.data or 1,
        delivery_id=UUID(form.delivery_id.data) if form.delivery_id.data else None,
        clip_from=None if form.clip_from.data is None else math.floor(form.clip_from.data),
        clip_to=None if form.clip_to.data is None else math.ceil(form.clip_to.data),
        call_at=None if call_at is None else call_at.replace(tzinfo=clock.BEIJING),
        words=form.words.data or "",
        handling=form.handling.data or "",
        correction=form.correction.data or "",
        correct_by=form.correct_by.data,
        repetition=decided.get(form.repetition.data or ""),
        repetition_reason=form.repetition_reason.data or "",
    )


def prefill(form: FindingForm, review: Review, mark_id: str) -> None:
    """Take the passage and the words of a mark over into a new finding."""
    for mark in review.marks:
        if mark["id"] == mark_id:
            form.delivery_id.data = mark["delivery_id"]
            form.clip_from.data, form.clip_to.data = mark["start"], mark["end"]
            form.words.data = mark["text"]


def evidence(session: Session, review: Review, recording_id: UUID | None) -> dict[str, Any]:
    """What there is to judge by: the case, its materials with what the vendor said, its calls,
    and the recording that is open in the player. Nothing of anybody's judgement."""
    materials = materials_of(session, review)
    heard = recordings(materials)
    return {
        "review": review,
        "facts": case_facts(session, review),
        "materials": materials,
        "calls": calls_of_case(session, review, materials),
        "recordings": heard,
        "recording": next(
            (row for row in heard if row.id == recording_id), heard[0] if heard else None
        ),
    }


def course(session: Session, review: Review, account_id: UUID) -> dict[str, Any]:
    """Where the case is, who listened and thought what, the vendor's check of the facts, and what
    this auditor can do next: `turn` is "first", "second", "wait" (for another auditor), "facts"
    (for the vendor) or ""."""
    check = check_of(session, review)
    turn = ""
    if review.stage == Stage.FIRST:
        turn = "first"
    elif waits(review, check):
        turn = "facts"
    elif review.state == "open":
        turn = "wait" if review.first_by == account_id else "second"
    return {
        "turn": turn,
        "check": check,
        "check_clock": _check_clock(session, check) if check else None,
        "more_time": _more_time(session, check) if check else None,
        "listenings": listenings_of(session, review.tenant_id, review.id),
    }


def _check_clock(session: Session, check: FactCheck) -> ClockView | None:
    row = clock_of(session, check.tenant_id, check.id, FACTS_CLOCK)
    return clock_view(row, load_calendar(session), clock.now()) if row else None


def _more_time(session: Session, check: FactCheck) -> ExtensionBox:
    """The extensions of a check's clock, to be decided while it is not answered."""
    return extension_box(
        session,
        (check.tenant_id, check.id, FACTS_CLOCK),
        {},
        may_ask=False,
        may_decide=check.state == CheckState.ASKED,
    )


def context(
    session: Session,
    review: Review,
    sent: Fields,
    recording_id: UUID | None,
    account_id: UUID,
    closed: Collection[UUID],
) -> dict[str, Any]:
    """Everything that `reviews/show.html` shows; one recording is open in the player. `closed`: the
    reviews whose judgement is closed to the reader (`blind`)."""
    shown = evidence(session, review, recording_id)
    heard, chosen = shown["recordings"], shown["recording"]
    findings = findings_of(session, review.tenant_id, review.id)
    standing = [row for row in findings if row.state != "withdrawn"]
    going = course(session, review, account_id)
    return {
        **shown,
        **going,
        "unseen": review.state == "open" and unseen(going["check"], standing),
        "progress": progress(session, request_id=review.request_id, closed=closed)[0],
        "marks": [
            {**mark, "label": mark["text"]}
            for mark in review.marks
            if chosen is not None and mark["delivery_id"] == str(chosen.id)
        ],
        "other_marks": [
            mark for mark in review.marks if chosen is None or mark["delivery_id"] != str(chosen.id)
        ],
        "names": {str(row.id): row.safe_name for row in heard},
        "findings": findings,
        "standing": standing,
        "decisions": decisions_of(session, review.tenant_id, [row.id for row in findings]),
        "clocks": _clocks(session, review, findings),
        "next_id": next_for(session, account_id, review),
        "mark_form": sent.mark or MarkForm(formdata=None),
        "notes_form": sent.notes
        or NotesForm(formdata=None, data={"notes": review.notes, "version": review.version}),
        "finding_form": sent.finding,
    }


def _clocks(session: Session, review: Review, findings: list[Finding]) -> dict[UUID, ClockView]:
    """The company's clock of each finding: on a form within 3 to 5 working days (A5)."""
    calendar = load_calendar(session)
    rows = session.scalars(
        select(Deadline).where(
            Deadline.tenant_id == review.tenant_id,
            Deadline.subject_id.in_([row.id for row in findings]),
            Deadline.kind == "finding_form",
        )
    )
    return {row.subject_id: clock_view(row, calendar, clock.now()) for row in rows}


def locked(session: Session, review_id: UUID) -> Review:
    """The review, held for a change."""
    return get_review(session, review_id, lock=True)
