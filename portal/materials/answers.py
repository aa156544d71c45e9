"""The vendor's answers: items that cannot be provided (无法提供), and the hand-in (A3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import IO
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.deadlines import service as deadlines
from portal.deadlines.queries import clock_of, rounds_of
from portal.deadlines.rules import DeadlineState
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import phrase, plural
from portal.materials import papers
from portal.materials.events import get_item, get_request, tell
from portal.materials.items import PaperItem, paper_items
from portal.materials.kinds import (
    CheckState,
    ItemState,
    RequestEventKind,
    RequestState,
    UnavailableReason,
)
from portal.materials.models import Delivery, HandIn, MaterialRequest, RequestEvent, RequestItem
from portal.materials.proofs import keep_proof
from portal.materials.queries import CLOCK, broken_ids
from portal.materials.rules import check_open, count, moved, standing, working_days_late
from portal.materials.settling import settle_all
from portal.notices.service import issue
from tenants.rows import new_id

MOST_NOTE = 1_000
MOST_NAMED = 20
"""So many items with unusable files are named; the list shows all."""
_CHANGES = (
    RequestEventKind.DELIVERED,
    RequestEventKind.REPLACED,
    RequestEventKind.ANSWERED,
    RequestEventKind.TAKEN_BACK,
)


def answer_unavailable(
    session: Session,
    request_id: UUID,
    item_ids: Sequence[UUID],
    *,
    reason: str,
    note: str,
    proof: tuple[str, IO[bytes]] | None = None,
    actor: Actor,
) -> int:
    """Say of items that they cannot be provided, and why; returns how many.

    `proof`: name and content of a file that shows it, for all of them. Items with a delivered or
    accepted file refuse (`Conflict`): then nothing at all is changed; unusable files do not count.
    A system failure needs a note. The audit department accepts or returns the answer later.
    """
    request = get_request(session, request_id, share=True)
    check_open(request.state)
    chosen = _reason(reason)
    text = note.strip()
    if chosen is UnavailableReason.SYSTEM_FAULT and not text:
        raise Invalid(
            phrase("A system failure needs a note."),
            phrase("Write what failed and when, and whom it was reported to."),
        )
    if not item_ids:
        raise Invalid(phrase("No item is chosen."), phrase("Tick the items first."))
    items = [get_item(session, request, item_id) for item_id in sorted(set(item_ids))]
    now = clock.now()
    held = any(item.state == ItemState.DELIVERED for item in items)
    unfit = broken_ids(session, request) if held else set()
    states = [moved(i.state, ItemState.UNAVAILABLE, broken=i.id in unfit) for i in items]
    proof_id = keep_proof(session, request, *proof, actor=actor) if proof else None
    for item, state in zip(items, states, strict=True):
        item.state, item.proof_id = state, proof_id
        item.answer_reason, item.answer_note = chosen.value, text[:MOST_NOTE] or None
        item.answered_at, item.answered_by_name = now, actor.name
        item.version += 1
    data: dict[str, object] = {"items": len(items), "reason": chosen.value, "note": text}
    if len(items) == 1:
        data |= {"case_no": items[0].case_no, "kind": items[0].kind}
    tell(session, request, RequestEventKind.ANSWERED, actor=actor, data=data)
    _record(session, request, "materials.items.answered", items, actor=actor)
    session.flush()
    return len(items)


def _reason(value: str) -> UnavailableReason:
    try:
        return UnavailableReason(value)
    except ValueError as error:
        raise Invalid(
            phrase("The reason is missing."), phrase("Choose why it cannot be provided.")
        ) from error


def take_back(session: Session, request_id: UUID, item_id: UUID, *, actor: Actor) -> None:
    """Take an answer back: the item is owed again, with the unusable files that it had. Raises
    `Conflict` when there is none."""
    request = get_request(session, request_id, share=True)
    check_open(request.state)
    item = get_item(session, request, item_id)
    before = ItemState.DELIVERED if _has_files(session, item) else ItemState.MISSING
    item.state = moved(item.state, before)
    item.answer_reason = item.answer_note = item.answered_at = item.answered_by_name = None
    item.proof_id = None
    item.version += 1
    data = {"case_no": item.case_no, "kind": item.kind}
    tell(session, request, RequestEventKind.TAKEN_BACK, actor=actor, data=data)
    _record(session, request, "materials.items.taken_back", [item], actor=actor)
    session.flush()


def _has_files(session: Session, item: RequestItem) -> bool:
    """Whether an answered item holds files. Those that the audit department returned do not count
    again."""
    statement = sa.select(Delivery.id).where(
        Delivery.tenant_id == item.tenant_id,
        Delivery.item_id == item.id,
        Delivery.state == "current",
        Delivery.check_state == CheckState.PROBLEM,
    )
    return item.decided_at is None and session.scalar(statement.limit(1)) is not None


def _record(
    session: Session,
    request: MaterialRequest,
    action: str,
    items: Sequence[RequestItem],
    *,
    actor: Actor,
) -> None:
    record(
        session,
        action,
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={"number": request.number, "items": [str(item.id) for item in items]},
    )


def hand_in(
    session: Session,
    request_id: UUID,
    *,
    seen_version: int,
    seen_unusable: int = 0,
    actor: Actor,
) -> HandIn:
    """Hand in what is there: the moment that counts (A3), and a receipt with its own number.

    Runs in the vendor's scope. In parts is fine: a hand-in that leaves something missing gives
    its receipt, and the clock runs on for the rest; one that leaves nothing stops the clock. Items
    whose files are all unusable count as missing, and the hand-in records which; where they are
    more than the person was shown (`seen_unusable`) it is refused, naming them (`Conflict`). One
    at a time by the request's lock; a second click finds nothing new and is refused (`Conflict`).
    """
    request = get_request(session, request_id, lock=True)
    check_open(request.state)
    last = _last(session, request)
    _check_new(session, request, last, seen_version)
    settle_all(session, request.id)
    items = paper_items(session, request)
    counts = count(item.tallied for item in items)
    unfit = [item for item in items if item.broken]
    if not counts.delivered and not counts.unavailable and not unfit:
        raise Conflict(
            phrase("Nothing has been delivered or answered yet."),
            phrase("Send files, or answer what cannot be provided; then hand in."),
        )
    _check_seen(unfit, seen_unusable)
    deadline = clock_of(session, request.tenant_id, request.id, CLOCK)
    if deadline is None:
        raise NotFound("clock of the request")
    now = clock.now()
    late = working_days_late(calendar_service.load(session), deadline.due_at, now)
    made = HandIn(
        tenant_id=request.tenant_id,
        id=new_id(),
        request_id=request.id,
        no=last.no + 1 if last else 1,
        at=now,
        due_at=deadline.due_at,
        in_time=now <= deadline.due_at,
        working_days_late=late,
        counts=counts.as_data(),
        unusable=[item.id for item in unfit],
        by_name=actor.name,
    )
    session.add(made)
    request.state = RequestState.HANDED_IN
    request.handed_in_at = now
    request.version += 1
    _stop_clocks(session, request, items, at=now)
    _note_hand_in(session, request, made, actor=actor)
    session.flush()
    _receipt(session, request, made, items, actor=actor)
    return made


def _check_seen(unfit: Sequence[PaperItem], seen: int) -> None:
    if len(unfit) <= seen:
        return
    named = "; ".join(item.label for item in unfit[:MOST_NAMED])
    raise Conflict(
        plural(
            "%(count)s item holds only files that cannot be used: %(items)s",
            "%(count)s items hold only files that cannot be used: %(items)s",
            by="count",
            count=len(unfit),
            items=named + (" …" if len(unfit) > MOST_NAMED else ""),
        ),
        phrase("Replace the files, or hand in all the same: these items then stay missing."),
    )


def _stop_clocks(
    session: Session, request: MaterialRequest, items: Sequence[PaperItem], *, at: datetime
) -> None:
    """Stop each clock of the request on which nothing is owed any more."""
    owed = {item.round for item in items if standing(item.tallied) == "missing"}
    for row in rounds_of(session, request.tenant_id, request.id, CLOCK):
        if row.round not in owed and row.met_at is None and row.state != DeadlineState.VOID:
            deadlines.close(
                session, request.tenant_id, request.id, at=at, kind=CLOCK, round_no=row.round
            )


def _note_hand_in(
    session: Session, request: MaterialRequest, made: HandIn, *, actor: Actor
) -> None:
    """History and journal of a hand-in."""
    data = {
        "no": made.no,
        "in_time": made.in_time,
        "days_late": made.working_days_late,
        **made.counts,
    }
    tell(session, request, RequestEventKind.HANDED_IN, actor=actor, data=data)
    record(
        session,
        "materials.request.handed_in",
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={"number": request.number, **data},
    )


def _last(session: Session, request: MaterialRequest) -> HandIn | None:
    return session.scalars(
        sa.select(HandIn)
        .where(HandIn.tenant_id == request.tenant_id, HandIn.request_id == request.id)
        .order_by(HandIn.no.desc())
        .limit(1)
    ).first()


def changed_since(session: Session, request: MaterialRequest, last: HandIn | None) -> bool:
    """Whether something was delivered, replaced, answered or taken back after a hand-in."""
    statement = sa.select(RequestEvent.id).where(
        RequestEvent.tenant_id == request.tenant_id,
        RequestEvent.request_id == request.id,
        RequestEvent.kind.in_([kind.value for kind in _CHANGES]),
    )
    if last is not None:
        # Ids are ordered by time, and deliveries wait for a running hand-in's lock.
        statement = statement.where(RequestEvent.id > last.id)
    return session.scalar(statement.limit(1)) is not None


def _check_new(
    session: Session, request: MaterialRequest, last: HandIn | None, seen_version: int
) -> None:
    if last is not None and not changed_since(session, request, last):
        raise Conflict(
            phrase(
                "This delivery was handed in already: receipt %(number)s.",
                number=f"{request.number}-R{last.no}",
            ),
            phrase("Deliver or answer something more before handing in again."),
        )
    if request.version != seen_version:
        raise Conflict(
            phrase("The request has changed since you opened the page."),
            phrase("Look at its present state, then hand in again."),
        )


def _receipt(
    session: Session,
    request: MaterialRequest,
    made: HandIn,
    items: Sequence[PaperItem],
    *,
    actor: Actor,
) -> None:
    """Issue the receipt from the vendor's own rows; a job in its scope prints it."""
    paper = papers.request_paper(session, request)
    deadline = clock_of(session, request.tenant_id, request.id, CLOCK)
    if paper is None or deadline is None:
        raise NotFound("paper of the request")
    begun = session.scalar(
        sa.select(sa.func.min(Delivery.started_at)).where(
            Delivery.tenant_id == request.tenant_id,
            Delivery.request_id == request.id,
            Delivery.state == "current",
        )
    )
    document = issue(
        session,
        tenant_id=request.tenant_id,
        template="delivery_receipt",
        number=f"{request.number}-R{made.no}",
        title=papers.RECEIPT_TITLE,
        content=papers.receipt_content(
            request, paper, made, items, begun_at=begun or made.at, deadline=deadline, actor=actor
        ),
        subject=("hand_in", made.id),
        actor=actor,
    )
    made.document_id = document.id
    session.flush()
