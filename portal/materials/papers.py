"""The content of the two papers: the request (调取通知) and the delivery receipt (材料接收回执)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.deadlines.models import Deadline
from portal.files.kinds import FileKind
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.settings import settings
from portal.materials.items import PaperItem
from portal.materials.kinds import MaterialKind
from portal.materials.models import HandIn, MaterialRequest, RequestItem
from portal.materials.queries import RequestedCase
from portal.materials.rules import standing
from portal.materials.words import REASONS_ON_PAPER
from portal.notices.models import Document
from portal.notices.service import Recipient
from portal.vendors.addressees import addressees
from portal.vendors.models import Contract
from tenants.models import Tenant, TenantKind

DEPARTMENT = "稽核部"
_DEPARTMENTS = {Role.VENDOR_MANAGER: "委外管理部"}
REQUEST_TITLE = "调取通知"
RECEIPT_TITLE = "材料接收回执"
_PARTS = {"manager": "经理", "office": "内勤"}


def recipients(session: Session, tenant_id: UUID) -> list[Recipient]:
    """Whom the request goes to: the vendor's managers and office staff."""
    return addressees(session, tenant_id, _PARTS)


def department_of(actor: Actor) -> str:
    """The department for which somebody issues: the audit's, unless a vendor manager does."""
    if actor.roles & {Role.AUDITOR, Role.AUDIT_HEAD}:
        return DEPARTMENT
    return next((_DEPARTMENTS[r] for r in actor.roles if r in _DEPARTMENTS), DEPARTMENT)


def _formats(names: Sequence[str]) -> str:
    return "、".join(FileKind(name).label for name in names)


def _draw(facts: Mapping[str, Any], cases: int) -> dict[str, Any]:
    """How the vendor's cases were drawn; the seed itself stays with the portal's page."""
    seed = facts.get("seed_hash") or hashlib.sha256(str(facts.get("seed", "")).encode()).hexdigest()
    return {
        "method": "proportional",
        "drawn_at": str(facts.get("drawn_at") or clock.now().isoformat()),
        "population": int(facts["population"]),
        "sample": cases,
        "seed_hash": seed,
        "population_hash": str(facts["population_hash"]),
    }


def _contract(session: Session, tenant_id: UUID) -> str | None:
    today = clock.today()
    return session.scalar(
        sa.select(Contract.number)
        .where(
            Contract.tenant_id == tenant_id, Contract.starts_on <= today, Contract.ends_on >= today
        )
        .order_by(Contract.starts_on.desc())
        .limit(1)
    )


def request_content(
    session: Session,
    request: MaterialRequest,
    deadline: Deadline,
    cases: Sequence[RequestedCase],
    *,
    actor: Actor,
) -> dict[str, Any]:
    """What stands on the request's paper. Card numbers go in masked: the content is kept."""
    company = session.scalars(sa.select(Tenant).where(Tenant.kind == TenantKind.COMPANY)).one()
    vendor = session.scalars(sa.select(Tenant).where(Tenant.id == request.tenant_id)).one()
    calls = _expected_calls(session, request)
    content: dict[str, Any] = {
        "issuer": {"name": company.name, "department": department_of(actor)},
        "vendor": {"name": vendor.name, "code": vendor.code},
        "basis": "draw" if request.manner == "draw" else "call_up",
        "period": {
            "first": request.window_from.isoformat(),
            "last": request.window_to.isoformat(),
        },
        "due": {"at": deadline.due_at.isoformat(), "why": deadline.basis["days"]},
        "deliver_at": f"{settings().base_url}/requests/{request.id}",
        "contact": {"name": actor.name, "department": department_of(actor)},
        "materials": [
            {
                "name": entry["name"],
                "requirement": entry["requirement"],
                "format": _formats(entry["formats"]),
            }
            for entry in request.wanted
        ],
        "cases": [
            {
                "case_number": case.case_no,
                "creditor": case.entrusting_company,
                "card": case.card_masked,
                "customer": case.debtor_masked,
                "project": case.project,
                **({"expected_calls": calls[case.id]} if case.id in calls else {}),
            }
            for case in cases
        ],
        "signed": {"name": actor.name, "at": clock.now().isoformat()},
    }
    if request.reason:
        content["reason"] = request.reason
    number = _contract(session, request.tenant_id)
    if number:
        content["contract"] = {"number": number}
    if request.manner == "draw":
        content["draw"] = _draw(request.draw_facts, len(cases))
    return content


