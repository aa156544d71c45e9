"""Reads of requests, their items and what was delivered; for pages, papers and other slices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar.rules import WorkingCalendar
from portal.cases.models import Case
from portal.contacts.models import CallRecord
from portal.files.models import StoredFile
from portal.kernel import clock
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.materials.kinds import CheckState, ItemState, RequestState
from portal.materials.models import Delivery, HandIn, MaterialRequest, RequestEvent, RequestItem
from portal.materials.rules import Counts, Tallied, count, working_days_late
from portal.vendors.models import Project

CLOCK = "material_request"
CURRENT = sa.literal_column("'current'", sa.Text)
PROBLEM = sa.literal_column("'problem'", sa.Text)
"""Written out, so that the index of unusable files serves a prepared statement too."""


# --- what joins the tables ------------------------------------------------------------------------


def file_of_delivery() -> sa.ColumnElement[bool]:
    """A delivery and the file that it brought, in whichever order they are joined."""
    return sa.and_(StoredFile.tenant_id == Delivery.tenant_id, StoredFile.id == Delivery.file_id)


def item_of_delivery() -> sa.ColumnElement[bool]:
    """A delivery and the item that it is for."""
    return sa.and_(RequestItem.tenant_id == Delivery.tenant_id, RequestItem.id == Delivery.item_id)


def request_of_item() -> sa.ColumnElement[bool]:
    """An item and the request that asks for it; a delivery's request is its item's."""
    return sa.and_(
        MaterialRequest.tenant_id == RequestItem.tenant_id,
        MaterialRequest.id == RequestItem.request_id,
    )


def call_of_item() -> sa.ColumnElement[bool]:
    """An item and the listed call that it is of, if it is of one."""
    return sa.and_(
        CallRecord.tenant_id == RequestItem.tenant_id, CallRecord.id == RequestItem.call_id
    )


# --- cases ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestedCase:
    """A case as requests name it: nothing in clear that is a person's."""

    id: UUID
    case_no: str
    entrusting_company: str
    card_masked: str
    debtor_masked: str
    project: str


def requested_cases(
    session: Session, tenant_id: UUID, case_ids: Sequence[UUID]
) -> list[RequestedCase]:
    """The vendor's cases in the order asked; raises `NotFound` when one is not the vendor's."""
    rows = session.execute(
        sa.select(
            Case.id,
            Case.case_no,
            Case.entrusting_company,
            Case.card_masked,
            Case.debtor_masked,
            Project.name,
        )
        .join(Project, sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id))
        .where(Case.tenant_id == tenant_id, Case.id.in_(case_ids))
    )
    found = {row.id: RequestedCase(*row) for row in rows}
    if missing := set(case_ids) - found.keys():
        raise NotFound(f"{len(missing)} cases of the vendor")
    return [found[case_id] for case_id in dict.fromkeys(case_ids)]


def case_ids_of(session: Session, tenant_id: UUID, numbers: Sequence[str]) -> list[UUID]:
    """The vendor's cases with these numbers, in order; raises `Invalid` naming those it has not."""
    rows = session.execute(
        sa.select(Case.case_no, Case.id).where(
            Case.tenant_id == tenant_id, Case.case_no.in_(numbers)
        )
    )
    known = {row.case_no: row.id for row in rows}
    unknown = [number for number in numbers if number not in known]
    if unknown:
        raise Invalid(
            phrase("This vendor has no case %(numbers)s.", numbers=", ".join(unknown[:10])),
            phrase("Correct the numbers, or choose the vendor that holds them."),
        )
    return [known[number] for number in dict.fromkeys(numbers)]


def case_ids_on(session: Session, request: MaterialRequest) -> list[UUID]:
    """The cases that a request is about."""
    return list(
        session.scalars(
            sa.select(RequestItem.case_id)
            .where(RequestItem.tenant_id == request.tenant_id, RequestItem.request_id == request.id)
            .distinct()
        )
    )


# --- counts --------------------------------------------------------------------------------------


def usable() -> sa.Exists:
    """Whether an item has a file that is not known to be unusable."""
    return (
        sa.exists()
        .where(
            Delivery.tenant_id == RequestItem.tenant_id,
            Delivery.item_id == RequestItem.id,
            Delivery.state == "current",
            Delivery.check_state != CheckState.PROBLEM,
        )
        .correlate(RequestItem)
    )


def broken() -> sa.ColumnElement[bool]:
    """Whether an item's files are all unusable: it counts as missing."""
    return sa.and_(
        RequestItem.state == ItemState.DELIVERED,
        sa.exists()
        .where(
            Delivery.tenant_id == RequestItem.tenant_id,
            Delivery.request_id == RequestItem.request_id,
            Delivery.item_id == RequestItem.id,
            Delivery.state == CURRENT,
            Delivery.check_state == PROBLEM,
        )
        .correlate(RequestItem),
        ~usable(),
    )


def counted_state() -> sa.Case[str]:
    """An item's state; what holds only unusable files is missing."""
    return sa.case((broken(), ItemState.MISSING.value), else_=RequestItem.state)


def broken_ids(session: Session, request: MaterialRequest) -> set[UUID]:
    """The items of a request that hold only unusable files."""
    return set(
        session.scalars(
            sa.select(RequestItem.id).where(
                RequestItem.tenant_id == request.tenant_id,
                RequestItem.request_id == request.id,
                broken(),
            )
        )
    )


