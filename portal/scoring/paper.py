"""The content of the monthly assessment result (月度考核结果), frozen at issue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.phrases import written_in
from portal.notices.seals import language_of
from portal.scoring.models import Score
from portal.scoring.reasons import sentence
from portal.scoring.rules import DimensionScore, IndicatorScore
from portal.scoring.rules import Score as Result
from portal.scoring.scheme import parse_scheme
from portal.scoring.snapshot import thaw
from tenants.models import Tenant, TenantKind

DEPARTMENT = "委外管理部"
APPEAL_WORKING_DAYS = 3


def content_of(session: Session, row: Score, actor: Actor) -> dict[str, Any]:
    """What stands on the paper; numbers are texts as printed.
    Reasons are in the language of the vendor's papers, not in the actor's."""
    with written_in(language_of(session, row.tenant_id)):
        return _content(session, row, actor)


def _content(session: Session, row: Score, actor: Actor) -> dict[str, Any]:
    company = session.scalars(sa.select(Tenant).where(Tenant.kind == TenantKind.COMPANY)).one()
    vendor = session.scalars(sa.select(Tenant).where(Tenant.id == row.tenant_id)).one()
    result = thaw(row.result)
    scheme = parse_scheme(row.facts["scheme"])
    version = f"第{row.scheme_version}版" if row.scheme_version else "系统默认版"
    content: dict[str, Any] = {
        "issuer": {"name": company.name, "department": DEPARTMENT},
        "vendor": {"name": vendor.name, "code": vendor.code},
        "month": row.period,
        "scheme": f"供应商月度考核方案（{version}）",
        "dimensions": [_dimension(each) for each in result.dimensions],
        "before_cap": _figure(result.before_cap),
        "total": _figure(result.total),
        "factor": str(row.factor.quantize(Decimal("0.01"))),
        "bands": _bands(scheme.grades),
        "lost": _lost(result),
        "signed": {"name": actor.name, "at": clock.now().isoformat()},
        "appeal_days": APPEAL_WORKING_DAYS,
    }
    if row.grade is not None:
        content["grade"] = row.grade
    if result.cap_lines:
        content["cap"] = {
            "limit": str(scheme.red_line_cap),
            "reason": str(sentence(result.cap_lines[0])),
        }
    return content


def _figure(value: Decimal | None) -> str:
    return str(value if value is not None else Decimal("0.00"))


def _dimension(each: DimensionScore) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": each.title,
        "weight": str(each.weight),
        "score": _figure(each.points),
        "indicators": [_indicator(one) for one in each.indicators],
    }
    if each.reweighted:
        made["scheme_weight"] = str(each.nominal)
        made["note"] = (
            "本月无数据，权重按比例分配至其他维度"
            if each.points is None
            else "其他维度无数据，权重按比例调整"
        )
    return made


def _indicator(one: IndicatorScore) -> dict[str, Any]:
    return {
        "name": one.title,
        "full": str(one.weight),
        "got": _figure(one.points),
        "basis": "无数据" if one.points is None else f"{len(one.lines)} 项扣分事实",
    }


def _bands(grades: Any) -> list[dict[str, Any]]:
    ordered = sorted(grades, key=lambda grade: grade.start, reverse=True)
    made, below = [], None
    for grade in ordered:
        band = {"grade": grade.grade, "least": str(grade.start), "factor": str(grade.factor)}
        if below is not None:
            band["below"] = below
        if not grade.placements:
            band["consequence"] = "暂停新增委案"
        made.append(band)
        below = str(grade.start)
    return made


def _lost(result: Result) -> list[dict[str, Any]]:
    names = {d.code: d.title for d in result.dimensions}
    lines = [
        (names[dimension.code], line)
        for dimension in result.dimensions
        for indicator in dimension.indicators
        for line in indicator.lines
        if line.lost
    ]
    lines += [("红线封顶", line) for line in result.cap_lines if line.lost]
    return [
        {
            "dimension": name,
            "points": str(line.lost),
            "fact": str(sentence(line)),
            **({"reference": line.params["number"]} if "number" in line.params else {}),
        }
        for name, line in lines
    ]
