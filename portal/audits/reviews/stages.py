"""The stages of a review: first listening, second listening by another auditor, the vendor's check
of the facts, the verdict (A3, A5)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.findings.queries import findings_of
from portal.audits.findings.service import confirm_all
from portal.audits.models import Finding, FindingState, Review, Verdict
from portal.audits.reviews.checks import check_of, check_seen, shown_of, unseen, waits
from portal.audits.reviews.models import FactCheck, Listening
from portal.audits.reviews.rules import (
    STAGE_MOVES,
    CheckState,
    ListeningKind,
    Stage,
    check_facts_over,
    check_other,
    drawn_for_opinion,
)
from portal.audits.reviews.terms import Twice, review_terms
from portal.audits.rules import REVIEW_MOVES, check_verdict, moved
from portal.calendar.service import load as load_calendar
from portal.deadlines import extensions
from portal.deadlines import service as deadlines
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import When, phrase
from portal.kernel.reasons import reason_of
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.rows import new_id

CLOCK = "fact_check"
"""The kind of the vendor's clock per check of facts."""
ANSWERERS = (Role.MANAGER, Role.SUPERVISOR, Role.OFFICE)
REMARK, QUESTION = 1000, 500


def end_first(
    session: Session, review: Review, *, passed: bool, remark: str = "", actor: Actor
) -> None:
    """End the first listening with the verdict that the auditor proposes; findings stay drafts.

    The case waits for the second listening; where the terms listen twice to failing cases only,
    one that passes is judged at once. `Invalid` when verdict and findings contradict, `Conflict`
    when it was listened to already.
    """
    terms = review_terms(session, clock.today())
    once = passed and terms.twice is Twice.FAILING
    stage = moved(STAGE_MOVES, review.stage, Stage.JUDGED if once else Stage.SECOND)
    _check(session, review, passed)
    review.first_by, review.first_by_name = actor.account_id, actor.name
    review.first_verdict = _verdict(passed)
    _listened(session, review, ListeningKind.FIRST, passed, remark, actor)
    if once:
        _end(session, review, passed, actor)
        return
    review.stage = stage
    review.version += 1
    session.flush()
    _journal(session, review, "listened", actor, proposed=review.first_verdict)


def ask_facts(session: Session, review: Review, *, question: str = "", actor: Actor) -> FactCheck:
    """Ask the vendor to check the facts of the case before it is judged: one working day.

    It gets a frozen copy of what is meant for it: clause, day, person, passage, facts and words of
    each finding; no level, points, deduction or notes. Where findings changed after it answered, or
    after its time, it is asked again. `Invalid` without a finding; `Conflict` for another stage,
    for who listened first, while it is asked already, and where nothing changed since.
    """
    stage = moved(STAGE_MOVES, review.stage, Stage.FACTS)
    check_other(review.first_by, actor.account_id)
    standing, former = _standing(session, review), check_of(session, review, lock=True)
    if review.stage == Stage.FACTS:
        _check_again(review, former, standing)
        _lapse(session, review)
    if not standing:
        raise Invalid(
            phrase("There are no facts to check: no finding stands."),
            phrase("Write the finding first, or judge the case as passed."),
        )
    calendar = load_calendar(session)
    due = calendar.due_after(clock.now(), review_terms(session, clock.today()).facts_days)
    check = FactCheck(
        tenant_id=review.tenant_id,
        id=new_id(),
        review_id=review.id,
        request_id=review.request_id,
        case_id=review.case_id,
        case_no=review.case_no,
        facts=[shown_of(finding) for finding in standing],
        question=question.strip()[:QUESTION],
        state=CheckState.ASKED.value,
        due_at=due.due_at,
        asked_by=actor.account_id,
        asked_by_name=actor.name,
        replaces_id=former.id if former is not None else None,
        issued_at=clock.now(),
    )
    session.add(check)
    review.stage, review.version = stage, review.version + 1
    session.flush()
    deadlines.open_deadline(
        session,
        tenant_id=review.tenant_id,
        kind=CLOCK,
        subject=(CLOCK, check.id),
        label=review.case_no,
        owed_by="vendor",
        due=due,
    )
    notify(
        session,
        tenant_id=review.tenant_id,
        roles=ANSWERERS,
        message=phrase(
            "Check the facts of case %(case)s until %(due)s; silence counts as no objection.",
            case=review.case_no,
            due=When(due.due_at),
        ),
        path=f"/fact-checks/{check.id}",
        kind=MessageKind.WORK,
    )
    _journal(session, review, "facts_asked", actor, findings=len(standing))
    return check


