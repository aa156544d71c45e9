"""What is expected is not the vendor's choice: every connected call of a case has its item (A3).

The calls come from the lists of vendor and company. Where a case has one item for all its call
recordings, that item becomes one call's and each other call gets one of its own; files that were
delivered before the list came are put to the calls that their names tell of. A name that tells
nothing leaves its file with the item, which then stands for the call of the nearest length.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.contacts.models import CallRecord
from portal.contacts.queries import CallFacts, calls_of
from portal.deadlines import service as deadlines
from portal.files import matching
from portal.files.matching import Field, Status
from portal.files.models import StoredFile
from portal.files.service import NAME_PLACE
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.phrases import When, plural
from portal.materials.events import VENDOR_READERS, get_request, tell
from portal.materials.kinds import ItemState, MaterialKind, RequestEventKind
from portal.materials.lengths import compare_again
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.queries import CLOCK, file_of_delivery
from portal.materials.rounds import next_round
from portal.materials.rules import OPEN_STATES
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.vault import installed

CALL = MaterialKind.CALL_RECORDING.value


def window_of(request: MaterialRequest) -> tuple[datetime, datetime]:
    """From when to when (exclusive) calls are asked for: whole Beijing days, up to the issue."""
    since = clock.at_beijing(request.window_from)
    until = clock.at_beijing(request.window_to + timedelta(days=1))
    return since, min(until, request.issued_at or until)


def expect_in_open(
    session: Session, tenant_id: UUID, case_ids: Collection[UUID], *, actor: Actor
) -> int:
    """Add the calls of these cases to every open request on them; returns how many items.

    What the company's list adds is due two working days from then (A3), on a clock of its own;
    what the vendor's own list adds was due with the request.
    """
    found = session.scalars(
        sa.select(MaterialRequest.id)
        .where(
            MaterialRequest.tenant_id == tenant_id,
            MaterialRequest.state.in_(OPEN_STATES),
            sa.exists().where(
                RequestItem.tenant_id == MaterialRequest.tenant_id,
                RequestItem.request_id == MaterialRequest.id,
                RequestItem.kind == CALL,
                RequestItem.case_id.in_(case_ids),
            ),
        )
        .order_by(MaterialRequest.id)
    ).all()
    added = 0
    for request_id in found:
        request = get_request(session, request_id, lock=True)
        made = expect_calls(session, request)
        if made:
            _say_added(session, request, made, actor=actor)
        added += len(made)
    return added


def expect_calls(session: Session, request: MaterialRequest) -> list[RequestItem]:
    """Give every connected call in the request's window its item; returns those added."""
    items = session.scalars(
        sa.select(RequestItem)
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
            RequestItem.kind == CALL,
            RequestItem.state != ItemState.CANCELLED,
        )
        .order_by(RequestItem.id)
    ).all()
    by_case: dict[UUID, list[RequestItem]] = {}
    for item in items:
        by_case.setdefault(item.case_id, []).append(item)
    since, until = window_of(request)
    calls: dict[UUID, list[CallFacts]] = {}
    for call in calls_of(session, request.tenant_id, by_case, since, until):
        if call.connected:
            calls.setdefault(call.case_id, []).append(call)
    added: list[RequestItem] = []
    for case_id, own in calls.items():
        added += _expect(session, request, by_case[case_id], own)
    return added


def _expect(
    session: Session,
    request: MaterialRequest,
    items: Sequence[RequestItem],
    calls: Sequence[CallFacts],
) -> list[RequestItem]:
    """The items of one case against its calls; returns what was added."""
    known = {item.call_id for item in items}
    new = [call for call in calls if call.id not in known]
    whole = next((item for item in items if item.call_id is None), None)
    if not new:
        return []
    placed = _places(session, whole, new) if whole is not None else {}
    # Where recordings were wanted "if they exist", a call that is known makes its own required.
    if whole is not None and (placed or _stands_for_one(whole)):
        first = next(iter(placed.values()), None) or _nearest(session, whole, new)
        whole.call_id = first
        whole.version += 1
        new = [call for call in new if call.id != first]
        session.flush()
    made = {call.id: _item(request, items[0], call) for call in new}
    session.add_all(made.values())
    session.flush()
    for delivery_id, call_id in placed.items():
        if call_id in made:
            _move(session, request, delivery_id, made[call_id])
    for item in (whole, *made.values()):
        if item is not None and item.call_id is not None and item.state == ItemState.DELIVERED:
            compare_again(session, item)
    return list(made.values())


def _stands_for_one(whole: RequestItem) -> bool:
    """Whether the item of a case becomes one of its calls: not what was accepted for the case, nor
    what nobody owes."""
    if whole.state == ItemState.MISSING:
        return whole.required
    return whole.state != ItemState.ACCEPTED


