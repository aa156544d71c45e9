"""A recording's length against what the call list says of its call."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.contacts.models import CallRecord
from portal.files.problems import Problem
from portal.materials.models import Delivery, RequestItem
from portal.materials.rules import length_differs

_CODE = "length_differs"


def listed_seconds(session: Session, item: RequestItem) -> int | None:
    """How long the call lasted by the list, where the item is one call's recording."""
    if item.call_id is None:
        return None
    return session.scalar(
        sa.select(CallRecord.seconds).where(
            CallRecord.tenant_id == item.tenant_id, CallRecord.id == item.call_id
        )
    )


def remark(seconds: float, listed: int | None) -> Problem | None:
    """What is to be said of a recording of `seconds`, or None."""
    if listed is None or not length_differs(seconds, listed):
        return None
    return Problem(_CODE, {"found": round(seconds), "listed": listed})


def compare_again(session: Session, item: RequestItem) -> None:
    """The files of an item that has become a call's, compared with that call. One that is not
    checked yet is compared by its check."""
    listed = listed_seconds(session, item)
    rows = session.scalars(
        sa.select(Delivery)
        .where(Delivery.tenant_id == item.tenant_id, Delivery.item_id == item.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for delivery in rows:
        found = delivery.check_result or {}
        seconds = found.get("facts", {}).get("duration")
        if seconds is None:
            continue
        remarks = [one for one in found.get("remarks", ()) if one["code"] != _CODE]
        said = remark(float(seconds), listed)
        if said is not None:
            remarks.append({"code": said.code, "params": dict(said.params)})
        delivery.check_result = {**found, "remarks": remarks}
    session.flush()