def check_may_judge(session: Session, review: Review, *, actor: Actor) -> None:
    """Refuse a verdict before both listenings, by who listened first, while the vendor still has
    time to check the facts or asks for more, and by facts that it was not shown (`Conflict`)."""
    if review.stage == Stage.FIRST:
        raise Conflict(
            phrase("This case was not listened to by two auditors yet."),
            phrase("End the first listening; another auditor listens second and judges."),
        )
    check_other(review.first_by, actor.account_id)
    check = check_of(session, review, lock=True)
    if review.stage == Stage.FACTS and check is not None:
        answered = check.state == CheckState.ANSWERED
        check_facts_over(answered, check.due_at, clock.now())
        if not answered and extensions.waiting(session, check.tenant_id, check.id) is not None:
            raise Conflict(
                phrase("The vendor asks for more time to check the facts."),
                phrase("Grant or refuse the extension first."),
            )
    check_seen(check, _standing(session, review))


def judge(
    session: Session, review: Review, *, passed: bool, remark: str = "", actor: Actor
) -> None:
    """End a review: 合格 without findings, 不合格 with at least one; drafts are confirmed with it.

    By another auditor than the first, after the second listening and, where the vendor was asked,
    its check of the facts. Raises `Invalid` when verdict and findings contradict, `Conflict` when
    it was judged already or is not that far.
    """
    moved(REVIEW_MOVES, review.state, "judged")
    check_may_judge(session, review, actor=actor)
    _check(session, review, passed)
    if review.stage == Stage.FACTS:
        _lapse(session, review)
    _listened(session, review, ListeningKind.SECOND, passed, remark, actor)
    _end(session, review, passed, actor)


def _lapse(session: Session, review: Review) -> None:
    check = check_of(session, review)
    if check is not None and check.state == CheckState.ASKED:
        check.state = CheckState.LAPSED.value
        check.version += 1
        deadlines.close(session, review.tenant_id, check.id, at=clock.now(), kind=CLOCK)


def _check_again(review: Review, former: FactCheck | None, standing: Sequence[Finding]) -> None:
    if waits(review, former) or not unseen(former, standing):
        raise Conflict(
            phrase("The vendor was shown these facts already."),
            phrase("Wait for its answer or judge the case; after a change it can be asked again."),
        )


def recall_facts(session: Session, review: Review, *, reason: str, actor: Actor) -> FactCheck:
    """Take the question about the facts back before the vendor answers, with a reason that it
    reads; the case is at the second listening again. `Conflict` when it has answered."""
    check = check_of(session, review, lock=True)
    if check is None or not waits(review, check):
        raise Conflict(
            phrase("No question to the vendor is open."),
            phrase("Reload the page to see the present state."),
        )
    text = reason_of(reason)
    check.state, check.recalled_at = CheckState.RECALLED.value, clock.now()
    check.recall_reason = text
    check.version += 1
    review.stage = moved(STAGE_MOVES, review.stage, Stage.SECOND)
    review.version += 1
    session.flush()
    deadlines.void(session, check.tenant_id, check.id, CLOCK)
    notify(
        session,
        tenant_id=check.tenant_id,
        roles=ANSWERERS,
        message=phrase(
            "The question about the facts of case %(case)s is taken back.", case=check.case_no
        ),
        path=f"/fact-checks/{check.id}",
        kind=MessageKind.WORK,
    )
    _journal(session, review, "facts_recalled", actor)
    return check