def _nearest(session: Session, whole: RequestItem, calls: Sequence[CallFacts]) -> UUID:
    """The call that is as long as the file delivered for the case; the first where none is."""
    results = session.scalars(
        sa.select(Delivery.check_result)
        .where(
            Delivery.tenant_id == whole.tenant_id,
            Delivery.item_id == whole.id,
            Delivery.state == "current",
        )
        .order_by(Delivery.id)
    )
    lengths = [facts["duration"] for found in results if "duration" in (facts := _facts(found))]
    if not lengths:
        return calls[0].id
    return min(calls, key=lambda call: abs(call.seconds - lengths[0])).id


def _facts(found: dict[str, Any] | None) -> dict[str, Any]:
    facts: dict[str, Any] = (found or {}).get("facts", {})
    return facts


def _item(request: MaterialRequest, like: RequestItem, call: CallFacts) -> RequestItem:
    return RequestItem(
        tenant_id=request.tenant_id,
        request_id=request.id,
        case_id=like.case_id,
        case_no=like.case_no,
        kind=CALL,
        call_id=call.id,
        required=True,
        state=ItemState.MISSING,
        issued_at=like.issued_at,
        round=like.round,
        due_at=like.due_at,
        replaces_case_id=like.replaces_case_id,
    )


def _move(session: Session, request: MaterialRequest, delivery_id: UUID, item: RequestItem) -> None:
    """A file that was delivered for the case goes to the call that its name tells of."""
    delivery = session.get(Delivery, (request.tenant_id, delivery_id))
    if delivery is not None:
        delivery.item_id = item.id
        item.state = ItemState.DELIVERED
        session.flush()


def _places(
    session: Session, whole: RequestItem, calls: Sequence[CallFacts]
) -> Mapping[UUID, UUID]:
    """Which call each delivered file of the case's item is of, by its name: delivery → call. Only
    while the vendor's delivery is still its own affair."""
    if whole.state != ItemState.DELIVERED:
        return {}
    key = installed().key(session, whole.tenant_id)
    files = session.execute(
        sa.select(Delivery.id, StoredFile.id.label("file_id"), StoredFile.name_sealed)
        .join(StoredFile, file_of_delivery())
        .where(
            Delivery.tenant_id == whole.tenant_id,
            Delivery.item_id == whole.id,
            Delivery.state == "current",
            StoredFile.state == "stored",
        )
        .order_by(Delivery.id)
    ).all()
    rows = session.execute(
        sa.select(
            CallRecord.id,
            CallRecord.phone_index,
            CallRecord.call_index,
            CallRecord.started_at,
            CallRecord.extension,
        ).where(
            CallRecord.tenant_id == whole.tenant_id,
            CallRecord.id.in_([call.id for call in calls]),
        )
    )
    places = [
        matching.Item(
            str(row.id),
            whole.case_no,
            frozenset((row.phone_index,)),
            call_key=row.call_index,
            at=row.started_at,
            extension=row.extension,
        )
        for row in rows
    ]
    found = matching.match(
        [key.open(NAME_PLACE, file.file_id, file.name_sealed) for file in files],
        places,
        blind=lambda field, text: key.index(Field(field).value, text),
    )
    placed: dict[UUID, UUID] = {}
    for file, answer in zip(files, found, strict=True):
        if answer.status is Status.MATCHED and answer.item:
            placed[file.id] = UUID(answer.item)
    return placed


def _say_added(
    session: Session, request: MaterialRequest, added: Sequence[RequestItem], *, actor: Actor
) -> None:
    """A line of the history, the clock that the added calls run on, and the vendor's message."""
    tell(session, request, RequestEventKind.CALLS_ADDED, actor=actor, data={"items": len(added)})
    request.version += 1
    if actor.is_company:
        row = next_round(session, request)
        due_at = max(row.due_at, request.due_at)
        for item in added:
            item.round, item.due_at = row.round, due_at
    else:
        due_at = _owed_since(session, request, added, actor=actor)
    session.flush()
    notify(
        session,
        tenant_id=request.tenant_id,
        roles=VENDOR_READERS,
        message=plural(
            "%(items)s more call is expected on %(number)s; due %(due)s (Beijing time).",
            "%(items)s more calls are expected on %(number)s; due %(due)s (Beijing time).",
            by="items",
            items=len(added),
            number=request.number,
            due=When(due_at),
        ),
        path=f"/requests/{request.id}",
        kind=MessageKind.WORK,
    )


def _owed_since(
    session: Session, request: MaterialRequest, added: Sequence[RequestItem], *, actor: Actor
) -> datetime:
    """What the vendor's own list adds was owed from the issue on: it runs on the clock of its case.
    Where a hand-in had stopped that clock, it was not complete, and the clock runs again. Returns
    when the first of it is due."""
    for round_no in sorted({item.round for item in added}):
        deadlines.run_again(
            session, request.tenant_id, request.id, kind=CLOCK, round_no=round_no, actor=actor
        )
    return min(item.due_at or request.due_at for item in added)
