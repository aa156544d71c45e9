"""Freezing and hashing every vendor's population, and drawing one per cent of it (A3)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from benchmarks.place import Place
from benchmarks.report import Figure
from benchmarks.serving import cpu_of
from portal.app.factory import open_database
from portal.audits.draws import service
from portal.audits.models import Draw, DrawState
from portal.cases.draw import METHOD
from portal.kernel import clock
from portal.kernel.access import Actor
from tenants.database import ScopedSession
from tenants.rows import new_id
from tenants.scope import Scope, bound

RATE = Decimal(1)


def measured(place: Place, company_id: UUID) -> Iterator[Figure]:
    """The service's own steps, in transactions that are rolled back at the end."""
    database = open_database(place.settings)
    try:
        with bound(Scope.company(company_id)), database.session() as session:
            yield from _steps(session, company_id)
            session.rollback()
    finally:
        database.dispose()


def _steps(session: ScopedSession, company_id: UUID) -> Iterator[Figure]:
    row = Draw(
        tenant_id=company_id,
        id=new_id(),
        name=f"bench {secrets.token_hex(4)}",
        period=f"{clock.today():%Y-%m}",
        method=METHOD,
        rate=RATE,
        total=None,
        state=DrawState.PLANNED,
        wanted=[{"kind": "call_recording", "required": True}],
        planned_at=clock.now(),
        created_by=new_id(),
        created_by_name="bench",
    )
    session.add(row)
    session.flush()
    backend = session.scalar(sa.text("select pg_backend_pid()"))
    assert backend is not None
    began = time.perf_counter()
    frozen = service.freeze(session, row.id)
    seconds = time.perf_counter() - began
    yield Figure(
        "freeze and hash the population",
        seconds,
        "s",
        4,
        note=f"{frozen.population:,} cases, wall clock, one transaction",
    )
    actor = Actor(new_id(), "bench", company_id, company_id)
    began, used = time.perf_counter(), cpu_of(backend)
    service.draw_sample(session, row, actor=actor)
    wall, used = time.perf_counter() - began, cpu_of(backend) - used
    yield Figure(
        "draw 1 % of it: database time",
        used,
        "s",
        0.5,
        note=f"{row.total:,} cases; {wall:.2f} s wall clock with the application's part",
    )