def counts_of(
    session: Session, request_ids: Iterable[UUID], *, calls_only: bool = False
) -> dict[UUID, Counts]:
    """Counts by request, for a list; of all items, or of those of single calls."""
    answered = RequestItem.answer_reason.is_not(None)
    rows = session.execute(
        sa.select(
            RequestItem.request_id,
            RequestItem.state,
            RequestItem.required,
            answered.label("answered"),
            sa.func.count().label("items"),
            sa.func.count().filter(broken()).label("problems"),
        )
        .where(
            RequestItem.request_id.in_(list(request_ids)),
            RequestItem.call_id.is_not(None) if calls_only else sa.true(),
        )
        .group_by(RequestItem.request_id, RequestItem.state, RequestItem.required, answered)
    )
    parts: dict[UUID, list[Tallied]] = {}
    for row in rows:
        parts.setdefault(row.request_id, []).append(
            Tallied(row.state, row.required, row.answered, row.items, row.problems)
        )
    return {request_id: count(items) for request_id, items in parts.items()}


def request_counts(session: Session, tenant_id: UUID, request_id: UUID) -> Counts:
    """Expected, delivered, missing, unavailable of one request; raises `NotFound`."""
    seen = session.scalar(
        sa.select(MaterialRequest.id).where(
            MaterialRequest.tenant_id == tenant_id, MaterialRequest.id == request_id
        )
    )
    if seen is None:
        raise NotFound("material request")
    return counts_of(session, [request_id]).get(request_id, Counts())


# --- history -------------------------------------------------------------------------------------


def hand_ins(session: Session, request: MaterialRequest) -> list[HandIn]:
    """The hand-ins of a request, first to last."""
    return list(
        session.scalars(
            sa.select(HandIn)
            .where(HandIn.tenant_id == request.tenant_id, HandIn.request_id == request.id)
            .order_by(HandIn.no)
        )
    )


def history(session: Session, request: MaterialRequest, limit: int = 300) -> list[RequestEvent]:
    """The newest lines of a request's history, newest first."""
    return list(
        session.scalars(
            sa.select(RequestEvent)
            .where(
                RequestEvent.tenant_id == request.tenant_id, RequestEvent.request_id == request.id
            )
            .order_by(RequestEvent.id.desc())
            .limit(limit)
        )
    )


# --- for the score -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MissedItem:
    """An item that was due and is missing (`working_days_late` None), or came late."""

    item_id: UUID
    request_id: UUID
    number: str
    case_no: str
    kind: str
    working_days_late: int | None
    unusable: bool = False
    """Missing because none of its files can be used."""


@dataclass(frozen=True, slots=True)
class MaterialFacts:
    """Of so many items due in a month, these were late or missing (clauses 601, 602)."""

    total: int
    missed: tuple[MissedItem, ...]


def score_facts(
    session: Session, tenant_id: UUID, period: str, calendar: WorkingCalendar
) -> MaterialFacts:
    """The items whose first due time fell into the Beijing month `period` and has passed.

    An item is in time when its first usable file was complete, or its answer given, by then. An
    item wanted only if it exists was due only if there is something of it. Items returned by the
    audit department and not delivered anew are missing, and so are those without a usable file,
    unless the department accepted what there is.
    """
    rows = session.execute(_due_items(tenant_id, period)).all()
    missed = []
    for row in rows:
        taken = row.any_at if row.state == ItemState.ACCEPTED else None
        arrived = row.at or row.answered_at or taken
        owed = row.broken or row.state in (ItemState.MISSING, ItemState.RETURNED)
        gone = owed or arrived is None
        late = 0 if gone or arrived is None else working_days_late(calendar, row.due_at, arrived)
        if gone or late:
            missed.append(
                MissedItem(
                    row.id,
                    row.request_id,
                    row.number,
                    row.case_no,
                    row.kind,
                    None if gone else late,
                    row.broken,
                )
            )
    return MaterialFacts(len(rows), tuple(missed))


def _due_items(tenant_id: UUID, period: str) -> Any:
    """The items that the month's lateness is about, with when each first arrived."""
    first = _first_arrivals()
    due_at = sa.func.coalesce(RequestItem.due_at, MaterialRequest.due_at)
    return (
        sa.select(
            RequestItem.id,
            RequestItem.request_id,
            RequestItem.case_no,
            RequestItem.kind,
            RequestItem.state,
            RequestItem.answered_at,
            MaterialRequest.number,
            due_at.label("due_at"),
            first.c.at,
            first.c.any_at,
            broken().label("broken"),
        )
        .join(MaterialRequest, request_of_item())
        .outerjoin(
            first,
            sa.and_(first.c.tenant_id == RequestItem.tenant_id, first.c.item_id == RequestItem.id),
        )
        .where(
            RequestItem.tenant_id == tenant_id,
            MaterialRequest.state != RequestState.CANCELLED,
            RequestItem.state != ItemState.CANCELLED,
            due_at < clock.now(),
            sa.func.to_char(sa.func.timezone("Asia/Shanghai", due_at), "YYYY-MM") == period,
            sa.or_(RequestItem.required, RequestItem.state != ItemState.MISSING),
        )
        .order_by(MaterialRequest.number, RequestItem.case_no, RequestItem.id)
    )


def _first_arrivals() -> sa.Subquery:
    """When the first usable file of each item was complete, and the first of all."""
    fit = Delivery.check_state != CheckState.PROBLEM
    return (
        sa.select(
            Delivery.tenant_id,
            Delivery.item_id,
            sa.func.min(Delivery.delivered_at).filter(fit).label("at"),
            sa.func.min(Delivery.delivered_at).label("any_at"),
        )
        .group_by(Delivery.tenant_id, Delivery.item_id)
        .subquery()
    )