def _end(session: Session, review: Review, passed: bool, actor: Actor) -> None:
    confirm_all(session, review, actor=actor)
    review.stage = moved(STAGE_MOVES, review.stage, Stage.JUDGED)
    review.state = moved(REVIEW_MOVES, review.state, "judged")
    review.verdict = _verdict(passed)
    review.judged_at = clock.now()
    review.judged_by, review.judged_by_name = actor.account_id, actor.name
    review.version += 1
    session.flush()
    _draw_opinion(session, review)
    _journal(session, review, "judged", actor, verdict=review.verdict)


def _draw_opinion(session: Session, review: Review) -> None:
    """By chance, with the share of the terms, have another auditor give a blind opinion."""
    share = review_terms(session, clock.today()).opinion_percent
    if drawn_for_opinion(share, secrets.randbelow(100)):
        ask_opinion(session, review, clock.now())


def ask_opinion(session: Session, review: Review, at: datetime) -> None:
    """Have a case judged once more, blindly; once a case."""
    known = session.scalar(
        sa.select(Listening.id).where(
            Listening.tenant_id == review.tenant_id,
            Listening.review_id == review.id,
            Listening.kind == ListeningKind.OPINION,
        )
    )
    if known is None:
        session.add(
            Listening(
                tenant_id=review.tenant_id,
                id=new_id(),
                review_id=review.id,
                kind=ListeningKind.OPINION.value,
                asked_at=at,
            )
        )
        session.flush()


def listenings_of(session: Session, tenant_id: UUID, review_id: UUID) -> list[Listening]:
    """Who listened and thought what, by time; opinions that are given among them."""
    return list(
        session.scalars(
            sa.select(Listening)
            .where(
                Listening.tenant_id == tenant_id,
                Listening.review_id == review_id,
                Listening.at.is_not(None),
            )
            .order_by(Listening.at, Listening.id)
        )
    )


def reopen(session: Session, review: Review, *, actor: Actor) -> None:
    """Take a verdict back while no form reports it: the case is listened to a second time again.
    Raises `Conflict`."""
    if review.form_id is not None:
        raise Conflict(
            phrase("A form reports this verdict."),
            phrase("While it is not issued, the audit head can return it."),
        )
    review.state = moved(REVIEW_MOVES, review.state, "open")
    review.stage = (Stage.SECOND if review.first_by else Stage.FIRST).value
    review.verdict = review.judged_at = review.judged_by = review.judged_by_name = None
    review.version += 1
    session.flush()
    _journal(session, review, "reopened", actor)


def _standing(session: Session, review: Review) -> list[Finding]:
    return [
        row
        for row in findings_of(session, review.tenant_id, review.id)
        if row.state != FindingState.WITHDRAWN
    ]


def _check(session: Session, review: Review, passed: bool) -> None:
    check_verdict(passed, [row.state for row in _standing(session, review)])


def _verdict(passed: bool) -> str:
    return (Verdict.PASS if passed else Verdict.FAIL).value


def _listened(
    session: Session, review: Review, kind: ListeningKind, passed: bool, remark: str, actor: Actor
) -> None:
    session.add(
        Listening(
            tenant_id=review.tenant_id,
            id=new_id(),
            review_id=review.id,
            kind=kind.value,
            verdict=_verdict(passed),
            remark=remark.strip()[:REMARK],
            asked_at=clock.now(),
            by=actor.account_id,
            by_name=actor.name,
            at=clock.now(),
        )
    )
    session.flush()


def _journal(session: Session, review: Review, act: str, actor: Actor, **data: object) -> None:
    record(
        session,
        f"audits.review.{act}",
        ("review", review.id),
        actor=actor,
        tenant_id=review.tenant_id,
        data={"case_no": review.case_no, **data},
    )
