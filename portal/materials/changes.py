"""What the company takes back or exchanges: requests, items, cases (撤销, 换抽; A3, A10)."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.deadlines import service as deadlines
from portal.deadlines.queries import rounds_of
from portal.deadlines.rules import DeadlineState
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.events import Event, publish
from portal.kernel.phrases import Phrase, phrase, plural
from portal.kernel.reasons import reason_of
from portal.materials import expected
from portal.materials.events import VENDOR_READERS, get_request, tell
from portal.materials.kinds import ItemState, RequestEventKind, RequestState
from portal.materials.models import MaterialRequest, RequestItem
from portal.materials.queries import (
    CLOCK,
    RequestedCase,
    broken_ids,
    case_ids_of,
    requested_cases,
)
from portal.materials.rounds import next_round
from portal.materials.rules import Tallied, check_open, moved, standing
from portal.materials.service import chosen_items, close_if_done
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify


@dataclass(frozen=True, slots=True)
class CasesWithdrawn(Event):
    """Cases of a request are not wanted any more (`subject_id` is the request's id)."""

    case_ids: tuple[UUID, ...]


def cancel_request(
    session: Session, request_id: UUID, *, reason: str, seen_version: int, actor: Actor
) -> None:
    """Take a request back with the reason, which the vendor reads; its clocks are void and what
    was still owed is cancelled.

    What was delivered and what was late by then stays in the record.
    """
    request = _locked(session, request_id, seen_version)
    text = reason_of(reason)
    deadlines.void(session, request.tenant_id, request.id, CLOCK)
    owed = (ItemState.MISSING, ItemState.RETURNED)
    _cancel(session, request, [i for i in _all_items(session, request) if i.state in owed])
    request.state = RequestState.CANCELLED
    tell(session, request, RequestEventKind.CANCELLED, actor=actor, data={"note": text})
    _record(session, request, "materials.request.cancelled", actor=actor)
    _tell_vendor(
        session,
        request,
        phrase("Material request %(number)s is cancelled.", number=request.number),
    )
    session.flush()
    _publish_withdrawn(session, request, _case_ids(session, request), actor=actor)


def cancel_items(
    session: Session,
    request_id: UUID,
    item_ids: Sequence[UUID],
    *,
    reason: str,
    seen_version: int,
    actor: Actor,
) -> int:
    """Take items back with the reason; returns how many. Accepted ones refuse (`Conflict`), and
    so do all that are left: then the request itself is to be cancelled."""
    request = _locked(session, request_id, seen_version)
    text = reason_of(reason)
    items = chosen_items(session, request, item_ids)
    _cancel(session, request, items)
    if not _wanted(session, request):
        raise Conflict(
            phrase("These are all items that are still wanted."),
            phrase("Cancel the whole request."),
        )
    data: dict[str, object] = {"items": len(items), "note": text}
    if len(items) == 1:
        data |= {"case_no": items[0].case_no, "kind": items[0].kind}
    tell(session, request, RequestEventKind.ITEMS_CANCELLED, actor=actor, data=data)
    _record(session, request, "materials.items.cancelled", items=items, actor=actor)
    _tell_vendor(
        session,
        request,
        plural(
            "%(items)s item of %(number)s is cancelled.",
            "%(items)s items of %(number)s are cancelled.",
            by="items",
            items=len(items),
            number=request.number,
        ),
    )
    _settle(session, request, {item.case_id for item in items}, actor=actor)
    return len(items)


def substitute_case(
    session: Session,
    request_id: UUID,
    case_id: UUID,
    by_case_id: UUID,
    *,
    reason: str,
    actor: Actor,
) -> int:
    """Put another case of the vendor in a case's place (换抽), with the reason, which the vendor
    reads; returns the number of new items.

    The old case's items are cancelled; the new one's are due in two working days on a clock of
    their own. `Conflict` when something of the old case is accepted, or the new one is asked for
    already.
    """
    request = get_request(session, request_id, lock=True)
    check_open(request.state)
    text = reason_of(reason)
    items = _items_of(session, request, case_id)
    if not items:
        raise NotFound("case of the request")
    if _items_of(session, request, by_case_id):
        raise Conflict(phrase("That case is asked for already."), phrase("Choose another case."))
    (case,) = requested_cases(session, request.tenant_id, [by_case_id])
    _cancel(session, request, items)
    made = _add_case(session, request, case, items[0].case_id)
    request.items += len(made)
    data = {"case_no": items[0].case_no, "by_case_no": case.case_no, "note": text}
    tell(session, request, RequestEventKind.SUBSTITUTED, actor=actor, data=data)
    _record(
        session,
        request,
        "materials.case.substituted",
        actor=actor,
        data={"case": str(case_id), "by": str(by_case_id)},
    )
    _tell_vendor(
        session,
        request,
        phrase(
            "A case of %(number)s is replaced by another; the reason stands with the request.",
            number=request.number,
        ),
    )
    _settle(session, request, {case_id}, actor=actor)
    return len(made)


def substitute_by_number(
    session: Session,
    request_id: UUID,
    *,
    case_no: str,
    by_case_no: str,
    reason: str,
    seen_version: int,
    actor: Actor,
) -> int:
    """`substitute_case` by case numbers, for a call-up. A draw's cases are exchanged by the draw
    itself, which can be recomputed (`Conflict`)."""
    request = _locked(session, request_id, seen_version)
    if request.manner == "draw":
        raise Conflict(
            phrase("A drawn case is replaced by the next one of the draw."),
            phrase("Replace it on the draw's page."),
        )
    numbers = [case_no.strip(), by_case_no.strip()]
    if not all(numbers):
        raise Invalid(phrase("A case number is missing."), phrase("Give both case numbers."))
    old, new = (case_ids_of(session, request.tenant_id, [number])[0] for number in numbers)
    return substitute_case(session, request_id, old, new, reason=reason, actor=actor)


def _locked(session: Session, request_id: UUID, seen_version: int) -> MaterialRequest:
    request = get_request(session, request_id, lock=True)
    check_open(request.state)
    if request.version != seen_version:
        raise Conflict(
            phrase("The request has changed since you opened the page."),
            phrase("Look at its present state, then decide again."),
        )
    return request


def _items_of(session: Session, request: MaterialRequest, case_id: UUID) -> list[RequestItem]:
    return list(
        session.scalars(
            sa.select(RequestItem)
            .where(
                RequestItem.tenant_id == request.tenant_id,
                RequestItem.request_id == request.id,
                RequestItem.case_id == case_id,
            )
            .order_by(RequestItem.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _cancel(session: Session, request: MaterialRequest, items: Sequence[RequestItem]) -> None:
    for item in items:
        item.state = moved(item.state, ItemState.CANCELLED)
        item.version += 1
    request.version += 1
    session.flush()


def _add_case(
    session: Session, request: MaterialRequest, case: RequestedCase, replaces: UUID
) -> list[RequestItem]:
    row = next_round(session, request)
    made = [
        RequestItem(
            tenant_id=request.tenant_id,
            request_id=request.id,
            case_id=case.id,
            case_no=case.case_no,
            kind=kind["kind"],
            required=kind["required"],
            state=ItemState.MISSING,
            issued_at=clock.now(),
            round=row.round,
            due_at=row.due_at,
            replaces_case_id=replaces,
        )
        for kind in request.wanted
    ]
    session.add_all(made)
    session.flush()
    expected.expect_calls(session, request)
    return made


def _all_items(session: Session, request: MaterialRequest) -> list[RequestItem]:
    return list(
        session.scalars(
            sa.select(RequestItem).where(
                RequestItem.tenant_id == request.tenant_id, RequestItem.request_id == request.id
            )
        )
    )


def _wanted(session: Session, request: MaterialRequest) -> bool:
    return any(item.state != ItemState.CANCELLED for item in _all_items(session, request))


def _case_ids(session: Session, request: MaterialRequest) -> set[UUID]:
    return {item.case_id for item in _all_items(session, request)}


def _settle(
    session: Session, request: MaterialRequest, case_ids: set[UUID], *, actor: Actor
) -> None:
    """What follows when items are gone: clocks on which no item runs are void, cases of which
    none is left are withdrawn, a request of which the rest is accepted is closed."""
    items = _all_items(session, request)
    left = [item for item in items if item.state != ItemState.CANCELLED]
    running = {item.round for item in left}
    for row in rounds_of(session, request.tenant_id, request.id, CLOCK):
        if row.state == DeadlineState.OPEN and row.round not in running:
            deadlines.void(session, request.tenant_id, request.id, CLOCK, row.round)
    if request.state == RequestState.HANDED_IN:
        _meet_clocks(session, request, left)
        close_if_done(session, request, actor=actor)
    session.flush()
    gone = case_ids - {item.case_id for item in left}
    _publish_withdrawn(session, request, gone, actor=actor)


def _meet_clocks(session: Session, request: MaterialRequest, left: Sequence[RequestItem]) -> None:
    """After a hand-in: a clock on which the cancelled items were all that was owed is met by the
    hand-in that was the last."""
    unfit = broken_ids(session, request)
    owed = {item.round for item in left if standing(_tallied(item, unfit)) == "missing"}
    at = request.handed_in_at
    for row in rounds_of(session, request.tenant_id, request.id, CLOCK):
        if at and row.state == DeadlineState.OPEN and row.round not in owed:
            deadlines.close(
                session, request.tenant_id, request.id, at=at, kind=CLOCK, round_no=row.round
            )


def _tallied(item: RequestItem, unfit: Set[UUID]) -> Tallied:
    answered = item.answer_reason is not None
    return Tallied(item.state, item.required, answered, problems=int(item.id in unfit))


def _publish_withdrawn(
    session: Session, request: MaterialRequest, case_ids: set[UUID], *, actor: Actor
) -> None:
    if case_ids:
        event = CasesWithdrawn(request.tenant_id, request.id, tuple(sorted(case_ids)))
        publish(session, event, actor)


def _record(
    session: Session,
    request: MaterialRequest,
    action: str,
    *,
    actor: Actor,
    items: Sequence[RequestItem] = (),
    data: dict[str, str] | None = None,
) -> None:
    record(
        session,
        action,
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={
            "number": request.number,
            **({"items": [str(item.id) for item in items]} if items else {}),
            **(data or {}),
        },
    )


def _tell_vendor(session: Session, request: MaterialRequest, message: Phrase) -> None:
    notify(
        session,
        tenant_id=request.tenant_id,
        roles=VENDOR_READERS,
        message=message,
        path=f"/requests/{request.id}",
        kind=MessageKind.WORK,
    )
