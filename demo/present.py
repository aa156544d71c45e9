"""The last days of the demo: what lies open when somebody first signs in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from demo import audits, calls, disputes, draws, rectifications, results, reviews
from demo.deliveries import deliver
from demo.people import Company
from demo.stage import Act, Stage
from portal.rectification.rules import NoticeText
from portal.rectification.words import CONSEQUENCE

BACK = (1, 2, 4, 7)
"""So many working days ago something was done."""


def put_on(stage: Stage, company: Company, today: date, drawn: int) -> None:
    """Put the last days on the stage: a draw under review, one in delivery, call-ups and notices
    with clocks.

    They hang on today and not on the month, so that there is something to do whenever the demo is
    built.
    """
    days = {back: stage.after(today, -back) for back in BACK}
    for back, hour, act in _acts(_Present(stage, company, drawn)):
        stage.at(stage.moment(days[back], hour), act)
    if today.day > 3:
        month, share = today.replace(day=1), today.day / 31
        stage.at(
            stage.moment(days[1], 11),
            lambda: results.receive(stage, company, month, days[1], share=share),
        )


@dataclass
class _Present:
    """What is done on those days; `made` are the requests, by the vendor's code and purpose."""

    stage: Stage
    company: Company
    drawn: int
    made: dict[str, UUID] = field(default_factory=dict)

    def draw_for_review(self) -> None:
        for vendor, request_id in draws.make_draw(self.stage, self.company, 1, self.drawn):
            self.made[vendor.plan.code] = request_id

    def hand_in(self) -> None:
        for vendor in self.company.vendors:
            deliver(self.stage, vendor, self.made[vendor.plan.code], unavailable=0.08)

    def review(self) -> None:
        stage, company = self.stage, self.company
        for vendor in company.vendors:
            request_id = self.made[vendor.plan.code]
            reviews.accept_all(stage, company, request_id)
            reviews.review_all(stage, company, vendor, request_id, share=0.55)
            reviews.fail_one(stage, company, vendor, request_id)
            reviews.give_opinions(stage, company)

    def forms(self) -> None:
        stage, company = self.stage, self.company
        first, second, third = company.vendors
        form_id = audits.prepare(stage, company, third, self.made["ZY"])
        audits.prepare_all(stage, company, (first, second), self.made)
        if form_id is not None:
            audits.confirm(
                stage,
                company,
                third,
                form_id,
                lambda vendor, form: rectifications.from_form(stage, company, vendor, form),
            )

    def leave_open(self, number: int, *, answered: bool) -> None:
        vendor = self.company.vendors[number]
        request_id = self.made[vendor.plan.code]
        reviews.leave_open(self.stage, self.company, vendor, request_id, answered=answered)

    def draw_for_delivery(self) -> None:
        for vendor, request_id in draws.make_draw(
            self.stage, self.company, 2, self.drawn, options=draws.IN_STRATA
        ):
            self.made[f"{vendor.plan.code}2"] = request_id

    def list_calls(self) -> None:
        calls.both_lists(self.stage, self.company, self.company.vendors[0], self.made["HC2"])

    def deliver_partly(self) -> None:
        first, _second, third = self.company.vendors
        deliver(self.stage, first, self.made["HC2"], share=0.45, unavailable=0.03, hand_over=False)
        deliver(self.stage, third, self.made["ZY2"], share=0.7, unavailable=0.03)

    def call_up_overdue(self) -> None:
        self.made["late"] = self._call_up(
            0, 4, "监管转办投诉涉及个案，请提供全部通话录音与催收记录。"
        )

    def deliver_overdue(self) -> None:
        vendor = self.company.vendors[0]
        deliver(self.stage, vendor, self.made["late"], share=0.5, hand_over=False)

    def call_up_for_today(self) -> None:
        self._call_up(0, 3, "客户来电反映催收频次过高，核查近一月通话。")
        self._call_up(1, 2, "核查第三人联系依据。")

    def _call_up(self, number: int, count: int, reason: str) -> UUID:
        vendor = self.company.vendors[number]
        return draws.call_up_some(self.stage, self.company, vendor, count, reason)

    def notices(self) -> None:
        stage, company = self.stage, self.company
        first, second, third = company.vendors
        for vendor, title, sealed in (
            (first, "外呼时段设置整改", True),
            (second, "催收记录要素补录整改", False),  # its seal is still to be granted
        ):
            rectifications.issue(stage, company, vendor, _notice(title), sealed=sealed)
        answered = rectifications.issue(
            stage, company, third, _notice("第三人联系管理整改", "minor")
        )
        yesterday = stage.after(stage.calendar.local_day(stage.end), -1)
        stage.at(stage.moment(yesterday, 15), lambda: rectifications.answer(stage, third, answered))


def _acts(present: _Present) -> tuple[tuple[int, int, Act], ...]:
    """Working days ago, hour, and what is done then."""
    return (
        *disputes.acts(present.stage, present.company),
        (7, 10, present.draw_for_review),
        (4, 9, present.hand_in),
        (4, 14, present.call_up_overdue),
        (2, 9, present.review),
        (2, 10, present.call_up_for_today),
        (2, 16, present.notices),
        (1, 9, present.forms),
        (1, 10, present.draw_for_delivery),
        (1, 11, lambda: present.leave_open(0, answered=False)),
        (1, 12, lambda: present.leave_open(1, answered=True)),
        (1, 13, present.deliver_overdue),
        (1, 15, present.list_calls),
        (1, 16, present.deliver_partly),
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
