"""Opinions, appeals, crisis records and one-time links of the last days (A5, A10)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from demo.people import Company, Vendor
from demo.stage import Act, Stage
from portal.audits.appeals.models import Appeal
from portal.audits.appeals.service import announce, decide, raise_appeal
from portal.audits.crises import service as crises
from portal.audits.links.service import make
from portal.audits.models import AssessmentForm, Escalation, Finding
from portal.kernel import clock
from portal.kernel.access import Actor, Role, system_actor
from portal.rectification.opinions.service import give, turn
from portal.rectification.service import text_from_form
from tenants.database import ScopedSession
from tenants.rows import new_id

RISK, NONE = "涉及客户家属，存在投诉升级风险。", "个别人员违规，已停岗，未造成影响。"


def _newest_form(session: ScopedSession, vendor: Vendor) -> AssessmentForm | None:
    return session.scalars(
        sa.select(AssessmentForm)
        .where(AssessmentForm.tenant_id == vendor.id, AssessmentForm.issued_at.is_not(None))
        .order_by(AssessmentForm.issued_at.desc())
        .limit(1)
    ).first()


def give_opinion(stage: Stage, company: Company, vendor: Vendor, *, turned: bool) -> None:
    """The audit head gives an opinion on the vendor's newest form; the vendor manager makes a draft
    of it, or has it waiting."""
    with stage.company(company.id) as session:
        form = _newest_form(session, vendor)
        if form is None:
            return
        opinion = give(
            session,
            opinion_id=new_id(),
            tenant_id=vendor.id,
            form_id=form.id,
            text=text_from_form(session, form, ""),
            actor=company.actor("head"),
        )
        if turned:
            turn(session, opinion, actor=company.actor("vendors"))


def appeal(stage: Stage, company: Company, vendor: Vendor, reason: str) -> UUID | None:
    """The vendor's manager appeals a finding of the vendor's newest form that is not disputed yet."""
    with stage.company(company.id) as session:
        form = _newest_form(session, vendor)
        known = sa.select(Appeal.finding_id).where(Appeal.tenant_id == vendor.id)
        finding_id = form and session.scalar(
            sa.select(Finding.id)
            .where(
                Finding.tenant_id == vendor.id,
                Finding.form_id == form.id,
                Finding.state == "issued",
                Finding.id.not_in(known),
            )
            .order_by(Finding.case_no)
            .limit(1)
        )
    if not finding_id:
        return None
    with stage.vendor(vendor.id) as session:
        finding = session.scalars(sa.select(Finding).where(Finding.id == finding_id)).one()
        made = raise_appeal(session, finding, reason, actor=vendor.actor(Role.MANAGER)).id
    with stage.company(company.id) as session:
        announce(session, actor=system_actor(company.id))
    return made


def settle(stage: Stage, company: Company, appeal_id: UUID | None, *, uphold: bool) -> None:
    """An auditor who had no part in the finding decides an appeal."""
    if appeal_id is None:
        return
    with stage.company(company.id) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == appeal_id)).one()
        reason = (
            "经复听全程录音，客户要求结束通话后催收员未再追问，原认定依据不足，予以撤销。"
            if uphold
            else "经复听录音，所列用语属实，维持原认定。"
        )
        decide(session, row, uphold=uphold, reason=reason, actor=company.actor("reviewer"))


def handle_crises(stage: Stage, company: Company) -> None:
    """The newest report is handled, the one before it is none, older ones are closed."""
    gm, head = company.actor("gm"), company.actor("head")
    with stage.company(company.id) as session:
        rows = session.scalars(
            sa.select(Escalation).order_by(Escalation.raised_at.desc()).limit(3)
        ).all()
        for place, row in enumerate(rows):
            begin = place != 1
            crises.decide(
                session,
                row,
                begin=begin,
                reason=RISK if begin else NONE,
                lead="稽核部负责人" if begin else "",
                actor=gm,
            )
            if begin:
                _steps(session, row, done=place > 0, head=head)
            if place > 1:
                crises.close(session, row, "客户已接受解释，责任人已退出项目。", actor=gm)


def _steps(session: ScopedSession, row: Escalation, *, done: bool, head: Actor) -> None:
    today = clock.today()
    for kind, text, owner in (
        ("measure", "责任人停岗，相关账户停止作业。", "供应商经理"),
        ("informed", "已通报委外管理岗与委案公司联系人。", "委外管理岗"),
        ("measure", "向客户致歉并说明处理结果。", "稽核部"),
    ):
        step = crises.add_step(
            session,
            row,
            kind=kind,
            text=text,
            owner=owner,
            due_on=today + timedelta(days=2),
            actor=head,
        )
        if kind == "measure" and (done or owner == "供应商经理"):
            crises.finish_step(session, row, step.id, actor=head)


def hand_link(stage: Stage, company: Company, vendor: Vendor) -> None:
    """The team leader makes a one-time link for the person responsible of the newest form."""
    with stage.vendor(vendor.id) as session:
        form = _newest_form(session, vendor)
        finding = (
            form
            and session.scalars(
                sa.select(Finding)
                .where(Finding.form_id == form.id)
                .order_by(Finding.case_no)
                .limit(1)
            ).first()
        )
        if form and finding:
            make(
                session,
                form,
                finding.person_name,
                finding.staff_no,
                actor=vendor.actor(Role.MANAGER),
            )


def acts(stage: Stage, company: Company) -> tuple[tuple[int, int, Act], ...]:
    """What happens on the last days: so many working days back, at an hour."""
    first, second, third = company.vendors
    raised: list[UUID | None] = []

    def dispute() -> None:
        reason = "录音中客户已同意继续沟通，不构成所列违规，请复听。"
        raised.append(appeal(stage, company, second, reason))
        appeal(stage, company, first, "话单与录音时间不符，请核对通话归属。")

    return (
        (4, 10, dispute),
        (2, 11, lambda: settle(stage, company, raised[0], uphold=True)),
        (2, 15, lambda: give_opinion(stage, company, second, turned=True)),
        (1, 11, lambda: give_opinion(stage, company, third, turned=False)),
        (1, 14, lambda: handle_crises(stage, company)),
        (1, 15, lambda: hand_link(stage, company, third)),
    )
