"""Reads of draws: for the company alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.draws.plans import groups_of, options_of
from portal.audits.draws.rules import Population, ShareRecord
from portal.audits.models import Draw, DrawShare
from portal.cases.models import Case
from portal.jobs.models import JobRun, RunState
from portal.jobs.queries import RunView
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.materials.models import MaterialRequest, RequestItem
from portal.vendors.models import Project
from tenants.models import Tenant

SAMPLE_SIZE = 200
"""Drawn cases on one page."""


def vendor_names(session: Session, tenant_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Short names by id."""
    rows = session.execute(sa.select(Tenant.id, Tenant.short_name).where(Tenant.id.in_(tenant_ids)))
    return {row.id: row.short_name for row in rows}


def draws_of(session: Session, period: str) -> int:
    """How many draws a month has already."""
    return session.scalar(sa.select(sa.func.count()).where(Draw.period == period)) or 0


def find_named(session: Session, period: str, name: str) -> Draw | None:
    """The draw of a month that bears this name, if there is one."""
    return session.scalars(sa.select(Draw).where(Draw.period == period, Draw.name == name)).first()


def get_draw(session: Session, draw_id: UUID, *, lock: bool = False) -> Draw:
    """A draw; raises `NotFound`. `lock` holds its row until the transaction ends."""
    statement = sa.select(Draw).where(Draw.id == draw_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("draw")
    return row


@dataclass(frozen=True, slots=True)
class DrawLine:
    """A draw in the list."""

    id: UUID
    name: str
    period: str
    state: str
    issuing: bool
    total: int | None
    rate: Decimal | None
    population: int
    population_hash: str | None
    planned_at: datetime
    by: str

    @property
    def shown(self) -> str:
        """The state as people see it: between drawn and issued there is "issuing"."""
        return "issuing" if self.issuing and self.state == "drawn" else self.state


def list_draws(
    session: Session, period: str = "", cursor: str | None = None, *, size: int = 50
) -> Page[DrawLine]:
    """The draws, newest first; of one month when `period` is given."""
    statement = sa.select(
        Draw.id,
        Draw.planned_at.label("sort_key"),
        Draw.name,
        Draw.period,
        Draw.state,
        Draw.issuing_at,
        Draw.total,
        Draw.rate,
        Draw.population,
        Draw.population_hash,
        Draw.created_by_name,
    )
    if period:
        statement = statement.where(Draw.period == period)
    sort = Sort(Draw.planned_at, Draw.id, descending=True)
    page = paginate(session, statement, sort, cursor, size=size)
    return page.map(_line)


def _line(row: Any) -> DrawLine:
    return DrawLine(
        row.id,
        row.name,
        row.period,
        row.state,
        row.issuing_at is not None,
        row.total,
        row.rate,
        row.population,
        row.population_hash,
        row.sort_key,
        row.created_by_name,
    )


@dataclass(frozen=True, slots=True)
class ShareLine:
    """One vendor's part on the draw's page. `error`: why its request could not be issued."""

    tenant_id: UUID
    vendor: str
    in_hand: int
    share: Decimal
    quota: int
    drawn: int
    population_hash: str
    vendor_seed: str | None
    request_id: UUID | None
    request_number: str | None
    due_at: datetime | None
    run_state: str | None
    error: dict[str, Any] | None

    @property
    def failed(self) -> bool:
        """Whether issuing the request stopped with an error."""
        return self.request_id is None and self.run_state == RunState.FAILED


def shares_of(session: Session, draw: Draw) -> tuple[ShareLine, ...]:
    """A draw's vendors, the largest volume first; none before its population is frozen, as `draw`
    says: a job may have committed them since that was read."""
    if not draw.population:
        return ()
    rows = session.execute(
        sa.select(
            DrawShare.tenant_id,
            Tenant.short_name,
            DrawShare.in_hand,
            DrawShare.quota,
            sa.func.coalesce(sa.func.cardinality(DrawShare.positions), 0).label("drawn"),
            DrawShare.population_hash,
            DrawShare.vendor_seed,
            DrawShare.request_id,
            MaterialRequest.number,
            MaterialRequest.due_at,
            JobRun.state.label("run_state"),
            JobRun.error,
        )
        .join(Tenant, Tenant.id == DrawShare.tenant_id)
        .outerjoin(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == DrawShare.tenant_id,
                MaterialRequest.id == DrawShare.request_id,
            ),
        )
        .outerjoin(
            JobRun, sa.and_(JobRun.tenant_id == draw.tenant_id, JobRun.id == DrawShare.run_id)
        )
        .where(DrawShare.draw_id == draw.id)
        .order_by(DrawShare.in_hand.desc(), DrawShare.tenant_id)
    )
    return tuple(_share_line(row, draw.population) for row in rows)


def _share_line(row: Any, population: int) -> ShareLine:
    return ShareLine(
        row.tenant_id,
        row.short_name,
        row.in_hand,
        Decimal(row.in_hand) / Decimal(population),
        row.quota,
        row.drawn,
        row.population_hash,
        row.vendor_seed,
        row.request_id,
        row.number,
        row.due_at,
        row.run_state,
        row.error,
    )


