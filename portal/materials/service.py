"""Issue material requests (A3, A10), and accept or return what was delivered on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.deadlines.models import Deadline
from portal.deadlines.service import open_deadline
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import When, phrase, plural
from portal.materials import expected, papers
from portal.materials.events import VENDOR_READERS, get_request, tell
from portal.materials.kinds import ItemState, RequestEventKind, RequestState
from portal.materials.models import MaterialRequest, RequestItem
from portal.materials.queries import (
    CLOCK,
    RequestedCase,
    case_ids_of,
    request_counts,
    requested_cases,
)
from portal.materials.rounds import next_round
from portal.materials.rules import WORKING_DAYS, Wanted, moved
from portal.materials.scheme import frozen_wanted, window_in_force
from portal.notices.numbering import next_number
from portal.notices.service import issue
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.rows import new_id

MOST_CASES = 2_000
MOST_NOTE = 1_000


def issue_request(
    session: Session,
    *,
    tenant_id: UUID,
    manner: str,
    draw_id: UUID | None,
    reason: str,
    period: str,
    draw_facts: Mapping[str, Any],
    wanted: Sequence[Wanted],
    case_ids: Sequence[UUID],
    actor: Actor,
) -> MaterialRequest:
    """Demand `wanted` of every case, due in two working days (A3), and tell the vendor.

    Company scope. `manner` is "draw" or "ad_hoc" (A10, needs `reason`). `draw_facts` are what the
    vendor may know of its own share: `drawn_at` (ISO), `population` (its cases in hand),
    `population_hash`, `seed` or `seed_hash`, and more for the page. A second call for the same
    draw returns the request that stands. Raises `NotFound` for a case of another vendor,
    `YearNotConfirmed` when the calendar cannot give the date.
    """
    if draw_id is not None and (standing := _of_draw(session, tenant_id, draw_id)):
        return standing
    _check(manner, reason, wanted, case_ids)
    cases = requested_cases(session, tenant_id, case_ids)
    now = clock.now()
    kinds, scheme = frozen_wanted(session, clock.today(), wanted)
    window_from, window_to = window_in_force(session, clock.today())
    due = calendar_service.load(session).due_after(now, WORKING_DAYS)
    request = MaterialRequest(
        tenant_id=tenant_id,
        id=new_id(),
        number=next_number(session, tenant_id, "DQ", now),
        manner=manner,
        draw_id=draw_id,
        reason=reason.strip(),
        period=period,
        window_from=window_from,
        window_to=window_to,
        draw_facts={**draw_facts, "scheme": scheme},
        state=RequestState.ISSUED,
        cases=len(cases),
        items=len(cases) * len(kinds),
        due_at=due.due_at,
        issued_by=actor.account_id,
        issued_by_name=actor.name,
        issued_at=now,
        wanted=kinds,
    )
    session.add(request)
    session.flush()
    session.add_all(_items(request, cases))
    session.flush()
    expected.expect_calls(session, request)
    deadline = open_deadline(
        session,
        tenant_id=tenant_id,
        kind=CLOCK,
        subject=("material_request", request.id),
        label=request.number,
        owed_by="vendor",
        due=due,
    )
    _note_issue(session, request, actor=actor)
    _send(session, request, deadline, cases, actor=actor)
    return request


def _note_issue(session: Session, request: MaterialRequest, *, actor: Actor) -> None:
    """History and journal of an issue."""
    tell(session, request, RequestEventKind.ISSUED, actor=actor, data={"cases": request.cases})
    record(
        session,
        "materials.request.issued",
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={
            "number": request.number,
            "cases": request.cases,
            "due_at": request.due_at.isoformat(),
        },
    )


def _of_draw(session: Session, tenant_id: UUID, draw_id: UUID) -> MaterialRequest | None:
    return session.scalars(
        sa.select(MaterialRequest).where(
            MaterialRequest.tenant_id == tenant_id, MaterialRequest.draw_id == draw_id
        )
    ).first()


def _check(manner: str, reason: str, wanted: Sequence[Wanted], case_ids: Sequence[UUID]) -> None:
    if manner == "ad_hoc" and not reason.strip():
        raise Invalid(
            phrase("A call-up outside a draw needs its reason (A10)."),
            phrase("Write why these materials are wanted; the vendor reads it."),
        )
    if not wanted:
        raise Invalid(phrase("No kind of material is chosen."), phrase("Choose at least one."))
    if not case_ids:
        raise Invalid(phrase("No case is named."), phrase("Name at least one case."))
    if len(case_ids) > MOST_CASES:
        raise Invalid(
            phrase("A request names at most %(most)s cases.", most=MOST_CASES),
            phrase("Make several requests, each for a part of them."),
        )


def _items(request: MaterialRequest, cases: Sequence[RequestedCase]) -> list[RequestItem]:
    return [
        RequestItem(
            tenant_id=request.tenant_id,
            request_id=request.id,
            case_id=case.id,
            case_no=case.case_no,
            kind=kind["kind"],
            required=kind["required"],
            state=ItemState.MISSING,
            issued_at=request.issued_at,
        )
        for case in cases
        for kind in request.wanted
    ]


def _send(
    session: Session,
    request: MaterialRequest,
    deadline: Deadline,
    cases: Sequence[RequestedCase],
    *,
    actor: Actor,
) -> None:
    """The paper, and the message in the vendor's inbox."""
    issue(
        session,
        tenant_id=request.tenant_id,
        template="material_request",
        number=request.number,
        title=papers.REQUEST_TITLE,
        content=papers.request_content(session, request, deadline, cases, actor=actor),
        subject=("material_request", request.id),
        recipients=papers.recipients(session, request.tenant_id),
        actor=actor,
    )
    notify(
        session,
        tenant_id=request.tenant_id,
        roles=VENDOR_READERS,
        message=plural(
            "Material request %(number)s: %(cases)s case, due %(due)s (Beijing time).",
            "Material request %(number)s: %(cases)s cases, due %(due)s (Beijing time).",
            by="cases",
            number=request.number,
            cases=request.cases,
            due=When(request.due_at),
        ),
        path=f"/requests/{request.id}",
        kind=MessageKind.WORK,
    )


