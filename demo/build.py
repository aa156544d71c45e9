"""Play the whole demo into an empty, migrated database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from demo import audits, calls, cases, disputes, rectifications, results, seals
from demo.deliveries import deliver
from demo.people import Company, Vendor, make_people
from demo.stage import Act, Stage, month_before
from portal.kernel import clock
from portal.notifications.service import mark_read
from portal.rectification.rules import NoticeText
from portal.rectification.words import CONSEQUENCE
from tenants.database import Database

MONTHS = 5
"""Whole months of history before the present one."""
DRAWN = 30
"""Cases drawn at a time over all vendors."""


@dataclass(frozen=True)
class Size:
    """How much there is to be: months of history, cases a month, cases a draw."""

    months: int = MONTHS
    cases: int = cases.A_MONTH
    drawn: int = DRAWN


def build(database: Database, *, now: datetime | None = None, size: Size | None = None) -> Company:
    """Fill the database with the demo up to `now`; `size` makes it smaller (tests)."""
    size = size or Size()
    end = now or clock.now()
    stage = Stage(database, end)
    today = clock.beijing(end).date()
    first = month_before(today, size.months)
    with clock.frozen(clock.at_beijing(first, 8)):
        company = make_people(stage, range(first.year, today.year + 2), first)
        seals.introduce(stage, company)
    known = cases.Entrusted()
    for back in range(size.months, -1, -1):
        month = month_before(today, back)
        _entrust(stage, company, known, month, size.cases)
        if back:
            _past_month(stage, company, month, size.drawn)
    _present(stage, company, today, size.drawn)
    stage.play()
    _read_up(stage, company)
    with clock.frozen(end):
        audits.sweep_clocks(stage, company)
    return company


def _entrust(
    stage: Stage, company: Company, known: cases.Entrusted, month: date, count: int
) -> None:
    day = stage.working_day(month, 1)
    if clock.at_beijing(day, 10) > stage.end:
        day = stage.calendar.local_day(stage.end)
    stage.at(
        min(stage.moment(day, 9), stage.end),
        lambda: cases.entrust(stage, company, known, day, count),
    )


def _past_month(stage: Stage, company: Company, month: date, drawn: int) -> None:
    """Two draws with all that comes of them; after the month its receipts, score and statement."""

    def after_form(vendor: Vendor, form_id: UUID) -> None:
        if stage.dice.random() < 0.7:
            stage.at(
                clock.now() + timedelta(hours=1),
                lambda: rectifications.from_form(stage, company, vendor, form_id),
            )

    for number, working_day in enumerate((3, 9), start=1):
        day = stage.working_day(month, working_day)
        audits.run_month(stage, company, day, number, drawn, after_form)
    following = month_before(month, -1)
    last = following - timedelta(days=1)
    steps: tuple[tuple[int, int, Act], ...] = (
        (1, 9, lambda: audits.sweep_clocks(stage, company)),
        (1, 14, lambda: results.recommend_some(stage, company, month)),
        (2, 10, lambda: results.receive(stage, company, month, last)),
        (2, 15, lambda: audits.give_opinions(stage, company)),
        (3, 10, lambda: results.select_some(stage, company, month)),
        (3, 15, lambda: results.score_month(stage, company, month)),
        (5, 10, lambda: results.settle_month(stage, company, month, company.vendors)),
    )
    for working_day, hour, act in steps:
        stage.at(stage.moment(stage.working_day(following, working_day), hour), act)


def _present(stage: Stage, company: Company, today: date, drawn: int) -> None:
    """The last days: a draw under review, one in delivery, call-ups and notices with clocks.

    They hang on today and not on the month, so that there is something to do whenever the demo is
    built.
    """
    first, second, third = company.vendors
    days = {back: stage.after(today, -back) for back in (1, 2, 4, 7)}
    made: dict[str, UUID] = {}

    def under_review() -> None:
        for vendor, request_id in audits.make_draw(stage, company, 1, drawn):
            made[vendor.plan.code] = request_id

    def review() -> None:
        for vendor in company.vendors:
            request_id = made[vendor.plan.code]
            audits.accept_all(stage, company, request_id)
            audits.review_all(stage, company, vendor, request_id, share=0.55)
            audits.fail_one(stage, company, vendor, request_id)
            audits.give_opinions(stage, company)

    def forms() -> None:
        form_id = audits.prepare(stage, company, third, made["ZY"])
        audits.prepare_all(stage, company, (first, second), made)
        if form_id is not None:
            audits.confirm(
                stage,
                company,
                third,
                form_id,
                lambda vendor, form: rectifications.from_form(stage, company, vendor, form),
            )

    def in_delivery() -> None:
        for vendor, request_id in audits.make_draw(
            stage, company, 2, drawn, options=audits.IN_STRATA
        ):
            made[f"{vendor.plan.code}2"] = request_id

    def handed_in() -> None:
        for vendor in company.vendors:
            deliver(stage, vendor, made[vendor.plan.code], unavailable=0.08)

    def partly() -> None:
        deliver(stage, first, made["HC2"], share=0.45, unavailable=0.03, hand_over=False)
        deliver(stage, third, made["ZY2"], share=0.7, unavailable=0.03)

    def overdue() -> None:
        made["late"] = audits.call_up_some(
            stage, company, first, 4, "监管转办投诉涉及个案，请提供全部通话录音与催收记录。"
        )

    def due_today() -> None:
        audits.call_up_some(stage, company, first, 3, "客户来电反映催收频次过高，核查近一月通话。")
        audits.call_up_some(stage, company, second, 2, "核查第三人联系依据。")

    def notices() -> None:
        for vendor, title, sealed in (
            (first, "外呼时段设置整改", True),
            (second, "催收记录要素补录整改", False),  # its seal is still to be granted
        ):
            rectifications.issue(stage, company, vendor, _notice(title), sealed=sealed)
        answered = rectifications.issue(
            stage, company, third, _notice("第三人联系管理整改", "minor")
        )
        stage.at(stage.moment(days[1], 15), lambda: rectifications.answer(stage, third, answered))

    acts: tuple[tuple[int, int, Act], ...] = (
        *disputes.acts(stage, company),
        (7, 10, under_review),
        (4, 9, handed_in),
        (4, 14, overdue),
        (2, 9, review),
        (2, 10, due_today),
        (2, 16, notices),
        (1, 9, forms),
        (1, 10, in_delivery),
        (1, 11, lambda: audits.leave_open(stage, company, first, made["HC"], answered=False)),
        (1, 12, lambda: audits.leave_open(stage, company, second, made["RX"], answered=True)),
        (1, 13, lambda: deliver(stage, first, made["late"], share=0.5, hand_over=False)),
        (1, 15, lambda: calls.both_lists(stage, company, first, made["HC2"])),
        (1, 16, partly),
    )
    for back, hour, act in acts:
        stage.at(stage.moment(days[back], hour), act)
    month = today.replace(day=1)
    if today.day > 3:
        stage.at(
            stage.moment(days[1], 11),
            lambda: results.receive(stage, company, month, days[1], share=today.day / 31),
        )


def _notice(title: str, level: str = "ordinary") -> NoticeText:
    return NoticeText(
        title=title,
        source="inspection",
        source_reference="日常管理现场检查",
        level=level,
        facts="现场检查发现相关作业未按委外管理办法执行，情况与检查记录一致。",
        grounds="《外包电催管理办法》日常管理条款。",
        demands=("查明原因并提交书面说明。", "三日内完成整改并附证明材料。"),
        consequence=CONSEQUENCE,
        working_days=5 if level == "minor" else 3,
    )


def _read_up(stage: Stage, company: Company) -> None:
    """Everybody has read the messages of earlier days."""
    read_at = stage.moment(stage.after(stage.calendar.local_day(stage.end), -1), 9, 1)
    with clock.frozen(min(read_at, stage.end)):
        with stage.company(company.id) as session:
            for person in company.accounts.values():
                mark_read(session, person)
        for vendor in company.vendors:
            with stage.vendor(vendor.id) as session:
                for member in vendor.people:
                    if member.account_id is not None:
                        mark_read(session, vendor.actor(member.role))
