"""What a check that ended after the hand-in found unusable: told to both sides, once.

The receipt stands as it was issued. Whether the item is late is decided by its return. The worker's
sweep tells of it, for a vendor's own session cannot write to the company's inbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.phrases import plural
from portal.materials.arrivals import FOLLOWERS
from portal.materials.events import VENDOR_READERS, tell
from portal.materials.kinds import CheckState, RequestEventKind, RequestState
from portal.materials.models import Delivery, HandIn, MaterialRequest, RequestEvent, RequestItem
from portal.materials.queries import broken, request_of_item
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.models import Tenant


def announce(session: Session, *, actor: Actor, limit: int = 500) -> int:
    """Tell the vendor and the audit department of items that were handed in as delivered and hold
    only unusable files, as their checks found since (company scope), each once; how many."""
    rows = session.execute(_untold().limit(limit)).all()
    for _request_id, group in groupby(rows, key=lambda row: row[0].id):
        found = list(group)
        request: MaterialRequest = found[0][0]
        _tell(session, request, found[0].short_name, [row[1] for row in found], actor=actor)
    session.flush()
    return len(rows)


def _untold() -> Any:
    """Requests with such items, by request."""
    later = aliased(HandIn)
    last = sa.and_(
        HandIn.tenant_id == MaterialRequest.tenant_id,
        HandIn.request_id == MaterialRequest.id,
        ~sa.exists().where(
            later.tenant_id == HandIn.tenant_id,
            later.request_id == HandIn.request_id,
            later.no > HandIn.no,
        ),
    )
    handed_in = sa.exists().where(
        Delivery.tenant_id == RequestItem.tenant_id,
        Delivery.item_id == RequestItem.id,
        Delivery.state == "current",
        Delivery.check_state == CheckState.PROBLEM,
        Delivery.delivered_at <= HandIn.at,
    )
    told = sa.exists().where(
        RequestEvent.tenant_id == RequestItem.tenant_id,
        RequestEvent.request_id == RequestItem.request_id,
        RequestEvent.kind == RequestEventKind.UNUSABLE,
        RequestEvent.id > HandIn.id,
        RequestEvent.data["ids"].has_key(sa.cast(RequestItem.id, sa.Text)),
    )
    return (
        sa.select(MaterialRequest, RequestItem, Tenant.short_name)
        .join(RequestItem, request_of_item())
        .join(HandIn, last)
        .join(Tenant, Tenant.id == MaterialRequest.tenant_id)
        .where(
            MaterialRequest.state == RequestState.HANDED_IN,
            broken(),
            RequestItem.id != sa.all_(HandIn.unusable),
            handed_in,
            ~told,
        )
        .order_by(MaterialRequest.id, RequestItem.id)
        .with_for_update(of=MaterialRequest, skip_locked=True)
    )


def _tell(
    session: Session,
    request: MaterialRequest,
    vendor: str,
    items: Sequence[RequestItem],
    *,
    actor: Actor,
) -> None:
    """A line of the history, one of the journal, and a message to each side."""
    ids = [str(item.id) for item in items]
    data: dict[str, object] = {"items": len(items), "ids": ids}
    if len(items) == 1:
        data |= {"case_no": items[0].case_no, "kind": items[0].kind}
    tell(session, request, RequestEventKind.UNUSABLE, actor=actor, data=data)
    record(
        session,
        "materials.items.unusable",
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={"number": request.number, "items": ids, "at": clock.now().isoformat()},
    )
    path = f"/requests/{request.id}?show=problem"
    to_vendor = plural(
        "%(items)s item handed in on %(number)s cannot be used, as the check found: "
        "replace the files.",
        "%(items)s items handed in on %(number)s cannot be used, as the check found: "
        "replace the files.",
        by="items",
        items=len(items),
        number=request.number,
    )
    to_company = plural(
        "%(vendor)s, %(number)s: %(items)s item handed in cannot be used, as the check found.",
        "%(vendor)s, %(number)s: %(items)s items handed in cannot be used, as the check found.",
        by="items",
        vendor=vendor,
        number=request.number,
        items=len(items),
    )
    for tenant_id, roles, message in (
        (request.tenant_id, VENDOR_READERS, to_vendor),
        (actor.company_id, FOLLOWERS, to_company),
    ):
        notify(
            session,
            tenant_id=tenant_id,
            roles=roles,
            message=message,
            path=path,
            kind=MessageKind.WORK,
        )