def call_up(
    session: Session,
    *,
    tenant_id: UUID,
    case_numbers: Sequence[str],
    wanted: Sequence[Wanted],
    reason: str,
    actor: Actor,
) -> MaterialRequest:
    """A request outside the monthly draw (A10), by case numbers. Raises `Invalid` naming the
    numbers that the vendor does not hold."""
    return issue_request(
        session,
        tenant_id=tenant_id,
        manner="ad_hoc",
        draw_id=None,
        reason=reason,
        period=f"{clock.today():%Y-%m}",
        draw_facts={},
        wanted=wanted,
        case_ids=case_ids_of(session, tenant_id, case_numbers),
        actor=actor,
    )


def decide(
    session: Session,
    request_id: UUID,
    item_ids: Sequence[UUID],
    *,
    accept: bool,
    note: str,
    seen_version: int,
    actor: Actor,
) -> int:
    """Accept or return items after a hand-in (company scope); returns how many.

    A return needs a note that says what is wrong. Returned items are owed again within two
    working days, on a clock of their own. When every item that is owed is accepted, the request
    is closed.
    """
    request = get_request(session, request_id, lock=True)
    if request.state != RequestState.HANDED_IN:
        raise Conflict(
            phrase("Items are accepted or returned after the vendor has handed in."),
            phrase("Wait for the hand-in, or reload the page."),
        )
    if request.version != seen_version:
        raise Conflict(
            phrase("The request has changed since you opened the page."),
            phrase("Look at its present state, then decide again."),
        )
    if not accept and not note.strip():
        raise Invalid(
            phrase("A return needs its reason."),
            phrase("Write what is wrong and what is wanted instead; the vendor reads it."),
        )
    items = chosen_items(session, request, item_ids)
    for item in items:
        item.state = moved(item.state, ItemState.ACCEPTED if accept else ItemState.RETURNED)
        item.decision_note = note.strip()[:MOST_NOTE] or None
        item.decided_by_name, item.decided_at = actor.name, clock.now()
        item.version += 1
    request.version += 1
    _note_decision(session, request, items, accept=accept, note=note, actor=actor)
    session.flush()
    if accept:
        close_if_done(session, request, actor=actor)
    else:
        _owe_again(session, request, items)
    return len(items)


def _note_decision(
    session: Session,
    request: MaterialRequest,
    items: Sequence[RequestItem],
    *,
    accept: bool,
    note: str,
    actor: Actor,
) -> None:
    """History and journal of a decision."""
    kind = RequestEventKind.ACCEPTED if accept else RequestEventKind.RETURNED
    data = {"items": len(items), "note": note.strip()[:MOST_NOTE]}
    if len(items) == 1:
        data |= {"case_no": items[0].case_no, "kind": items[0].kind}
    tell(session, request, kind, actor=actor, data=data)
    record(
        session,
        f"materials.items.{kind.value}",
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={"number": request.number, "items": [str(item.id) for item in items]},
    )


def chosen_items(
    session: Session, request: MaterialRequest, item_ids: Sequence[UUID]
) -> list[RequestItem]:
    """The items of the request with these ids, locked; `Invalid` for none, `NotFound`."""
    if not item_ids:
        raise Invalid(phrase("No item is chosen."), phrase("Tick the items first."))
    items = list(
        session.scalars(
            sa.select(RequestItem)
            .where(
                RequestItem.tenant_id == request.tenant_id,
                RequestItem.request_id == request.id,
                RequestItem.id.in_(item_ids),
            )
            .order_by(RequestItem.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    if len(items) != len(set(item_ids)):
        raise NotFound("request items")
    return items


def close_if_done(session: Session, request: MaterialRequest, *, actor: Actor) -> None:
    """Close the request when every item that is still wanted is accepted."""
    owed = session.scalar(
        sa.select(sa.func.count())
        .select_from(RequestItem)
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
            RequestItem.state.not_in((ItemState.ACCEPTED, ItemState.CANCELLED)),
            sa.or_(RequestItem.required, RequestItem.state != ItemState.MISSING),
        )
    )
    counts = request_counts(session, request.tenant_id, request.id)
    if owed or not counts.expected:
        return
    request.state = RequestState.CLOSED
    tell(session, request, RequestEventKind.CLOSED, actor=actor)
    record(
        session,
        "materials.request.closed",
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={"number": request.number},
    )
    session.flush()


def _owe_again(session: Session, request: MaterialRequest, items: Sequence[RequestItem]) -> None:
    """Returned items are due within two working days of the return."""
    row = next_round(session, request)
    for item in items:
        item.round = row.round
    notify(
        session,
        tenant_id=request.tenant_id,
        roles=VENDOR_READERS,
        message=plural(
            "%(items)s item of %(number)s was returned; due again %(due)s (Beijing time).",
            "%(items)s items of %(number)s were returned; due again %(due)s (Beijing time).",
            by="items",
            items=len(items),
            number=request.number,
            due=When(row.due_at),
        ),
        path=f"/requests/{request.id}",
        kind=MessageKind.WORK,
    )
