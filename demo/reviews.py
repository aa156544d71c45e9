"""The demo's review desk: items accepted or returned, cases judged, findings written (A3, A5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from demo.offences import OFFENCES, Offence
from demo.people import Company, Vendor
from demo.stage import Stage
from portal.audits.findings.service import save_finding
from portal.audits.findings.text import FindingText, RepetitionUndecided
from portal.audits.models import Finding, Review
from portal.audits.reviews import facts, opinions
from portal.audits.reviews.service import save_notes
from portal.audits.reviews.stages import ask_facts, end_first, judge
from portal.cases.models import Case
from portal.kernel import clock
from portal.kernel.access import Role
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.service import decide
from tenants.database import ScopedSession


def accept_all(stage: Stage, company: Company, request_id: UUID) -> None:
    """Accept every item that was delivered or answered."""
    with stage.company(company.id) as session:
        items = session.scalars(
            sa.select(RequestItem.id).where(
                RequestItem.request_id == request_id,
                RequestItem.state.in_(("delivered", "unavailable")),
            )
        ).all()
        request = session.scalars(
            sa.select(MaterialRequest).where(MaterialRequest.id == request_id)
        ).one()
        if items and request.state == "handed_in":
            decide(
                session,
                request_id,
                items,
                accept=True,
                note="",
                seen_version=request.version,
                actor=company.actor("auditor"),
            )


def return_some(stage: Stage, company: Company, request_id: UUID, count: int) -> None:
    """Return a few delivered recordings with a reason; they are owed again."""
    with stage.company(company.id) as session:
        items = session.scalars(
            sa.select(RequestItem.id)
            .where(
                RequestItem.request_id == request_id,
                RequestItem.state == "delivered",
                RequestItem.kind == "call_recording",
            )
            .order_by(RequestItem.case_no)
            .limit(count)
        ).all()
        request = session.scalars(
            sa.select(MaterialRequest).where(MaterialRequest.id == request_id)
        ).one()
        decide(
            session,
            request_id,
            items,
            accept=False,
            note="录音与案件不符，请提供本案最近一次接通的录音。",
            seen_version=request.version,
            actor=company.actor("auditor"),
        )


def review_all(
    stage: Stage, company: Company, vendor: Vendor, request_id: UUID, *, share: float = 1.0
) -> None:
    """Judge a share of a request's cases; the failed ones get a finding."""
    with stage.company(company.id) as session:
        reviews = session.scalars(
            sa.select(Review)
            .where(Review.request_id == request_id, Review.state == "open")
            .order_by(Review.case_no)
        ).all()
        for review in reviews[: round(len(reviews) * share)]:
            judge_one(session, stage, company, vendor, review)


def fail_one(stage: Stage, company: Company, vendor: Vendor, request_id: UUID) -> None:
    """Fail one of the cases that are still open, whatever the dice say."""
    with stage.company(company.id) as session:
        rows = session.scalars(
            sa.select(Review)
            .where(Review.request_id == request_id, Review.state == "open")
            .order_by(Review.case_no)
        ).all()
        review = next((row for row in rows if not _found_before(session, row)), None)
        if review is not None:
            write_finding(session, stage, company, vendor, review)
            listen_twice(session, company, review, passed=False)


def judge_one(
    session: ScopedSession, stage: Stage, company: Company, vendor: Vendor, review: Review
) -> None:
    """Pass or fail one case by the dice and the vendor's quality."""
    first = stage.dice.choice(("auditor", "auditor", "auditor2"))
    actor = company.actor(first)
    passed = stage.dice.random() < vendor.plan.quality or _found_before(session, review)
    if not passed:
        write_finding(session, stage, company, vendor, review)
    elif stage.dice.random() < 0.2:
        save_notes(session, review, "话术规范，身份核实完整，记录与录音一致。", actor=actor)
    listen_twice(session, company, review, passed=passed, first=first)


def _found_before(session: ScopedSession, review: Review) -> bool:
    """Whether an earlier review found something in this case: one call is judged once."""
    found = session.scalars(
        sa.select(Finding.id)
        .where(
            Finding.tenant_id == review.tenant_id,
            Finding.case_id == review.case_id,
            Finding.review_id != review.id,
        )
        .limit(1)
    )
    return found.first() is not None


def listen_twice(
    session: ScopedSession,
    company: Company,
    review: Review,
    *,
    passed: bool,
    first: str = "auditor",
) -> None:
    """One auditor listens first, the other second, and judges."""
    second = "auditor2" if first == "auditor" else "auditor"
    end_first(session, review, passed=passed, actor=company.actor(first))
    judge(session, review, passed=passed, actor=company.actor(second))


