"""Rectification notices: issued from assessment forms, answered, accepted or returned (C2.4)."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from demo import seals
from demo.people import Company, Vendor
from demo.stage import Stage
from portal.audits.models import AssessmentForm
from portal.kernel import clock
from portal.kernel.access import Role
from portal.rectification import repeats
from portal.rectification.answers import save_answer, submit_answer
from portal.rectification.decisions import accept_answer, return_answer
from portal.rectification.queries import get_notice
from portal.rectification.rules import AnswerText, NoticeText
from portal.rectification.service import (
    issue_notice,
    text_from_form,
    write_draft,
)
from portal.rectification.words import CONSEQUENCE
from tenants.rows import new_id

ANSWERS = (
    (
        "新入职催收员培训后未经通关考核即上线，组长抽听比例不足。",
        "已对责任人停岗培训两日并重新通关；对其名下在案逐户抽听，未发现同类问题。",
        "新人上线前通关考核，首月每日抽听五通；质检日报由主管签字。",
        "责任人书面警告，扣发当月绩效，组长连带通报。",
    ),
    (
        "催收系统备注模板缺少必填校验，催收员图快漏记要素。",
        "备注模板已增加必填项，本月漏记记录于两日内补录完毕并复核。",
        "内勤每日核对话单与记录，差异当日反馈至组长。",
        "责任人口头警告并参加记录规范培训。",
    ),
    (
        "外呼时段与频次限制未在新号码池启用。",
        "已在拨号平台对全部号码池启用时段与频次上限，并导出设置截图留存。",
        "变更号码池须由主管与内勤双人确认，每周抽查一次。",
        "平台管理员通报批评。",
    ),
)


def from_form(stage: Stage, company: Company, vendor: Vendor, form_id: UUID) -> None:
    """Issue a notice on a form two hours after it, and let the vendor answer in its own time."""
    with stage.company(company.id) as session:
        form = session.scalars(sa.select(AssessmentForm).where(AssessmentForm.id == form_id)).one()
        text = text_from_form(session, form, CONSEQUENCE)
    notice_id = issue(stage, company, vendor, text, form_id)
    follow(stage, company, vendor, notice_id, text.working_days)


def issue(
    stage: Stage,
    company: Company,
    vendor: Vendor,
    text: NoticeText,
    form_id: UUID | None = None,
    *,
    sealed: bool = True,
) -> UUID:
    """Write and issue a notice now; the use of its seal is granted, or still waits."""
    actor = company.actor("vendors")
    with stage.company(company.id) as session:
        notice = write_draft(
            session,
            draft_id=new_id(),
            tenant_id=vendor.id,
            form_id=form_id,
            text=text,
            actor=actor,
        )
        if repeats.proposed(session, notice) is not None:
            repeats.decide(
                session, notice, take=False, reason="首次由整改通知跟踪，不升级。", actor=actor
            )
        issue_notice(session, notice, actor=actor)
        notice_id = notice.id
    if sealed:
        seals.decide(stage, company, vendor)
    return notice_id


def follow(
    stage: Stage, company: Company, vendor: Vendor, notice_id: UUID, working_days: int
) -> None:
    """The answer, now and then late, and what the company decides on it."""
    dice, today = stage.dice, clock.today()
    late = dice.random() > 0.55 + vendor.plan.quality * 0.42
    answered = stage.after(today, working_days + (1 if late else 0))
    decided = stage.after(answered, 1)
    stage.at(
        stage.moment(answered, 20 if working_days == 0 else 15),
        lambda: answer(stage, vendor, notice_id),
    )
    if dice.random() > vendor.plan.quality:
        again = stage.after(decided, 2)
        stage.at(stage.moment(decided, 10), lambda: send_back(stage, company, notice_id))
        stage.at(stage.moment(again, 11), lambda: answer(stage, vendor, notice_id))
        decided = stage.after(again, 1)
    stage.at(stage.moment(decided, 16), lambda: accept(stage, company, notice_id))


def answer(stage: Stage, vendor: Vendor, notice_id: UUID) -> None:
    """The vendor's manager answers with cause, correction and prevention."""
    actor = vendor.actor(Role.MANAGER)
    cause, correction, prevention, treatment = stage.dice.choice(ANSWERS)
    with stage.vendor(vendor.id) as session:
        notice = get_notice(session, notice_id, lock=True)
        text = AnswerText(cause, correction, prevention, treatment, clock.today())
        save_answer(session, notice, text, seen_version=0, actor=actor)
        submit_answer(session, notice, actor=actor)


def accept(stage: Stage, company: Company, notice_id: UUID) -> None:
    """The company accepts."""
    with stage.company(company.id) as session:
        notice = get_notice(session, notice_id, lock=True)
        accept_answer(session, notice, "整改到位，三十日后复查。", actor=company.actor("vendors"))


def send_back(stage: Stage, company: Company, notice_id: UUID) -> None:
    """The company returns an answer with its reason and a new date."""
    with stage.company(company.id) as session:
        notice = get_notice(session, notice_id, lock=True)
        return_answer(
            session,
            notice,
            "原因分析笼统，未附抽听记录；请补充逐户抽听结果与责任人处理依据。",
            3,
            actor=company.actor("vendors"),
        )
