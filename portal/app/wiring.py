"""What is wired to what: blueprints, tasks, subscribers and chores, in tables to be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Flask

from portal.audits.assessments import views as assessments_views
from portal.audits.draws import jobs as draws_jobs
from portal.audits.draws import views as draws_views
from portal.audits.reviews import views as reviews_views
from portal.calendar import views as calendar_views
from portal.cases import views as cases_views
from portal.cases.imports import jobs as case_imports_jobs
from portal.cases.imports import views as case_imports_views
from portal.deadlines import service as deadlines
from portal.identity import views as identity_views
from portal.jobs import views as jobs_views
from portal.jobs.worker import Chore
from portal.journal import service as journal
from portal.journal import views as journal_views
from portal.kernel.access import system_actor
from portal.kernel.events import Event, Subscriber, wire
from portal.kernel.settings import settings
from portal.materials import desk as materials_desk
from portal.materials import files as materials_files
from portal.materials import jobs as materials_jobs
from portal.materials import uploads as materials_uploads
from portal.materials import views as materials_views
from portal.notices import jobs as notices_jobs
from portal.notices import views as notices_views
from portal.notifications import views as messages_views
from portal.receipts import views as receipts_views
from portal.receipts.imports import jobs as receipt_imports_jobs
from portal.receipts.imports import views as receipt_imports_views
from portal.schemes import views as schemes_views
from tenants import vault
from tenants.database import Database
from tenants.scope import Scope, bound

BLUEPRINTS: tuple[Blueprint, ...] = (
    identity_views.bp,
    jobs_views.bp,
    journal_views.bp,
    notices_views.bp,
    messages_views.bp,
    calendar_views.bp,
    schemes_views.bp,
    cases_views.bp,
    case_imports_views.bp,
    draws_views.bp,
    receipts_views.bp,
    receipt_imports_views.bp,
    materials_views.bp,
    materials_desk.bp,
    materials_files.bp,
    reviews_views.bp,
    assessments_views.bp,
)

SUBSCRIBERS: dict[type[Event], Sequence[Subscriber]] = {}

TASK_MODULES = (notices_jobs, case_imports_jobs, materials_jobs, draws_jobs, receipt_imports_jobs)
"""Modules whose import registers tasks."""


def install(app: Flask) -> None:
    """Register the blueprints and the subscribers."""
    wire(SUBSCRIBERS)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)


def chores(database: Database, company_id: UUID) -> tuple[Chore, ...]:
    """What the worker does again and again, beside the jobs."""
    actor = system_actor(company_id)

    def seal() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            journal.seal(session, journal_key(), heads_file())
            session.commit()

    def sweep() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            deadlines.sweep(session, actor=actor)
            session.commit()

    def give_up_uploads() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            keys = materials_uploads.sweep(session)
            session.commit()
        materials_uploads.remove(keys)

    return (
        Chore("seal the journal", 3, seal),
        Chore("sweep deadlines", 15, sweep),
        Chore("sweep abandoned uploads", 600, give_up_uploads),
    )


def journal_key() -> bytes:
    """The key that signs the journal's heads."""
    return vault.installed().derive("journal-heads")


def heads_file() -> Path:
    """Where the signed heads are kept apart from the database."""
    return Path(settings().data_dir) / "journal-heads.log"
