"""The audit's part of a month: draws, reviews, findings and assessment forms (A3, A5, A6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa

from demo.deliveries import deliver
from demo.people import Company, Vendor
from demo.stage import Stage, period_of
from portal.audits.assessments import hearing
from portal.audits.assessments.queries import finding_rows
from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.draws import queries as draws_queries
from portal.audits.draws import service as draws
from portal.audits.draws.plans import Options
from portal.audits.draws.rules import Size
from portal.audits.draws.service import PLAIN
from portal.audits.findings.service import save_finding
from portal.audits.findings.text import FindingText, RepetitionUndecided
from portal.audits.models import AssessmentForm, DrawShare, Finding, Review
from portal.audits.reviews import facts, opinions
from portal.audits.reviews.service import save_notes
from portal.audits.reviews.stages import ask_facts, end_first, judge
from portal.cases.models import Case
from portal.deadlines.service import sweep
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.errors import Invalid
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.scheme import wanted_by_default
from portal.materials.service import call_up, decide
from tenants.database import ScopedSession

AfterForm = Callable[[Vendor, UUID], None]
ORDINAL = ("一", "二", "三")


@dataclass(frozen=True)
class Offence:
    """A violation as an auditor writes it down."""

    clause: str
    weight: int
    facts: str
    words: str
    correction: str


OFFENCES = (
    Offence(
        "101",
        14,
        "接通后直接催要欠款，未主动说明所属机构及受托身份。",
        "你什么时候还钱？",
        "重申开场白话术并抽听五通。",
    ),
    Offence(
        "102",
        18,
        "当日拨打三次，催收记录仅登记一次，缺少对象与结果。",
        "",
        "补录缺失记录，班后逐日核对。",
    ),
    Offence(
        "103",
        12,
        "记录载明客户承诺还款，录音中客户明确表示无力偿还。",
        "我现在真的没有钱。",
        "更正记录，组长复核当月承诺类记录。",
    ),
    Offence(
        "104",
        10,
        "使用自编话术介绍减免政策，与现行话术版本不一致。",
        "",
        "停用自编话术，重新学习现行版本。",
    ),
    Offence(
        "105",
        7,
        "客户说明已住院，未登记特殊情况，次日仍按常规频次拨打。",
        "我还在医院，过几天再说。",
        "登记特殊情况并反馈委托方。",
    ),
    Offence(
        "201", 7, "未经客户同意，于21时40分拨打本人电话。", "", "调整外呼时段限制，责任人培训。"
    ),
    Offence(
        "202",
        6,
        "同一客户当日有效通话五次，超过规定频次。",
        "你们今天打了五次了!",
        "在拨号系统中设置频次上限。",
    ),
    Offence(
        "301",
        9,
        "通话中语气恶劣，多次打断客户。",
        "你听不懂人话吗？",
        "当日停止接触该户，文明用语培训。",
    ),
    Offence(
        "401",
        5,
        "客户本人可正常联系，仍拨打其同事电话。",
        "麻烦转告他回电。",
        "停止联系第三人，核查联系依据。",
    ),
    Offence(
        "402",
        2,
        "向客户亲属透露欠款金额，亲属未表示愿意代偿。",
        "他欠了两万多，你们家知道吗？",
        "立即停催，向客户致歉并书面检讨。",
    ),
    Offence(
        "305",
        2,
        "夸大逾期后果，称将影响子女就学。",
        "不还的话你孩子上学都受影响。",
        "立即停催，责任人停岗培训。",
    ),
    Offence(
        "303",
        1,
        "以威胁性语言要求客户当日还款。",
        "今天不还，我们就上门找你家里人。",
        "责任人停岗，配合调查。",
    ),
)


IN_STRATA = Options(group=True, days=(90,), suspended=2, findings=1)
"""The plan of the demo's draw in strata."""


def make_draw(
    stage: Stage,
    company: Company,
    number: int,
    total: int,
    *,
    month: date | None = None,
    options: Options = PLAIN,
) -> list[tuple[Vendor, UUID]]:
    """Plan, freeze, draw and issue, all at the stage's present moment; the requests by vendor."""
    actor, day = company.actor("auditor"), clock.today()
    name = f"{month or day:%Y年%m月}第{ORDINAL[number - 1]}次抽查"
    with stage.company(company.id) as session:
        wanted = wanted_by_default(session, day)
        draw_id = draws.plan(
            session,
            name=name,
            period=period_of(month or day),
            size=Size(total=total),
            wanted=wanted,
            options=options,
            actor=actor,
        ).id
    with stage.company(company.id) as session:
        draws.freeze(session, draw_id)
    with stage.company(company.id) as session:
        row = draws_queries.get_draw(session, draw_id, lock=True)
        draws.draw_sample(session, row, actor=actor)
        draws.issue(session, row, actor=actor)
    made = []
    for vendor in company.vendors:
        with stage.company(company.id) as session:
            held = session.scalar(
                sa.select(DrawShare.id).where(
                    DrawShare.draw_id == draw_id, DrawShare.tenant_id == vendor.id
                )
            )
            if held is not None:
                made.append((vendor, draws.issue_share(session, draw_id, vendor.id)))
    return made


