"""Reads of the home page: few statements, columns only, each built once for all requests.

They read tables and not entities, so each says itself whose rows it wants (`_own`): a vendor's
page has milliseconds and six statements for everything.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.deadlines.models import Deadline
from portal.deadlines.rules import DeadlineState
from portal.materials.kinds import ItemState, RequestState
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.queries import CURRENT, PROBLEM, usable
from portal.rectification.models import Rectification
from portal.scoring.models import Score, ScoreState
from tenants.prepared import Prepared

CLOCKS = 60
ROWS = 10
MONTHS = 12

_D = Deadline.__table__.c
_M = MaterialRequest.__table__.c
_I = RequestItem.__table__.c
_R = Rectification.__table__.c
_DELIVERIES = Delivery.__table__.alias("files")
_F = _DELIVERIES.c
_S = Score.__table__.c
_TENANT: sa.BindParameter[UUID] = sa.bindparam("tenant", None, type_=sa.Uuid())

OPEN_REQUESTS = (RequestState.ISSUED.value,)
OPEN_NOTICES = ("issued", "returned")


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that runs, or ran out unmet; what `portal.deadlines.queries.clock_view` reads."""

    id: UUID
    kind: str
    subject_type: str
    subject_id: UUID
    tenant_id: UUID
    label: str
    opened_at: datetime
    target_at: datetime | None
    due_at: datetime
    basis: dict[str, Any]
    state: str
    met_at: datetime | None


@dataclass(frozen=True, slots=True)
class Work:
    """A material request or a rectification notice. `delivered` of `expected` items, and so many
    answered as unavailable (无法提供); a notice has none. `draw`: the request comes from a draw."""

    kind: str
    id: UUID
    tenant_id: UUID
    number: str
    subject: str
    state: str
    draw: bool
    cases: int | None
    period: str | None
    issued_at: datetime
    due_at: datetime
    issued_by: str
    expected: int
    delivered: int
    unavailable: int
    running: bool


@dataclass(frozen=True, slots=True)
class Month:
    """An issued score; dimensions and scheme, as JSON, are those of the newest only."""

    id: UUID
    period: str
    total: Decimal | None
    grade: str | None
    factor: Decimal
    dimensions: str | None
    scheme: str | None


def _clocks(*conditions: Any) -> sa.Select[Any]:
    return (
        sa.select(
            _D.id,
            _D.kind,
            _D.subject_type,
            _D.subject_id,
            _D.tenant_id,
            _D.label,
            _D.opened_at,
            _D.target_at,
            _D.due_at,
            _D.basis,
            _D.state,
            _D.met_at,
        )
        .where(
            _D.state.in_((DeadlineState.OPEN.value, DeadlineState.BREACHED.value)),
            _D.met_at.is_(None),
            *conditions,
        )
        .order_by(_D.due_at, _D.id)
        .limit(CLOCKS)
    )


_VENDOR_CLOCKS = Prepared(
    _clocks(_D.tenant_id == _TENANT, _D.issued_at.is_not(None), _D.owed_by == "vendor")
)
_OWED_BY_VENDORS = _clocks(_D.owed_by == "vendor")


def company_clocks(session: Session) -> list[Clock]:
    """What vendors owe: all vendors', the most pressing first."""
    return [Clock(*row) for row in session.execute(_OWED_BY_VENDORS)]


def own_clocks(session: Session, kinds: Collection[str]) -> list[Clock]:
    """What the company itself owes, of these kinds, the most pressing first."""
    if not kinds:
        return []
    statement = _clocks(_D.owed_by == "company", _D.kind.in_(kinds))
    return [Clock(*row) for row in session.execute(statement)]


# --- requests and notices ------------------------------------------------------------------------

_HELD = _I.state.in_((ItemState.DELIVERED.value, ItemState.ACCEPTED.value))
_UNAVAILABLE = sa.or_(
    _I.state == ItemState.UNAVAILABLE.value,
    sa.and_(_I.state == ItemState.ACCEPTED.value, _I.answer_reason.is_not(None)),
)
_WANTED = sa.and_(
    sa.or_(_I.required, _I.state != ItemState.MISSING.value),
    _I.state != ItemState.CANCELLED.value,
)
"""As `portal.materials.rules.standing` counts items."""


def _requests(*conditions: Any) -> sa.Subquery:
    """The newest requests, those that run first."""
    running = _M.state.in_(OPEN_REQUESTS)
    return (
        sa.select(
            sa.literal_column("'request'").label("kind"),
            _M.id,
            _M.tenant_id,
            _M.number,
            _M.reason.label("subject"),
            _M.state,
            _M.draw_id.is_not(None).label("draw"),
            _M.cases,
            _M.period,
            _M.issued_at,
            _M.due_at,
            _M.issued_by_name.label("by"),
            running.label("running"),
        )
        .where(_M.issued_at.is_not(None), *conditions)
        .order_by(running.desc(), _M.issued_at.desc(), _M.id.desc())
        .limit(ROWS)
        .subquery("newest")
    )


