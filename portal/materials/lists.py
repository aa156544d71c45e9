"""The list of requests: filters, pages by cursor, counts and clocks of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar.rules import WorkingCalendar
from portal.deadlines.queries import ClockView, clock_view, clocks_of
from portal.kernel import clock
from portal.kernel.paging import Page, Sort, paginate
from portal.materials.kinds import RequestState
from portal.materials.models import HandIn, MaterialRequest
from portal.materials.queries import CLOCK, counts_of
from portal.materials.rules import Counts
from tenants.models import Tenant, TenantKind

EXPORT_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A request in a list."""

    id: UUID
    tenant_id: UUID
    vendor: str
    number: str
    manner: str
    period: str
    state: str
    cases: int
    issued_at: datetime
    handed_in_at: datetime | None
    issued_by_name: str
    counts: Counts
    clock: ClockView | None

    @property
    def late(self) -> bool:
        """Whether the clock has run out, met or not."""
        return self.clock is not None and self.clock.tone in ("overdue", "late")


@dataclass(frozen=True, slots=True)
class Filters:
    """The closed set of what the list can be narrowed by."""

    state: str = ""
    vendor_id: UUID | None = None
    period: str = ""
    number: str = ""
    manner: str = ""
    late: bool = False
    order: str = "issued"

    @property
    def any(self) -> bool:
        """Whether anything narrows the list."""
        return bool(
            self.state or self.vendor_id or self.period or self.number or self.manner or self.late
        )


def _listed(filters: Filters) -> Any:
    statement = sa.select(MaterialRequest, Tenant.short_name).join(
        Tenant, Tenant.id == MaterialRequest.tenant_id
    )
    if filters.state:
        statement = statement.where(MaterialRequest.state == filters.state)
    if filters.vendor_id:
        statement = statement.where(MaterialRequest.tenant_id == filters.vendor_id)
    if filters.period:
        statement = statement.where(MaterialRequest.period == filters.period)
    if filters.manner:
        statement = statement.where(MaterialRequest.manner == filters.manner)
    if filters.number:
        wanted = MaterialRequest.number.startswith(filters.number.upper(), autoescape=True)
        statement = statement.where(wanted)
    if filters.late:
        statement = statement.where(_late())
    return statement


def _late() -> sa.ColumnElement[bool]:
    """Handed in after the due time, or due and not handed in."""
    late_hand_in = (
        sa.exists()
        .where(
            HandIn.tenant_id == MaterialRequest.tenant_id,
            HandIn.request_id == MaterialRequest.id,
            ~HandIn.in_time,
        )
        .correlate(MaterialRequest)
    )
    waiting = sa.and_(
        MaterialRequest.state == RequestState.ISSUED, MaterialRequest.due_at < clock.now()
    )
    return sa.or_(waiting, late_hand_in)


def list_requests(
    session: Session,
    filters: Filters,
    calendar: WorkingCalendar,
    cursor: str | None = None,
    *,
    size: int = 50,
) -> Page[RequestRow]:
    """Requests by cursor: newest first, or the nearest due first."""
    by_due = filters.order == "due"
    column = MaterialRequest.due_at if by_due else MaterialRequest.issued_at
    statement = (
        _listed(filters)
        .add_columns(MaterialRequest.id.label("id"), column.label("sort_key"))
        .where(MaterialRequest.issued_at.is_not(None))
    )
    page = paginate(
        session, statement, Sort(column, MaterialRequest.id, not by_due), cursor, size=size
    )
    rows = _with_clocks(session, calendar, [(row[0], row.short_name) for row in page.items])
    return Page(tuple(rows), page.next, page.previous)


def _with_clocks(
    session: Session, calendar: WorkingCalendar, rows: Sequence[tuple[MaterialRequest, str]]
) -> list[RequestRow]:
    ids = [request.id for request, _name in rows]
    if not ids:
        return []
    clocks, counts = clocks_of(session, ids, CLOCK), counts_of(session, ids)
    now = clock.now()
    return [
        RequestRow(
            request.id,
            request.tenant_id,
            name,
            request.number,
            request.manner,
            request.period,
            request.state,
            request.cases,
            request.issued_at or now,
            request.handed_in_at,
            request.issued_by_name,
            counts.get(request.id, Counts()),
            clock_view(clocks[request.id], calendar, now) if request.id in clocks else None,
        )
        for request, name in rows
    ]


def request_row(
    session: Session, request: MaterialRequest, calendar: WorkingCalendar
) -> RequestRow:
    """The one request as its page shows it."""
    name = session.scalar(sa.select(Tenant.short_name).where(Tenant.id == request.tenant_id))
    return _with_clocks(session, calendar, [(request, name or "")])[0]


def vendors(session: Session) -> list[tuple[UUID, str]]:
    """The vendors a list can be narrowed to (company scope; a vendor sees itself)."""
    rows = session.execute(
        sa.select(Tenant.id, Tenant.short_name)
        .where(Tenant.kind == TenantKind.VENDOR)
        .order_by(Tenant.code)
    )
    return [(row.id, row.short_name) for row in rows]
