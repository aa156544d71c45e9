"""A month's results: receipts, excellent cases, scores and fee statements (A7, C2.4, C7)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from demo import seals
from demo.cases import workbook
from demo.people import TARGETS, Company, Vendor
from demo.stage import Stage, period_of
from portal.cases.models import Case
from portal.cases.queries import entrusted
from portal.excellence.models import ExcellentCase
from portal.excellence.service import decide, recommend
from portal.fees import service as fees
from portal.kernel.access import Role
from portal.receipts.imports.service import FLOW
from portal.receipts.imports.sheet import COLUMNS
from portal.scoring import service as scores

WHY = (
    "客户情绪激动，催收员耐心安抚并协助核对账单，全程文明用语，客户当日主动还款。",
    "识别客户确有困难，如实登记并反馈，协助申请分期方案，后续按期履约。",
    "首次联系身份核实规范，话术完整，记录与录音逐项一致，可作培训范例。",
)


def receive(stage: Stage, company: Company, month: date, last: date, share: float = 1.0) -> None:
    """Import the receipts credited in a month up to `last`; `share` of what a month brings."""
    rows: list[dict[str, Any]] = []
    for vendor in company.vendors:
        rows += _receipts(stage, company, vendor, month, last, share)
    if len(rows) > 20:
        rows.append(_reversal(rows[stage.dice.randrange(len(rows) // 2)], last))
    actor = company.actor("finance")
    content = workbook("回款清单", COLUMNS, rows)
    name = f"{month:%Y-%m}回款清单.xlsx"
    with stage.company(company.id) as session:
        import_id = FLOW.upload(session, io.BytesIO(content), name=name, actor=actor).id
    with stage.company(company.id) as session:
        FLOW.check(session, import_id, lambda _done, _total: None)
    with stage.company(company.id) as session:
        row = FLOW.get(session, import_id)
        FLOW.confirm(
            session,
            import_id,
            seen_version=row.version,
            leave_bad=False,
            actor=company.actor("finance2"),
        )
    with stage.company(company.id) as session:
        FLOW.take(session, import_id, lambda _done, _total: None)


def _receipts(
    stage: Stage, company: Company, vendor: Vendor, month: date, last: date, share: float
) -> list[dict[str, Any]]:
    """Money on some cases of each project and age band, so much that the vendor comes near to its
    target."""
    dice = stage.dice
    rows: list[dict[str, Any]] = []
    with stage.company(company.id) as session:
        held = entrusted(session, vendor.id, period_of(month))
        cases = session.execute(
            sa.select(Case.case_no, Case.project_id, Case.age_band, Case.amount, Case.entrusted_on)
            .where(
                Case.tenant_id == vendor.id,
                Case.due_back_on > last,
                Case.entrusted_on < last,
                sa.or_(Case.closed_on.is_(None), Case.closed_on >= month),
            )
            .order_by(Case.case_no)
        ).all()
    for cell in held:
        of_cell = [
            case
            for case in cases
            if (case.project_id, case.age_band) == (cell.project_id, cell.age_band)
        ]
        wanted = float(cell.amount) * float(TARGETS[cell.age_band]) / 100 * share
        wanted *= vendor.plan.attainment * dice.uniform(0.86, 1.12)
        for case in dice.sample(of_cell, min(len(of_cell), 12)):
            if wanted < 100:
                break
            paid = min(wanted, float(case.amount) * dice.uniform(0.2, 0.9))
            wanted -= paid
            first = max(month, case.entrusted_on + timedelta(days=1))
            if first > last:
                continue
            day = first + timedelta(days=dice.randrange((last - first).days + 1))
            rows.append(
                {
                    "serial": f"HK{month:%Y%m}{vendor.plan.code}{len(rows):05d}",
                    "vendor": vendor.plan.code,
                    "case_no": case.case_no,
                    "credited_on": day,
                    "amount": Decimal(str(round(paid, 2))),
                    "reverses": "",
                }
            )
    return rows


def _reversal(row: dict[str, Any], last: date) -> dict[str, Any]:
    """One receipt is taken back: credited by mistake."""
    return {
        **row,
        "serial": f"{row['serial']}C",
        "credited_on": last,
        "amount": -row["amount"],
        "reverses": row["serial"],
    }


def recommend_some(stage: Stage, company: Company, month: date) -> None:
    """Each vendor recommends two cases of a month."""
    for vendor in company.vendors:
        with stage.vendor(vendor.id) as session:
            numbers = session.scalars(sa.select(Case.case_no).order_by(Case.case_no)).all()
            for number in stage.dice.sample(list(numbers), 2):
                recommend(
                    session,
                    case_no=number,
                    period=period_of(month),
                    why=stage.dice.choice(WHY),
                    actor=vendor.actor(Role.MANAGER),
                )


def select_some(stage: Stage, company: Company, month: date) -> None:
    """The general department selects about half of what was recommended (A7)."""
    with stage.company(company.id) as session:
        rows = session.scalars(
            sa.select(ExcellentCase)
            .where(ExcellentCase.period == period_of(month), ExcellentCase.state == "recommended")
            .order_by(ExcellentCase.case_no)
        ).all()
        for row in rows:
            good = stage.dice.random() < 0.55
            decide(
                session,
                row,
                select=good,
                note="" if good else "录音开场不完整，不宜作范例。",
                actor=company.actor("general"),
            )


def score_month(stage: Stage, company: Company, month: date, *, issue: bool = True) -> None:
    """Compute every vendor's score of a month, and issue it."""
    for vendor in company.vendors:
        with stage.company(company.id) as session:
            row = scores.compute(
                session,
                tenant_id=vendor.id,
                period=period_of(month),
                actor=company.actor("vendors"),
            )
            if issue:
                scores.issue(session, row.id, actor=company.actor("head"))


def settle_month(
    stage: Stage, company: Company, month: date, vendors: Sequence[Vendor], *, confirm: bool = True
) -> None:
    """Prepare the statements of a month, and have a second person confirm them."""
    for vendor in vendors:
        with stage.company(company.id) as session:
            for row in fees.prepare(
                session,
                tenant_id=vendor.id,
                period=period_of(month),
                actor=company.actor("finance"),
            ):
                if confirm:
                    fees.confirm(session, row.id, actor=company.actor("finance2"))
        seals.decide(stage, company, vendor)