def give_opinions(stage: Stage, company: Company) -> None:
    """The audit head gives the blind opinions that wait, but for the newest two."""
    head, dice = company.actor("head"), stage.dice
    with stage.company(company.id) as session:
        rows = [row for row in opinions.waiting(session, head) if not row.by][2:]
        for waiting in reversed(rows):
            row = opinions.get_opinion(session, waiting.id, lock=True)
            review = session.scalars(sa.select(Review).where(Review.id == row.review_id)).one()
            passed = (review.verdict == "pass") ^ (dice.random() < 0.12)
            opinions.take(session, row, review, actor=head)
            opinions.give(
                session,
                row,
                review,
                passed=passed,
                clause_no="" if passed else "102",
                remark="",
                actor=head,
            )


def leave_open(
    stage: Stage, company: Company, vendor: Vendor, request_id: UUID, *, answered: bool
) -> None:
    """Cases on their way: the vendor checks the facts of one (and has `answered`), the others wait
    for the second listening."""
    one, two = company.actor("auditor"), company.actor("auditor2")
    with stage.company(company.id) as session:
        reviews = session.scalars(
            sa.select(Review)
            .where(Review.request_id == request_id, Review.stage == "first")
            .order_by(Review.case_no)
            .limit(3)
        ).all()
        asked = None
        for number, review in enumerate(reviews):
            if not number:
                write_finding(session, stage, company, vendor, review)
            remark = "请重点听对话后半段。" if not number else ""
            end_first(session, review, passed=bool(number), remark=remark, actor=one)
            if not number:
                question = "请核对通话时间与责任人。"
                asked = ask_facts(session, review, question=question, actor=two).id
    if asked is not None and answered:
        with stage.vendor(vendor.id) as session:
            facts.answer(
                session,
                asked,
                agreed=False,
                text="该通话由客户主动来电，责任人登记有误，请复核录音开头。",
                actor=vendor.actor(Role.MANAGER),
            )


def _offence(stage: Stage, vendor: Vendor) -> Offence:
    """One thrown by dice; a threat only where the vendor's quality is low."""
    weights = [
        offence.weight if offence.clause != "303" or vendor.plan.quality < 0.8 else 0
        for offence in OFFENCES
    ]
    return stage.dice.choices(OFFENCES, weights)[0]


def _recording_of(session: ScopedSession, review: Review) -> UUID | None:
    """The current recording of the reviewed case, if one was delivered."""
    found: UUID | None = session.scalar(
        sa.select(Delivery.id)
        .join(
            RequestItem,
            sa.and_(
                RequestItem.tenant_id == Delivery.tenant_id, RequestItem.id == Delivery.item_id
            ),
        )
        .where(
            Delivery.tenant_id == review.tenant_id,
            Delivery.request_id == review.request_id,
            RequestItem.case_id == review.case_id,
            RequestItem.kind == "call_recording",
            Delivery.state == "current",
        )
    )
    return found


def write_finding(
    session: ScopedSession, stage: Stage, company: Company, vendor: Vendor, review: Review
) -> Finding:
    """A finding of an offence thrown by dice, in a recording of the case if there is one."""
    dice = stage.dice
    offence = _offence(stage, vendor)
    case = session.scalars(
        sa.select(Case).where(Case.tenant_id == review.tenant_id, Case.id == review.case_id)
    ).one()
    delivery_id = _recording_of(session, review)
    day = max(case.entrusted_on, clock.today() - timedelta(days=dice.randint(3, 9)))
    agent = next(
        (p for p in vendor.people if p.member_id == case.member_id), dice.choice(vendor.agents)
    )
    start = dice.randint(2, 5)
    text = FindingText(
        clause_no=offence.clause,
        occurred_on=day,
        facts=offence.facts,
        words=offence.words,
        correction=offence.correction,
        person_id=agent.member_id,
        delivery_id=delivery_id,
        clip_from=start if delivery_id else None,
        clip_to=start + 3 if delivery_id else None,
        call_at=clock.at_beijing(day, dice.randint(9, 19), dice.randrange(60)),
    )
    actor = company.actor("auditor")
    try:
        row = save_finding(session, review, text, actor=actor)
    except RepetitionUndecided:
        again = replace(text, repetition=True, repetition_reason="六个月内同一责任人再犯。")
        row = save_finding(session, review, again, actor=actor)
    return row