def _with_counts(newest: sa.Subquery) -> sa.Select[Any]:
    """With how much is there: items that hold only unusable files are missing. These are found from
    their files, which are few."""
    counts = (
        sa.select(
            sa.func.count().filter(_WANTED).label("expected"),
            sa.func.count().filter(_HELD, ~_UNAVAILABLE).label("delivered"),
            sa.func.count().filter(_UNAVAILABLE).label("unavailable"),
        )
        .where(_I.tenant_id == newest.c.tenant_id, _I.request_id == newest.c.id)
        .lateral("counts")
    )
    unfit = (
        sa.select(sa.func.count(sa.distinct(_I.id)).label("unfit"))
        .join_from(
            _DELIVERIES,
            RequestItem.__table__,
            sa.and_(_I.tenant_id == _F.tenant_id, _I.id == _F.item_id),
        )
        .where(
            _F.tenant_id == newest.c.tenant_id,
            _F.request_id == newest.c.id,
            _F.state == CURRENT,
            _F.check_state == PROBLEM,
            _I.state == ItemState.DELIVERED.value,
            ~usable(),
        )
        .lateral("unfit")
    )
    c = newest.c
    return sa.select(
        c.kind,
        c.id,
        c.tenant_id,
        c.number,
        c.subject,
        c.state,
        c.draw,
        c.cases,
        c.period,
        c.issued_at,
        c.due_at,
        c.by,
        counts.c.expected,
        (counts.c.delivered - unfit.c.unfit).label("delivered"),
        counts.c.unavailable,
        c.running,
    ).select_from(newest.join(counts, sa.true()).join(unfit, sa.true()))


def _notices(*conditions: Any) -> sa.Select[Any]:
    running = _R.state.in_(OPEN_NOTICES)
    newest = (
        sa.select(Rectification.__table__, running.label("running"))
        .where(_R.issued_at.is_not(None), *conditions)
        .order_by(running.desc(), _R.issued_at.desc(), _R.id.desc())
        .limit(ROWS)
        .subquery("notices")
    )
    c = newest.c
    return sa.select(
        sa.literal_column("'rectification'"),
        c.id,
        c.tenant_id,
        c.number,
        c.title,
        c.state,
        sa.false(),
        sa.null(),
        sa.null(),
        c.issued_at,
        c.due_at,
        c.created_by_name,
        sa.literal_column("0"),
        sa.literal_column("0"),
        sa.literal_column("0"),
        c.running,
    )


def _works(requests: tuple[Any, ...], notices: tuple[Any, ...]) -> Any:
    return sa.union_all(_with_counts(_requests(*requests)), _notices(*notices))


_VENDOR_WORKS = Prepared(_works((_M.tenant_id == _TENANT,), (_R.tenant_id == _TENANT,)))
_COMPANY_WORKS = _with_counts(_requests(_M.state.in_(OPEN_REQUESTS)))


def _in_order(works: list[Work]) -> list[Work]:
    """Those that run by their due time, then the others, newest first."""
    running = sorted((row for row in works if row.running), key=lambda row: row.due_at)
    others = sorted(
        (row for row in works if not row.running), key=lambda row: row.issued_at, reverse=True
    )
    return [*running, *others][:ROWS]


def requests_in_delivery(session: Session) -> list[Work]:
    """The requests of all vendors that are not handed in, the nearest due first."""
    rows = [Work(*row) for row in session.execute(_COMPANY_WORKS)]
    return sorted(rows, key=lambda row: row.due_at)


# --- scores --------------------------------------------------------------------------------------


def _months() -> sa.Select[Any]:
    """The issued scores of twelve months; of the newest also its dimensions, without the lines of
    their indicators, and its scheme."""
    newest = sa.func.row_number().over(order_by=_S.period.desc()) == 1
    parts = sa.func.jsonb_array_elements(_S.result["dimensions"]).table_valued(
        sa.column("value", sa.dialects.postgresql.JSONB), name="part"
    )
    cut = (
        sa.select(sa.func.jsonb_agg(parts.c.value.op("-")(sa.literal_column("'indicators'::text"))))
        .select_from(parts)
        .scalar_subquery()
    )
    return (
        sa.select(
            _S.id,
            _S.period,
            _S.total,
            _S.grade,
            _S.factor,
            sa.cast(sa.case((newest, cut)), sa.Text),
            sa.case((newest, _S.facts["scheme"].astext)),
        )
        .where(
            _S.tenant_id == _TENANT,
            _S.issued_at.is_not(None),
            _S.state == ScoreState.ISSUED.value,
        )
        .order_by(_S.period.desc())
        .limit(MONTHS)
    )


_MONTHS = Prepared(_months())


# --- a vendor's page, in one round trip ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VendorHome:
    """What a vendor's home page reads: what it owes, the most pressing first; its newest requests
    and notices; its issued scores of twelve months, newest first."""

    clocks: list[Clock]
    works: list[Work]
    months: tuple[Month, ...]


def vendor_home(session: Session, tenant_id: UUID, *, work: bool, scores: bool) -> VendorHome:
    """A vendor's page for a person who may see its `work` and its `scores`."""
    wanted = {
        Clock: _VENDOR_CLOCKS if work else None,
        Work: _VENDOR_WORKS if work else None,
        Month: _MONTHS if scores else None,
    }
    asked = {
        kind: statement.asked(session, {"tenant": tenant_id})
        for kind, statement in wanted.items()
        if statement is not None
    }
    found = {kind: [kind(*row) for row in one.rows()] for kind, one in asked.items()}
    return VendorHome(
        found.get(Clock, []), _in_order(found.get(Work, [])), tuple(found.get(Month, []))
    )
