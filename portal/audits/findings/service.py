"""Write, confirm and withdraw findings (A5)."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.findings.once import check_not_judged, merge
from portal.audits.findings.queries import Person, earlier_acts, findings_of
from portal.audits.findings.text import FindingText, check_repetition, check_text, person_of
from portal.audits.models import (
    DecisionKind,
    Escalation,
    Finding,
    FindingDecision,
    FindingState,
    Review,
)
from portal.audits.reviews.checks import check_at_rest
from portal.audits.rules import FINDING_MOVES, Assessed, assess, handling, moved, proposal
from portal.audits.terms import terms_on
from portal.calendar.service import load as load_calendar
from portal.cases.models import Case
from portal.deadlines import service as deadlines
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.vendors.clauses import Judgement
from portal.vendors.penalties import CatalogueInForce, catalogue_on
from tenants.models import Tenant
from tenants.rows import new_id

CLOCK = "finding_form"
"""The kind of the company's clock per finding: on a form within 3 to 5 working days (A5)."""


def save_finding(
    session: Session,
    review: Review,
    text: FindingText,
    *,
    finding: Finding | None = None,
    actor: Actor,
) -> Finding:
    """Write a draft finding, or change one. The clause is that in force on the day of the act;
    its text, level, points and deduction are frozen into the finding (A6).

    Raises `Invalid` with what is to be mended, `RepetitionUndecided` when repetition is not
    decided yet, `Conflict` when the case is judged or the finding is no draft any more.
    """
    _check_open(session, review)
    if finding is not None and finding.state != FindingState.DRAFT:
        raise Conflict(
            phrase("A confirmed finding does not change."),
            phrase("Withdraw it with a reason and write another."),
        )
    case = _case(session, review)
    check_text(session, review, case, text)
    person = person_of(session, review.tenant_id, text)
    in_force = catalogue_on(session, text.occurred_on)
    earlier = earlier_acts(
        session,
        review.tenant_id,
        person,
        text.clause_no,
        text.occurred_on,
        but=finding.id if finding else None,
    )
    proposed = proposal(in_force.catalogue, text.clause_no, text.occurred_on, earlier)
    if proposed is not None:
        check_repetition(text, proposed, earlier, in_force.catalogue.repeat_months)
    assessed = assess(
        in_force.catalogue,
        text.clause_no,
        text.occurred_on,
        times=text.times,
        earlier=earlier,
        take_repetition=text.repetition is not False,
    )
    row = finding or _new(review, actor)
    _fill(row, text, person, in_force, assessed, _correct_by(session, text, assessed))
    row.version = row.version + 1 if finding else 1
    session.add(row)
    session.flush()
    _keep_repetition(session, row, text, proposed, actor)
    record(
        session,
        "audits.finding.changed" if finding else "audits.finding.written",
        ("finding", row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"clause": row.clause_no, "level": row.level, "case_no": row.case_no},
    )
    return row


def _check_open(session: Session, review: Review) -> None:
    if review.state != "open":
        raise Conflict(
            phrase("This case has been judged."),
            phrase("Open it again before you change its findings."),
        )
    check_at_rest(session, review)


def _case(session: Session, review: Review) -> Case:
    case = session.get(Case, (review.tenant_id, review.case_id))
    if case is None:
        raise NotFound("case")
    return case


def _correct_by(session: Session, text: FindingText, assessed: Assessed) -> date | None:
    if text.correct_by is not None or not text.correction.strip():
        return text.correct_by
    calendar = load_calendar(session)
    due = calendar.due_after(clock.now(), assessed.outcome.rectify_working_days)
    return calendar.local_day(due.due_at)


def _new(review: Review, actor: Actor) -> Finding:
    return Finding(
        tenant_id=review.tenant_id,
        id=new_id(),
        review_id=review.id,
        request_id=review.request_id,
        case_id=review.case_id,
        case_no=review.case_no,
        state=FindingState.DRAFT.value,
        found_by=actor.account_id,
        found_by_name=actor.name,
        found_at=clock.now(),
    )


def _fill(
    row: Finding,
    text: FindingText,
    person: Person,
    in_force: CatalogueInForce,
    assessed: Assessed,
    correct_by: date | None,
) -> None:
    clause = in_force.catalogue.get(text.clause_no)
    row.clause_no, row.clause_text = clause.no, clause.text
    row.clause_version = in_force.version.version
    row.level, row.outcome = assessed.level.value, assessed.outcome.text
    row.times, row.repeated = text.times, assessed.repeated
    row.points, row.deduction = assessed.points, assessed.deduction
    row.escalated = assessed.escalates
    row.member_id, row.person_name, row.staff_no = person.id, person.name, person.staff_no
    row.group_name, row.leader_name = person.group_name, person.leader_name
    row.occurred_on, row.call_at = text.occurred_on, text.call_at
    row.delivery_id, row.clip_from, row.clip_to = text.delivery_id, text.clip_from, text.clip_to
    row.facts, row.words = text.facts.strip(), text.words.strip()
    row.handling = text.handling.strip() or handling(
        assessed.outcome, assessed.deduction, damages=clause.damages
    )
    row.correction, row.correct_by = text.correction.strip(), correct_by


