"""Freezing and hashing every vendor's population, and drawing one per cent of it (A3).

python -m benchmarks draws [--json FILE] [--refill]

On 1,000,000 cases of 200 vendors: by method /1, every case alike, and by /2, in strata of group,
days past due and amount, with extra weight for risk.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from benchmarks.fill import company_of, fill
from benchmarks.place import Place, exists, forget, opened
from benchmarks.report import Figure, table
from benchmarks.serving import cpu_of
from portal.app.factory import open_database
from portal.audits.draws import service
from portal.audits.draws.plans import Options
from portal.audits.models import Draw, DrawState
from portal.cases import strata
from portal.cases.draw import METHOD
from portal.kernel import clock
from portal.kernel.access import Actor
from tenants.database import ScopedSession
from tenants.rows import new_id
from tenants.scope import Scope, bound

RATE = Decimal(1)


STRATA = Options(group=True, days=(30, 90, 180), amounts=(5_000, 20_000), suspended=2, findings=2)
PLANS = ((Options(), ""), (STRATA, ", in strata by weight"))


def measured(place: Place, company_id: UUID) -> Iterator[Figure]:
    """The service's own steps, in transactions that are rolled back at the end."""
    database = open_database(place.settings)
    try:
        for options, named in PLANS:
            with bound(Scope.company(company_id)), database.session() as session:
                yield from _steps(session, company_id, options, named)
                session.rollback()
    finally:
        database.dispose()


def _steps(
    session: ScopedSession, company_id: UUID, options: Options, named: str
) -> Iterator[Figure]:
    row = Draw(
        tenant_id=company_id,
        id=new_id(),
        name=f"bench {secrets.token_hex(4)}",
        period=f"{clock.today():%Y-%m}",
        method=METHOD if options.plain else strata.METHOD,
        options=None if options.plain else options.text,
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
        f"freeze and hash the population{named}",
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
        f"draw 1 % of it{named}: database time",
        used,
        "s",
        0.5,
        note=f"{row.total:,} cases; {wall:.2f} s wall clock with the application's part",
    )


def main(arguments: Sequence[str]) -> int:
    """Fill the database where needed, measure, print the table; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="bin/bench draws", description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--refill", action="store_true", help="fill the database anew")
    chosen = parser.parse_args(arguments)
    with opened() as here:
        if chosen.refill or not exists(here):
            print("==> Filling the database: 200 vendors, 1,000,000 cases (minutes, once)")
            forget(here)
            fill(here)
        print("==> Measuring", flush=True)
        database = open_database(here.settings)
        company_id = company_of(database)
        database.dispose()
        figures = list(measured(here, company_id))
    load = os.getloadavg()[0]
    print(f"\n{os.cpu_count()} cores, load {load:.1f}, {platform.machine()}\n\n{table(figures)}")
    if chosen.json:
        body = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "cores": os.cpu_count(),
            "load": load,
            "figures": [figure.as_json() for figure in figures],
        }
        chosen.json.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n")
    return 1 if any(figure.held is False for figure in figures) else 0