def run_month(
    stage: Stage, company: Company, day: date, number: int, total: int, after_form: AfterForm
) -> None:
    """Put one draw of a past month on the stage, with all that comes of it."""

    def drawn() -> None:
        for vendor, request_id in make_draw(stage, company, number, total):
            follow(stage, company, vendor, request_id, day, after_form)

    stage.at(stage.moment(day, 10), drawn)


def follow(
    stage: Stage,
    company: Company,
    vendor: Vendor,
    request_id: UUID,
    day: date,
    after_form: AfterForm,
) -> None:
    """What comes of a request: delivered (now and then late), accepted, reviewed, reported."""
    dice = stage.dice
    late = dice.random() > 0.62 + vendor.plan.quality * 0.36
    in_days = 3 if late else dice.choice((1, 1, 2))
    if in_days == 2 or late:
        stage.at(
            stage.moment(stage.after(day, 1), 16),
            lambda: deliver(
                stage, vendor, request_id, share=0.6, unavailable=0.02, hand_over=False
            ),
        )
    delivered = stage.after(day, in_days)
    stage.at(stage.moment(delivered, 11), lambda: deliver(stage, vendor, request_id))
    reviewed = stage.after(delivered, 2)
    stage.at(stage.moment(reviewed, 10), lambda: accept_all(stage, company, request_id))
    stage.at(stage.moment(reviewed, 15), lambda: review_all(stage, company, vendor, request_id))
    formed = stage.after(reviewed, dice.choice((2, 3, 3)))

    def report() -> None:
        form_id = prepare(stage, company, vendor, request_id)
        if form_id is not None:
            stage.at(
                stage.moment(formed, 16),
                lambda: confirm(stage, company, vendor, form_id, after_form),
            )

    stage.at(stage.moment(formed, 11), report)


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


def write_finding(
    session: ScopedSession, stage: Stage, company: Company, vendor: Vendor, review: Review
) -> Finding:
    """A finding of an offence thrown by dice, in a recording of the case if there is one."""
    dice = stage.dice
    weights = [
        offence.weight if offence.clause != "303" or vendor.plan.quality < 0.8 else 0
        for offence in OFFENCES
    ]
    offence = dice.choices(OFFENCES, weights)[0]
    case = session.scalars(
        sa.select(Case).where(Case.tenant_id == review.tenant_id, Case.id == review.case_id)
    ).one()
    delivery_id = session.scalar(
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


def prepare(stage: Stage, company: Company, vendor: Vendor, request_id: UUID) -> UUID | None:
    """Prepare the form of a request; None when every case passed."""
    with stage.company(company.id) as session:
        try:
            return prepare_form(
                session,
                tenant_id=vendor.id,
                request_id=request_id,
                partial=True,
                actor=company.actor("auditor"),
            ).id
        except Invalid:
            session.rollback()
            return None


def prepare_all(
    stage: Stage, company: Company, vendors: Iterable[Vendor], made: Mapping[str, UUID]
) -> None:
    """Prepare the forms of several vendors; they wait for the audit head's signature."""
    for vendor in vendors:
        prepare(stage, company, vendor, made[vendor.plan.code])


def confirm(
    stage: Stage, company: Company, vendor: Vendor, form_id: UUID, after_form: AfterForm
) -> None:
    """The audit head confirms and issues a form."""
    with stage.company(company.id) as session:
        form = session.scalars(sa.select(AssessmentForm).where(AssessmentForm.id == form_id)).one()
        actor = company.actor("head")
        for row in hearing.clips_of(finding_rows(session, form)):
            hearing.note_sent(session, form, row, actor=actor)
            with clock.frozen(clock.now() + timedelta(seconds=hearing.clip_seconds(row))):
                hearing.note_heard(session, form, row, actor=actor)
        confirm_form(session, form, actor=actor)
    after_form(vendor, form_id)


def call_up_some(stage: Stage, company: Company, vendor: Vendor, count: int, reason: str) -> UUID:
    """A call-up outside a draw (A10) on some cases in hand."""
    with stage.company(company.id) as session:
        numbers = session.scalars(
            sa.select(Case.case_no)
            .where(Case.tenant_id == vendor.id, Case.status == "in_hand")
            .order_by(Case.case_no)
        ).all()
        return call_up(
            session,
            tenant_id=vendor.id,
            case_numbers=stage.dice.sample(list(numbers), count),
            wanted=wanted_by_default(session, clock.today()),
            reason=reason,
            actor=company.actor("auditor2"),
        ).id


def sweep_clocks(stage: Stage, company: Company) -> None:
    """Record what ran out, as the worker does all day."""
    with stage.company(company.id) as session:
        while sweep(session, actor=system_actor(company.id)):
            session.commit()