def issuing(draw: Draw, shares: Sequence[ShareLine]) -> RunView:
    """The issuing of a draw's requests as one piece of work: so many of the vendors have theirs.

    It has ended when nobody is left, and has failed when all who are left have failed.
    """
    issued = sum(share.request_id is not None for share in shares)
    failed = [share.error for share in shares if share.failed]
    state = RunState.RUNNING
    if issued + len(failed) == len(shares):
        state = RunState.FAILED if failed else RunState.DONE
    error = failed[0] if state is RunState.FAILED else None
    return RunView(draw.id, "draws.issue_request", state, issued, len(shares), {}, error)


def get_share(session: Session, draw_id: UUID, tenant_id: UUID, *, lock: bool = False) -> DrawShare:
    """A vendor's part of a draw, without its population; raises `NotFound`."""
    statement = sa.select(DrawShare).where(
        DrawShare.draw_id == draw_id, DrawShare.tenant_id == tenant_id
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("draw share")
    return row


def drawn_cases(session: Session, share: DrawShare) -> list[UUID]:
    """The ids of a vendor's drawn cases, in the order of their positions."""
    return population_of(session, share).ids_at(share.positions or [])


def population_of(session: Session, share: DrawShare) -> Population:
    """A vendor's frozen population, to be read by its method."""
    return Population(packed_of(session, share), _plan_of(session, share), share.strata)


def packed_of(session: Session, share: DrawShare) -> bytes:
    """A vendor's frozen population in the bytes of its method."""
    found = session.scalar(
        sa.select(DrawShare.population).where(
            DrawShare.tenant_id == share.tenant_id, DrawShare.id == share.id
        )
    )
    return found or b""


def _plan_of(session: Session, share: DrawShare) -> str | None:
    """The plan's text of a draw with strata or weights."""
    if share.strata is None:
        return None
    return session.scalar(sa.select(Draw.options).where(Draw.id == share.draw_id))


@dataclass(frozen=True, slots=True)
class DrawnCase:
    """A drawn case: its position in the population (from 0), its number, how it stands now."""

    position: int
    case_id: UUID
    case_no: str
    project: str
    age_band: str
    status: str


def sample(session: Session, share: DrawShare, first: int = 0) -> tuple[DrawnCase, ...]:
    """Drawn cases of a vendor from the `first` on, `SAMPLE_SIZE` at most."""
    places = (share.positions or [])[first : first + SAMPLE_SIZE]
    ids = population_of(session, share).ids_at(places)
    rows = session.execute(
        sa.select(Case.id, Case.case_no, Project.name, Case.age_band, Case.status)
        .join(Project, sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id))
        .where(Case.tenant_id == share.tenant_id, Case.id.in_(ids))
    )
    cases = {row.id: row for row in rows}
    return tuple(
        DrawnCase(position, case_id, *cases[case_id][1:])
        for position, case_id in zip(places, ids, strict=True)
    )


def marks_of(
    session: Session, share: DrawShare, places: Sequence[int]
) -> dict[int, tuple[tuple[str, int, int], int]]:
    """By method /2, the stratum (group's name, class of days, class of amount) and the weight of
    the cases at these positions; empty by /1."""
    if share.strata is None:
        return {}
    options = options_of(_plan_of(session, share))
    groups, found = groups_of(share.strata), population_of(session, share).members()
    marks = {}
    for place in places:
        group, days, amount = options.parts(found.strata[place])
        marks[place] = ((groups[group], days, amount), found.weights[place])
    return marks


def records_of(session: Session, draw: Draw) -> Iterator[ShareRecord]:
    """The vendors' parts as recorded, populations and requested cases included, one by one."""
    shares = list(
        session.scalars(
            sa.select(DrawShare).where(DrawShare.draw_id == draw.id).order_by(DrawShare.tenant_id)
        )
    )
    names = vendor_names(session, [share.tenant_id for share in shares])
    for share in shares:
        yield record_of(session, share, names[share.tenant_id])


def record_of(session: Session, share: DrawShare, vendor: str) -> ShareRecord:
    """One vendor's part as recorded; `vendor` is its name."""
    return ShareRecord(
        share.tenant_id,
        vendor,
        share.in_hand,
        share.quota,
        packed_of(session, share),
        share.population_hash,
        share.vendor_seed or "",
        tuple(share.positions or ()),
        _requested(session, share) if share.request_id else None,
        _plan_of(session, share),
        share.strata,
    )


def population_numbers(session: Session, tenant_id: UUID, population: Population) -> list[str]:
    """The case numbers of a vendor's population, in its order."""
    of_vendor = Case.tenant_id == tenant_id
    rows = session.execute(sa.select(Case.id, Case.case_no).where(of_vendor))
    numbers = {row.id: row.case_no for row in rows}
    return [numbers[one] for one in population.ids()]


def _requested(session: Session, share: DrawShare) -> frozenset[UUID]:
    """The cases that the request named when it was issued: without those put in another's place
    since, with those that were replaced or cancelled."""
    return frozenset(
        session.scalars(
            sa.select(RequestItem.case_id)
            .where(
                RequestItem.tenant_id == share.tenant_id,
                RequestItem.request_id == share.request_id,
                RequestItem.replaces_case_id.is_(None),
            )
            .distinct()
        )
    )
