"""Lines of a request's history, and the one way to find and lock a request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import NotFound
from portal.materials.kinds import RequestEventKind
from portal.materials.models import MaterialRequest, RequestEvent, RequestItem

VENDOR_READERS = (Role.MANAGER, Role.OFFICE, Role.SUPERVISOR, Role.TEAM_LEADER)
"""Who of a vendor is told of what happens to a request."""


def tell(
    session: Session,
    request: MaterialRequest,
    kind: RequestEventKind,
    *,
    actor: Actor,
    data: dict[str, Any] | None = None,
) -> None:
    """Add a line to the history that both sides see. `data` holds no personal data."""
    session.add(
        RequestEvent(
            tenant_id=request.tenant_id,
            request_id=request.id,
            kind=kind.value,
            at=clock.now(),
            by_name=actor.name,
            data=data or {},
        )
    )


def get_request(
    session: Session, request_id: UUID, *, lock: bool = False, share: bool = False
) -> MaterialRequest:
    """The request, if the scope sees it; raises `NotFound`.

    `lock` is for what judges the whole request (hand-in, decisions); `share` for deliveries and
    answers, which wait for those and not for each other.
    """
    statement = sa.select(MaterialRequest).where(MaterialRequest.id == request_id)
    if lock or share:
        statement = statement.with_for_update(read=share).execution_options(populate_existing=True)
    found = session.scalars(statement).first()
    if found is None:
        raise NotFound("material request")
    return found


def get_item(session: Session, request: MaterialRequest, item_id: UUID) -> RequestItem:
    """An item of the request, locked; raises `NotFound`."""
    found = session.scalars(
        sa.select(RequestItem)
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
            RequestItem.id == item_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise NotFound("request item")
    return found