def _keep_repetition(
    session: Session, row: Finding, text: FindingText, proposed: Judgement | None, actor: Actor
) -> None:
    session.execute(
        sa.delete(FindingDecision).where(
            FindingDecision.tenant_id == row.tenant_id, FindingDecision.finding_id == row.id
        )
    )
    if proposed is not None:
        kind = DecisionKind.REPEAT_TAKEN if text.repetition else DecisionKind.REPEAT_REFUSED
        _decide(session, row, kind, text.repetition_reason, actor)


def _decide(session: Session, row: Finding, kind: DecisionKind, reason: str, actor: Actor) -> None:
    session.add(
        FindingDecision(
            tenant_id=row.tenant_id,
            finding_id=row.id,
            kind=kind.value,
            reason=reason.strip(),
            decided_at=clock.now(),
            decided_by=actor.account_id,
            decided_by_name=actor.name,
        )
    )
    session.flush()


def remove_finding(session: Session, review: Review, finding: Finding, *, actor: Actor) -> None:
    """Drop a draft. Raises `Conflict` for anything else: a confirmed finding is withdrawn."""
    _check_open(session, review)
    if finding.state != FindingState.DRAFT:
        raise Conflict(
            phrase("Only a draft can be removed."), phrase("Withdraw it with a reason instead.")
        )
    record(
        session,
        "audits.finding.removed",
        ("finding", finding.id),
        actor=actor,
        tenant_id=finding.tenant_id,
        data={"clause": finding.clause_no, "case_no": finding.case_no},
    )
    session.delete(finding)
    session.flush()


def confirm_finding(session: Session, finding: Finding, *, actor: Actor) -> None:
    """Confirm a draft. From now on the company owes the form that reports it: target 3, breach 5
    working days (A5). What is serious goes to the general manager's office at once.

    One call is judged once: of several findings on it in the review the heaviest counts. Raises
    `Conflict` when another review has judged the call, and while the vendor checks the facts.
    """
    state = moved(FINDING_MOVES, finding.state, FindingState.CONFIRMED)
    check_at_rest(session, session.get_one(Review, (finding.tenant_id, finding.review_id)))
    check_not_judged(session, finding)
    finding.state = state
    finding.confirmed_at, finding.confirmed_by = clock.now(), actor.account_id
    finding.version += 1
    merge(session, finding)
    terms, calendar = terms_on(session, clock.today()), load_calendar(session)
    deadlines.open_deadline(
        session,
        tenant_id=finding.tenant_id,
        kind=CLOCK,
        subject=("finding", finding.id),
        label=f"{finding.case_no} · {finding.clause_no}",
        owed_by="company",
        due=calendar.due_after(clock.now(), terms.form_breach),
        target_at=calendar.due_after(clock.now(), terms.form_target).due_at,
    )
    if finding.escalated:
        _escalate(session, finding, actor)
    record(
        session,
        "audits.finding.confirmed",
        ("finding", finding.id),
        actor=actor,
        tenant_id=finding.tenant_id,
        data={"clause": finding.clause_no, "level": finding.level, "case_no": finding.case_no},
    )


def _escalate(session: Session, finding: Finding, actor: Actor) -> None:
    escalation = Escalation(
        tenant_id=finding.tenant_id,
        id=new_id(),
        finding_id=finding.id,
        reason=f"{finding.clause_no} {finding.clause_text}",
        raised_at=clock.now(),
        raised_by_name=actor.name,
    )
    session.add(escalation)
    session.flush()
    vendor = session.get(Tenant, finding.tenant_id)
    notify(
        session,
        tenant_id=actor.company_id,
        roles=[Role.GENERAL_MANAGER],
        message=phrase(
            "Serious violation at %(vendor)s: clause %(clause)s, case %(case)s.",
            vendor=vendor.short_name if vendor else "",
            clause=finding.clause_no,
            case=finding.case_no,
        ),
        path=f"/reviews/escalations/{escalation.id}",
        kind=MessageKind.WORK,
    )
    record(
        session,
        "audits.finding.escalated",
        ("escalation", escalation.id),
        actor=actor,
        tenant_id=finding.tenant_id,
        data={"finding": str(finding.id), "level": finding.level},
    )


def withdraw_finding(
    session: Session, review: Review, finding: Finding, reason: str, *, actor: Actor
) -> None:
    """Take back a confirmed finding that no form reports yet; the reason stays on record and its
    clock is void. Raises `Conflict` when a form holds it, `Invalid` without a reason."""
    _check_open(session, review)
    if not reason.strip():
        raise Invalid(
            phrase("Say why the finding is withdrawn."), phrase("The reason stays on record.")
        )
    if finding.form_id is not None:
        raise Conflict(
            phrase("A form holds this finding."),
            phrase("Have the form returned first."),
        )
    finding.state = moved(FINDING_MOVES, finding.state, FindingState.WITHDRAWN)
    finding.version += 1
    merge(session, finding)
    _decide(session, finding, DecisionKind.WITHDRAWN, reason, actor)
    deadlines.void(session, finding.tenant_id, finding.id, CLOCK)
    record(
        session,
        "audits.finding.withdrawn",
        ("finding", finding.id),
        actor=actor,
        tenant_id=finding.tenant_id,
        data={"clause": finding.clause_no, "case_no": finding.case_no},
    )


def confirm_all(session: Session, review: Review, *, actor: Actor) -> int:
    """Confirm the drafts of a review (when its case is judged 不合格); returns how many."""
    drafts = [
        row
        for row in findings_of(session, review.tenant_id, review.id)
        if row.state == FindingState.DRAFT
    ]
    for row in drafts:
        confirm_finding(session, row, actor=actor)
    return len(drafts)
