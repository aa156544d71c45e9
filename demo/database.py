"""Whether a database holds the demo, whole or half; filling it, and starting over."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ProcessPoolExecutor
from enum import Enum
from multiprocessing import get_context
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from demo.build import build
from demo.people import COMPANY
from portal.app import background, provision, wiring
from portal.app.factory import open_database
from portal.jobs.models import JobRun, RunState
from portal.jobs.worker import drain
from portal.journal import service as journal
from portal.journal.models import JournalEntry
from portal.kernel import phrases
from portal.kernel import settings as settings_module
from portal.kernel.access import system_actor
from portal.kernel.events import wire
from portal.kernel.settings import Settings
from tenants.models import Tenant, TenantKind
from tenants.scope import Login, Scope, bound

COMPLETE = "demo.data.complete"


class State(Enum):
    """What a database holds."""

    EMPTY = "empty"
    HALF = "half"
    COMPLETE = "complete"
    FOREIGN = "foreign"


def state_of(settings: Settings) -> State:
    """Whether the database holds nothing, half of the demo, all of it, or another company."""
    database = open_database(settings)
    try:
        with bound(Scope(Login.SIGN_IN)), database.session() as session:
            rows = session.execute(sa.select(Tenant.id, Tenant.kind, Tenant.name)).all()
        if not rows:
            return State.EMPTY
        company = next((row for row in rows if row.kind == TenantKind.COMPANY), None)
        if company is None or company.name != COMPANY[1]:
            return State.FOREIGN
        with bound(Scope.company(company.id)), database.session() as session:
            done = session.scalar(
                sa.select(JournalEntry.id).where(JournalEntry.action == COMPLETE).limit(1)
            )
        return State.COMPLETE if done else State.HALF
    finally:
        database.dispose()


def start_over(settings: Settings) -> None:
    """Drop the half-built database with its files, and make it anew, empty and migrated."""
    target = provision.driver_url(settings.database_url)
    admin = sa.create_engine(target.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        name = connection.dialect.identifier_preparer.quote(target.database or "portal")
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()
    shutil.rmtree(Path(settings.data_dir), ignore_errors=True)
    provision.bootstrap(settings)
    provision.migrate(settings)


def fill(settings: Settings) -> None:
    """Build the demo, print its papers, seal its journal, and note that it is complete."""
    wire(wiring.SUBSCRIBERS)
    phrases.install(_plain)
    database = open_database(settings)
    try:
        started = time.monotonic()
        company = build(database)
        print(f"    history played in {time.monotonic() - started:.1f} s", flush=True)
        started = time.monotonic()
        _print_papers(settings, company.id)
        print(f"    papers printed in {time.monotonic() - started:.1f} s", flush=True)
        with bound(Scope.company(company.id)), database.session() as session:
            journal.record(
                session, COMPLETE, ("company", company.id), actor=system_actor(company.id)
            )
            session.commit()
        with bound(Scope.company(company.id)), database.session() as session:
            journal.seal(session, background.journal_key(), background.heads_file())
            session.commit()
    finally:
        database.dispose()


def _plain(text: str, **params: object) -> str:
    return text % params if params else text


def _print_papers(settings: Settings, company_id: UUID) -> None:
    """Run every queued job, in as many processes as there are processors."""
    workers = max(1, min(4, os.cpu_count() or 1))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(run_queued, settings, company_id) for _worker in range(workers)]:
            done.result()
    database = open_database(settings)
    try:
        with bound(Scope.company(company_id)), database.session() as session:
            failed = session.scalar(sa.select(sa.func.count()).where(JobRun.state != RunState.DONE))
    finally:
        database.dispose()
    if failed:
        raise RuntimeError(f"{failed} jobs of the demo did not end well; see the log above")


def run_queued(settings: Settings, company_id: UUID) -> None:
    """Work until the queue is empty, in this process."""
    settings_module.install(settings)
    wire(wiring.SUBSCRIBERS)
    phrases.install(_plain)
    database = open_database(settings)
    try:
        drain(settings.login_urls()["queue"], database, company_id)
    finally:
        database.dispose()
