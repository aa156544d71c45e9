"""A portal, the worker process that works for it, and jobs whose repeat would be visible."""

from __future__ import annotations

import io
import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from portal.audits.draws import service as draws
from portal.audits.draws.rules import Size
from portal.cases.imports.service import FLOW
from portal.jobs.models import RunState
from portal.kernel import clock
from portal.kernel.access import Role
from portal.materials.rules import Wanted
from portal.notices.service import issue
from tenants.database import ScopedSession
from tenants.rows import new_id
from tests.conftest import Portal
from tests.factories.cases import case_values, workbook
from tests.faults.processes import WORKER, Process, environment_of, until
from tests.notices.samples import fee_statement

ROWS = 300
_FIRST = 1_000
"""Numbers of a round's imported cases begin at this times the round."""
TASKS = ("cases.take_import", "draws.freeze", "notices.render")
ONCE = Counter(
    {
        "rows of cases": ROWS,
        "rows of draw_shares": 3,
        "rows of stored_files": 2,
        "rows of documents": 1,
        "files": 2,
        "cases.import.uploaded": 1,
        "cases.import.taken": 1,
        "cases.cases.entrusted": 3,
        "audits.draw.planned": 1,
        "audits.draw.frozen": 1,
        "notices.document.issued": 1,
    }
)
"""What one round of the three jobs, and asking for them, leaves behind."""


@dataclass(frozen=True)
class Jobs:
    """The subjects of the three jobs."""

    import_id: UUID
    document_id: UUID
    draw_id: UUID

    @property
    def row_locks(self) -> tuple[str, ...]:
        """Locks on the rows that the jobs lock first."""
        return (
            f"select 1 from case_imports where id = '{self.import_id}' for update",
            f"select 1 from documents where id = '{self.document_id}' for update",
            f"select 1 from draws where id = '{self.draw_id}' for update",
        )


@dataclass
class Crew:
    """A portal and who works for it."""

    portal: Portal
    folder: Path
    worker: Process = field(init=False)
    _dead: list[int] = field(default_factory=list)
    _rounds: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        """The database, for its administrator."""
        return self.portal.settings.database_url

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What a statement gives the administrator."""
        with psycopg.connect(
            self.url, autocommit=True, options="-c search_path=public,queue"
        ) as connection:
            answer = connection.execute(statement, values)
            return answer.fetchall() if answer.description else []

    def hire(self) -> None:
        """Start a worker, and wait until it has looked for work."""
        known = self._workers()
        self.worker = Process(WORKER, environment_of(self.portal), self.folder / "worker.log")
        until(lambda: self._workers() - known, self.worker)

    def kill(self) -> None:
        """kill -9 the worker."""
        self.worker.kill()
        self._dead = sorted(self._workers())

    def time_passes(self) -> None:
        """The killed worker's last sign of life is a minute ago."""
        self.sql(
            "update queue.procrastinate_workers set last_heartbeat = now() - interval '1 minute'"
            " where id = any(%s)",
            self._dead,
        )

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The worker stands still."""
        self.worker.child.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.worker.child.send_signal(signal.SIGCONT)

    def give_work(self) -> Jobs:
        """Three jobs into the queue, of things that no earlier round touched."""
        number = next(self._rounds)
        import_id = self._checked_import(number)
        with self.portal.session(self.portal.world.scope) as session:
            FLOW.confirm(
                session,
                import_id,
                seen_version=FLOW.get(session, import_id).version,
                leave_bad=False,
                actor=self.portal.world.actor(Role.VENDOR_MANAGER),
            )
            document_id = self._paper(session, number)
            draw = draws.plan(
                session,
                name=f"第{number}次",
                period="2026-11",
                size=Size(total=6),
                wanted=[Wanted("call_recording")],
                actor=self.portal.world.actor(Role.AUDITOR),
            )
            session.commit()
            return Jobs(import_id, document_id, draw.id)

    def _checked_import(self, number: int) -> UUID:
        """A workbook of new cases, uploaded and checked."""
        today, vendors = clock.today(), self.portal.world.vendors
        rows = [
            case_values(
                vendors[at % len(vendors)],
                _FIRST * number + at,
                entrusted_on=today - timedelta(20),
                due_back_on=today + timedelta(60),
                batch=f"批次{number}",
            )
            for at in range(ROWS)
        ]
        with self.portal.session(self.portal.world.scope) as session:
            made = FLOW.upload(
                session,
                io.BytesIO(workbook(rows)),
                name="清单.xlsx",
                actor=self.portal.world.actor(Role.VENDOR_MANAGER),
            )
            session.commit()
            import_id = made.id
        self.portal.work()
        return import_id

    def _paper(self, session: ScopedSession, number: int) -> UUID:
        return issue(
            session,
            tenant_id=self.portal.world.vendors[0].id,
            template="fee_statement",
            number=f"FY-HC-2026-{number:04d}",
            title="费用结算单",
            content=fee_statement(),
            subject=("statement", new_id()),
            actor=self.portal.world.actor(Role.FINANCE),
        ).id

    def states(self) -> list[str]:
        """How far the newest runs of the three tasks are."""
        rows = self.sql(
            "select distinct on (task) task, state from job_runs where task = any(%s)"
            " order by task, id desc",
            list(TASKS),
        )
        return [state for _task, state in rows]

    def all_are(self, state: RunState) -> bool:
        """All three jobs are so far."""
        return self.states() == [state.value] * len(TASKS)

    def blocked(self) -> int:
        """How many sessions wait for a lock before they write a journal entry or a file's row."""
        found = self.sql(
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and wait_event_type = 'Lock' and query ~* 'insert into stored_files|journal_add'"
        )
        return int(found[0][0])

    def queue_is_empty(self) -> bool:
        """Nothing waits and nothing is being done."""
        return not self.sql("select 1 from queue.procrastinate_jobs")

    def effects(self) -> Counter[str]:
        """Rows, files and journal entries, counted."""
        found: Counter[str] = Counter()
        for table in ("cases", "draw_shares", "stored_files", "documents"):
            found[f"rows of {table}"] = self.sql(f"select count(*) from {table}")[0][0]
        found.update(dict(self.sql("select action, count(*) from journal_entries group by action")))
        found["files"] = len(self.files())
        return found

    def files(self) -> set[str]:
        """Names of the files in the store, whole or not."""
        root = self.portal.settings.data_dir
        return {
            name
            for folder, _folders, names in os.walk(root)
            for name in names
            if name != "journal-heads.log"
        }

    def _workers(self) -> set[int]:
        return {number for (number,) in self.sql("select id from queue.procrastinate_workers")}
