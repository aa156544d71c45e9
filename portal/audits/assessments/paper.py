"""The content of the daily audit assessment form as it is frozen and printed (A6)."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.assessments.queries import FindingRow, ReviewedRow
from portal.audits.models import AssessmentForm, Finding
from portal.audits.terms import terms_on
from portal.calendar.rules import WorkingCalendar
from portal.calendar.service import load as load_calendar
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import NotFound
from portal.kernel.money import cents
from portal.materials.models import MaterialRequest
from portal.vendors.models import Contract
from tenants.models import Tenant, TenantKind

TITLE = "日常稽核评估表"
DEPARTMENT = "稽核部"
MERGED = "同一通话按第%s条处理，不重复扣分扣款（一事不二罚）"
_MANNERS = {"draw": "random", "ad_hoc": "targeted"}


def form_content(
    session: Session,
    form: AssessmentForm,
    rows: Sequence[FindingRow],
    reviewed: Sequence[ReviewedRow],
    *,
    head: Mapping[str, str],
) -> dict[str, Any]:
    """What the paper holds, in the shape of `portal.notices.papers.audit.AssessmentForm`.

    `head`: name and moment of the audit head's confirmation. Personal data only masked: the card
    number 前6后4 (A6, C4.1); whole ones go apart (`cards.to_print`).
    """
    request = session.get(MaterialRequest, (form.tenant_id, form.request_id))
    vendor = session.get(Tenant, form.tenant_id)
    company = session.scalars(sa.select(Tenant).where(Tenant.kind == TenantKind.COMPANY)).first()
    if request is None or vendor is None or company is None:
        raise NotFound("what the form is about")
    terms, days = terms_on(session, clock.today()), load_calendar(session)
    content: dict[str, Any] = {
        "issuer": {"name": company.name, "department": DEPARTMENT},
        "vendor": {"name": vendor.name, "code": vendor.code},
        "project": "、".join(dict.fromkeys(row.project for row in rows))[:80],
        "period": _month(form.period),
        "manner": form.manner,
        "expected": form.expected,
        "delivered": form.delivered,
        "reviewed": form.reviewed,
        "passed": form.passed,
        "findings": [_finding(row, days) for row in rows if not row.overturned],
        "auditor": {
            "name": form.prepared_by_name,
            "at": form.prepared_at.isoformat(),
            "title": "稽核员",
        },
        "head": {**head, "title": "稽核部负责人"},
        "appeal_days": terms.appeal,
        "decide_days": terms.decide,
        "request_number": request.number,
        "reviews": [
            {
                "case_number": row.case_no,
                "card": row.card,
                "creditor": row.entrusting_company,
                "passed": row.passed,
            }
            for row in reviewed
        ],
    }
    contract = _contract(session, form)
    if contract is not None:
        content["contract"] = {"number": contract.number}
        if contract.served_if_unopened:
            content["deemed_days"] = terms.deemed
    return content


@dataclass(frozen=True, slots=True)
class Told:
    """A decision on an appeal as the superseding paper tells of it. `before`, `after`: what it
    changed of the finding, as `FindingCorrection` keeps it."""

    finding: Finding
    decided_at: datetime
    by: str
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def corrected_content(
    session: Session,
    form: AssessmentForm,
    rows: Sequence[FindingRow],
    reviewed: Sequence[ReviewedRow],
    told: Sequence[Told],
) -> dict[str, Any]:
    """What the paper holds that replaces an issued one after an appeal was upheld in whole or part:
    the findings as they stand, the decisions with what fell or changed, the passed cases counted
    anew. The audit head's confirmation is the one that the form has."""
    if form.confirmed_at is None or form.confirmed_by_name is None:
        raise NotFound("confirmed form")
    head = {"name": form.confirmed_by_name, "at": form.confirmed_at.isoformat()}
    content = form_content(session, form, rows, reviewed, head=head)
    content["passed"] = sum(row.passed for row in reviewed)
    content["corrections"] = [_correction(one) for one in told]
    return content


def _correction(one: Told) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "case_number": one.finding.case_no,
        "clause": one.before.get("clause_no", one.finding.clause_no),
        "decided_at": one.decided_at.isoformat(),
        "decided_by": one.by,
        "reason": one.reason,
    }
    if "clause_no" in one.after:
        entry["eased"] = {"before": _weight(one.before), "after": _weight(one.after)}
    return entry


def _weight(kept: Mapping[str, Any]) -> dict[str, str]:
    return {
        "clause": kept["clause_no"],
        "level": kept["level"],
        "points": f"{Decimal(kept['points']).normalize():f}",
        "deduction": f"{cents(Decimal(kept['deduction'])):.2f}",
    }


def confirmation(head: Actor) -> dict[str, str]:
    """Who confirms a form, and when (A6)."""
    return {"name": head.name, "at": clock.now().isoformat()}


def manner_of(request: MaterialRequest) -> str:
    """随机 for a draw, 专项 for a request outside it."""
    return _MANNERS[request.manner]


def _month(period: str) -> dict[str, str]:
    year, month = map(int, period.split("-"))
    last = calendar.monthrange(year, month)[1]
    return {"first": f"{period}-01", "last": f"{period}-{last:02d}"}


def _contract(session: Session, form: AssessmentForm) -> Contract | None:
    today = clock.today()
    return session.scalars(
        sa.select(Contract)
        .where(
            Contract.tenant_id == form.tenant_id,
            Contract.starts_on <= today,
            Contract.ends_on >= today,
        )
        .order_by(Contract.starts_on.desc())
        .limit(1)
    ).first()


def _finding(row: FindingRow, days: WorkingCalendar) -> dict[str, Any]:
    finding = row.finding
    content: dict[str, Any] = {
        "creditor": row.entrusting_company,
        "case_number": finding.case_no,
        "card": row.card,
        "customer": row.customer,
        "age_band": row.age_band,
        "person": finding.person_name,
        "facts": finding.facts,
        "clauses": [{"number": finding.clause_no, "text": finding.clause_text}],
        "level": finding.level,
        "handling": MERGED % row.merged_into if row.merged_into else finding.handling,
        "points": f"{row.points.normalize():f}",
        "deduction": f"{cents(row.deduction):.2f}",
        "escalated": finding.escalated,
        "call_seconds": row.call_seconds,
    }
    content.update(_when_present(finding))
    if finding.correct_by is not None:
        content["correct_by"] = days.close_on(finding.correct_by).isoformat()
    return {key: value for key, value in content.items() if value is not None}


def _when_present(finding: Finding) -> dict[str, Any]:
    found: dict[str, Any] = {
        "group": finding.group_name,
        "leader": finding.leader_name,
        "person_number": finding.staff_no,
        "words": finding.words,
        "correction": finding.correction,
        "from_second": finding.clip_from,
        "to_second": finding.clip_to,
        "call_at": _iso(finding.call_at),
    }
    return {key: value for key, value in found.items() if value not in (None, "")}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