def _expected_calls(session: Session, request: MaterialRequest) -> dict[UUID, int]:
    """How many calls are expected of each case whose calls are known (A3)."""
    rows = session.execute(
        sa.select(RequestItem.case_id, sa.func.count())
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
            RequestItem.call_id.is_not(None),
        )
        .group_by(RequestItem.case_id)
    )
    return {row[0]: row[1] for row in rows}


def request_paper(session: Session, request: MaterialRequest) -> Document | None:
    """The request's own paper."""
    return session.scalars(
        sa.select(Document).where(
            Document.tenant_id == request.tenant_id,
            Document.subject_id == request.id,
            Document.template == "material_request",
        )
    ).first()


def _state(item: PaperItem) -> tuple[str, str | None]:
    """An item's state on the receipt, and the reason beside it."""
    place = standing(item.tallied)
    if place == "unavailable":
        reason = REASONS_ON_PAPER[item.answer_reason or ""]
        return place, f"{reason}；{item.answer_note}"[:180] if item.answer_note else reason
    if item.broken:
        return place, "仅有无法使用的文件，不计入已交，待更换"
    if item.state == "returned":
        return place, "稽核部已退回，待重新提交"
    return place, None


def receipt_content(
    request: MaterialRequest,
    paper: Document,
    made: HandIn,
    items: Sequence[PaperItem],
    *,
    begun_at: datetime,
    deadline: Deadline,
    actor: Actor,
) -> dict[str, Any]:
    """What stands on a receipt (UX 3): number, server time, in time or late, every item, every
    file with its SHA-256, who handed in. Built in the vendor's own scope from its own rows."""
    names = {entry["kind"]: entry["name"] for entry in request.wanted}
    materials, files = [], []
    for item in items:
        if not standing(item.tallied):
            continue
        state, reason = _state(item)
        material = names[MaterialKind(item.kind)]
        if item.call is not None:
            material = f"{material} {clock.beijing(item.call.started_at):%m-%d %H:%M:%S}"
        row = {
            "case_number": item.case_no,
            "card": item.card_masked,
            "material": material,
            "expected": 1,
            "delivered": 0 if item.broken else len(item.files),
            "state": state,
        }
        materials.append({**row, "reason": reason} if reason else row)
        files += [
            {
                "name": file.safe_name,
                "case_number": item.case_no,
                "material": material,
                "size": file.size,
                "sha256": file.sha256,
                "received_at": file.delivered_at.isoformat(),
            }
            for file in item.files
        ]
    return {
        "issuer": paper.content["issuer"],
        "vendor": paper.content["vendor"],
        "request": {
            "number": request.number,
            "issued_at": (request.issued_at or made.at).isoformat(),
            "due_at": made.due_at.isoformat(),
        },
        "begun_at": min(begun_at, made.at).isoformat(),
        "completed_at": made.at.isoformat(),
        "on_time": made.in_time,
        "late_working_days": made.working_days_late,
        "counts": made.counts,
        "materials": materials,
        "files": files,
        "handed_in_by": {"name": actor.name},
        "delivery": made.no,
        "due": {"at": deadline.due_at.isoformat(), "why": deadline.basis["days"]},
    }


def next_edition(former: str, first: str) -> str:
    """The number of the receipt that replaces `former`: R1, R1-2, R1-3 …"""
    _first, _, edition = former.removeprefix(first).partition("-")
    return f"{first}-{int(edition or 1) + 1}"


def recounted_receipt(
    content: Mapping[str, Any], made: HandIn, deadline: Deadline
) -> dict[str, Any]:
    """A receipt's content with the due time that holds since an extension, and what follows."""
    due = made.due_at.isoformat()
    return {
        **{key: value for key, value in content.items() if key != "supersedes"},
        "request": {**content["request"], "due_at": due},
        "on_time": made.in_time,
        "late_working_days": made.working_days_late,
        "due": {"at": due, "why": deadline.basis["days"]},
    }
