"""What the worker runs: the modules that register tasks, and the chores that recur.

The web process does not import this (PDF and audio libraries would cost it 60 MB): it enqueues
tasks by name, and the database refuses a name that is not on its list.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from flask import Flask

from portal.app.mailing import Post
from portal.app.orphans import OrphanSweep
from portal.app.reminders import extensions_asked
from portal.audits.appeals import service as appeals
from portal.audits.draws import jobs as draws_jobs
from portal.audits.reviews import facts
from portal.calendar import service as calendar_service
from portal.cases.imports import jobs as case_imports_jobs
from portal.deadlines import service as deadlines
from portal.fees import jobs as fees_jobs
from portal.files.service import storage
from portal.identity import attempts
from portal.jobs.worker import Chore
from portal.journal import service as journal
from portal.kernel.access import system_actor
from portal.kernel.settings import settings
from portal.materials import abandoned, spoiled
from portal.materials import arrivals as materials_arrivals
from portal.materials import jobs as materials_jobs
from portal.notices import jobs as notices_jobs
from portal.notices import receipts, timeline
from portal.notices import service as notices
from portal.notices.mailed import note_mails
from portal.receipts.imports import jobs as receipt_imports_jobs
from portal.rectification import arrivals as rectification_arrivals
from portal.rectification import rechecks
from portal.retention import jobs as retention_jobs
from portal.retention import service as retention
from portal.scoring import jobs as scoring_jobs
from portal.vendors.clause_imports import jobs as clause_imports_jobs
from tenants import vault
from tenants.database import Database
from tenants.scope import Login, Scope, bound

TASK_MODULES = (
    notices_jobs,
    case_imports_jobs,
    materials_jobs,
    draws_jobs,
    receipt_imports_jobs,
    clause_imports_jobs,
    scoring_jobs,
    fees_jobs,
    retention_jobs,
)
"""Modules whose import registers tasks."""


FOLLOWING = (
    extensions_asked,
    appeals.announce,
    rechecks.open_due,
    materials_arrivals.announce,
    spoiled.announce,
    rectification_arrivals.announce,
    facts.announce,
)
"""What follows the clocks in one sweep: news of vendors' steps for the company's people, and the
re-checks whose day has come."""


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
            deadlines.remind(session, actor=actor)
            deadlines.remind_after(session, calendar_service.load(session), actor=actor)
            for step in FOLLOWING:
                step(session, actor=actor)
            session.commit()

    def give_up_uploads() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            given_up = abandoned.sweep(session, actor=actor)
            session.commit()
        abandoned.forget(given_up)

    orphans = OrphanSweep(storage(), actor)

    def remove_orphans() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            found = orphans.step(session)
            session.commit()
        orphans.remove(found)

    def warn_of_the_end() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            retention.warn(session, actor=actor)
            session.commit()

    def forget_attempts() -> None:
        with bound(Scope(Login.SIGN_IN)), database.session() as session:
            attempts.sweep(session, actor=actor)
            session.commit()

    def remove_bytes() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            retention.remove_bytes(session)
            session.commit()

    return (
        Chore("seal the journal", 3, seal),
        Chore("sweep deadlines", 15, sweep),
        *_paper_chores(database, company_id),
        Chore("sweep abandoned uploads", 600, give_up_uploads),
        Chore("remove bytes without a row", 60, remove_orphans),
        Chore("remove deleted bytes", 30, remove_bytes),
        Chore("forget old sign-in attempts", 3_600, forget_attempts),
        Chore("warn of the end of times", 21_600, warn_of_the_end),
    )


def _paper_chores(database: Database, company_id: UUID) -> tuple[Chore, ...]:
    """What the worker does with papers that are on their way."""
    actor = system_actor(company_id)

    def follow_papers() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            note_mails(session)
            timeline.sweep_unopened(session, actor=actor)
            timeline.sweep_unserved(session, actor=actor)
            session.commit()

    def make_papers() -> None:
        with bound(Scope.company(company_id)), database.session() as session:
            notices.issue_waiting(session, actor=actor)
            receipts.seal_waiting(session, actor=actor)
            session.commit()

    return (
        Chore("follow papers that nobody opens", 60, follow_papers),
        Chore("make papers that should be there", 600, make_papers),
    )


def mail_chores(app: Flask, database: Database, company_id: UUID) -> tuple[Chore, ...]:
    """What the worker does with mails, apart from the rest: a slow mail server holds nothing up."""
    post = Post(app, database, company_id)
    return (
        Chore("send mails", 5, post.run),
        Chore("write digests", 60, post.digest),
    )


def journal_key() -> bytes:
    """The key that signs the journal's heads."""
    return vault.installed().derive("journal-heads")


def heads_file() -> Path:
    """Where the signed heads are kept apart from the database."""
    return Path(settings().data_dir) / "journal-heads.log"
