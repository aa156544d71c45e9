"""The content of the fee statement (费用结算单), frozen when finance confirms it."""

from __future__ import annotations

from calendar import monthrange
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.fees.models import Statement
from portal.fees.reasons import multiplier_shown, sentence
from portal.fees.rules import Line, LineKind
from portal.fees.rules import Statement as Result
from portal.fees.scheme import TierMode, parse_fee_scheme
from portal.fees.snapshot import thaw
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.phrases import written_in
from portal.notices.seals import language_of
from portal.scoring.models import Score
from portal.scoring.reasons import age_label
from portal.vendors.models import Contract, Project, VendorProfile
from tenants.models import Tenant, TenantKind

DEPARTMENT = "财务部"


def content_of(session: Session, row: Statement, actor: Actor) -> dict[str, Any]:
    """What stands on the paper; amounts and figures are texts as printed.
    Reasons are in the language of the vendor's papers, not in the actor's."""
    with written_in(language_of(session, row.tenant_id)):
        return _content(session, row, actor)


def _content(session: Session, row: Statement, actor: Actor) -> dict[str, Any]:
    company = session.scalars(sa.select(Tenant).where(Tenant.kind == TenantKind.COMPANY)).one()
    vendor = session.scalars(sa.select(Tenant).where(Tenant.id == row.tenant_id)).one()
    contract = session.scalars(sa.select(Contract).where(Contract.id == row.contract_id)).one()
    score = session.scalars(sa.select(Score).where(Score.id == row.score_id)).one()
    result, scheme = thaw(row.result), parse_fee_scheme(row.result["terms"])
    first = f"{row.period}-01"
    content: dict[str, Any] = {
        "issuer": {"name": company.name, "department": DEPARTMENT},
        "vendor": {"name": vendor.name, "code": vendor.code},
        "month": row.period,
        "period": {"first": first, "last": _last(row.period)},
        "contract": {"number": contract.number},
        "project": _projects(session, contract),
        "payer": _party(session, company.id),
        "payee": _party(session, vendor.id),
        "bands": [_band(line) for line in result.lines if line.kind is LineKind.COMMISSION],
        "commission": str(result.commission),
        "tier": _tier(result, scheme.tier_mode),
        "factor": _factor(row, score),
        "after_factor": str(result.fee),
        "deductions": _charges(result, LineKind.DEDUCTION, LineKind.RED_LINE, sign=-1),
        "rewards": _charges(result, LineKind.REWARD),
        "adjustments": _charges(result, LineKind.LATE, LineKind.ADJUSTMENT, LineKind.DEDUCTION_CAP),
        "reversals": _charges(result, LineKind.REVERSAL, sign=-1),
        "payable": str(result.payable),
        "net": str(result.net),
        "tax": str(result.tax),
        "tax_rate": _percent(scheme.tax_rate),
        "deduction_limit": _percent(scheme.deduction_cap),
        "prepared": {"name": row.prepared_by_name, "at": row.prepared_at.isoformat()},
        "checked": {"name": actor.name, "at": clock.now().isoformat()},
    }
    return content


def _last(period: str) -> str:
    year, number = map(int, period.split("-"))
    return f"{period}-{monthrange(year, number)[1]:02d}"


def _projects(session: Session, contract: Contract) -> str:
    names = session.scalars(
        sa.select(Project.name)
        .where(Project.tenant_id == contract.tenant_id, Project.contract_id == contract.id)
        .order_by(Project.name)
    )
    return "、".join(names)[:80] or "—"


def _party(session: Session, tenant_id: UUID) -> dict[str, str]:
    profile = session.scalars(
        sa.select(VendorProfile).where(VendorProfile.tenant_id == tenant_id)
    ).one()
    return {
        "name": profile.legal_name,
        "tax_number": profile.tax_no,
        "bank": profile.bank_name,
        "account": profile.bank_account,
        "address": profile.address,
        "phone": profile.contact,
    }


def _percent(share: Decimal) -> str:
    return f"{(share * 100).quantize(Decimal('0.01')).normalize():f}"


def _band(line: Line) -> dict[str, Any]:
    params = line.params
    band = {
        "band": str(age_label(params["age"])),
        "project": params["project"][:80],
        "accounts": int(params["accounts"]),
        "entrusted": params["entrusted"],
        "confirmed": params["receipts"],
        "rate": _percent(Decimal(params["rate"])),
        "commission": str(line.amount),
    }
    if params["recovered"]:
        band["recovery"] = _percent(Decimal(params["recovered"]))
    return band


def _tier(result: Result, mode: TierMode) -> dict[str, str]:
    """The tier; without targets nothing says how much of them was attained."""
    made = {
        "multiplier": multiplier_shown(result.multiplier),
        "rule": "whole" if mode is TierMode.WHOLE else "marginal",
    }
    return made if result.attainment is None else made | {"attainment": _percent(result.attainment)}


def _factor(row: Statement, score: Score) -> dict[str, str]:
    made = {"value": f"{row.factor:.2f}"}
    if score.grade:
        made["grade"] = score.grade
    if score.total is not None:
        made["score"] = str(score.total)
    if score.number:
        made["reference"] = score.number
    return made


def _charges(result: Result, *kinds: LineKind, sign: int = 1) -> list[dict[str, str]]:
    return [
        {
            "reason": str(sentence(line)),
            "amount": str(line.amount * sign),
            **({"clause": line.params["clause"]} if "clause" in line.params else {}),
            **({"reference": known} if (known := _reference(line)) else {}),
        }
        for line in result.lines
        if line.kind in kinds
    ]


def _reference(line: Line) -> str:
    """The paper that a line comes from, else the case."""
    return line.params.get("form") or line.params.get("case_no", "")
