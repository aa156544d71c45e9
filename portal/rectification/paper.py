"""The content of the rectification notice as it is frozen and printed (整改通知书, C2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar.rules import Due
from portal.deadlines.service import basis_of
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.settings import settings
from portal.notices.service import Recipient
from portal.rectification import repeats
from portal.rectification.models import Demand, Rectification
from portal.rectification.words import STOPS
from portal.vendors.addressees import addressees
from portal.vendors.models import Contract
from tenants.models import Tenant, TenantKind

TITLE = "整改通知书"
DEPARTMENT = "委外管理部"
"""The notice is the company's, issued by the vendor management; the audit gives opinions (A10)."""
_PARTS = {"manager": "经理", "supervisor": "主管"}


@dataclass(frozen=True, slots=True)
class Duties:
    """`stop`: account and person stop at once; `recheck`: days until the re-check."""

    stop: bool
    recheck: int


def recipients(session: Session, tenant_id: UUID) -> list[Recipient]:
    """Whom the notice goes to: the vendor's managers and supervisors."""
    return addressees(session, tenant_id, _PARTS)


def notice_content(
    session: Session,
    notice: Rectification,
    demands: Sequence[Demand],
    due: Due,
    duties: Duties,
    *,
    actor: Actor,
) -> dict[str, Any]:
    """What the paper holds, in the shape of `portal.notices.papers.rectification`."""
    company = session.scalars(sa.select(Tenant).where(Tenant.kind == TenantKind.COMPANY)).one()
    vendor = session.scalars(sa.select(Tenant).where(Tenant.id == notice.tenant_id)).one()
    content: dict[str, Any] = {
        "issuer": {"name": company.name, "department": DEPARTMENT},
        "vendor": {"name": vendor.name, "code": vendor.code},
        "source": notice.source,
        "facts": [{"facts": notice.facts, "ground": notice.grounds, "level": notice.level}],
        "demands": [{"demand": demand.text} for demand in demands],
        "due": {"at": due.due_at.isoformat(), "why": basis_of(due)["days"]},
        "consequence": notice.consequence,
        "answer_at": f"{settings().base_url}/rectifications/{notice.id}",
        "contact": {"name": actor.name, "department": DEPARTMENT},
        "signed": {"name": actor.name, "at": clock.now().isoformat()},
        "recheck_days": duties.recheck,
    }
    number = _contract(session, notice.tenant_id)
    if number:
        content["contract"] = {"number": number}
    if notice.follows_id:
        former = session.get(Rectification, (notice.tenant_id, notice.follows_id))
        if former is not None and former.number:
            content["follows"] = former.number
    earlier = repeats.found(session, notice)
    if earlier:
        content["repeats"] = [
            f"{one.number}：{'、'.join(one.shared)}"[:200] for one in earlier[:20]
        ]
    if notice.source_reference:
        content["source_reference"] = notice.source_reference
    if duties.stop:
        content["stops"] = [STOPS]
    return content


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
