"""The worker: Procrastinate fetches, `service.execute` runs, a housekeeper does what recurs."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import procrastinate
from procrastinate import RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from portal.jobs.registry import TASKS
from portal.jobs.service import execute, give_up
from tenants.database import Database

log = logging.getLogger(__name__)
RETRIES = 3
HEARTBEAT_SECONDS = 5.0
STALLED_AFTER_SECONDS = 20.0
"""A worker that was silent so long is taken for dead, and its jobs are taken up by another. Should
it live after all, nothing is done twice: whoever ends a run second is rolled back."""
MOST_ATTEMPTS = 6
"""A job that took so many workers with it is given up."""


def queue_app(conninfo: str, database: Database, company_id: UUID) -> procrastinate.App:
    """A Procrastinate application with every registered task, on the queue login."""
    connector = procrastinate.PsycopgConnector(
        conninfo=conninfo, kwargs={"options": "-c search_path=queue"}, min_size=1, max_size=4
    )
    app = procrastinate.App(connector=connector)
    for name in TASKS:
        app.task(
            name=name,
            queue="portal",
            retry=RetryStrategy(max_attempts=RETRIES, exponential_wait=4),
        )(_runner(database, company_id, name))
    return app


def _runner(database: Database, company_id: UUID, name: str) -> Callable[..., None]:
    def run(**payload: Any) -> None:
        execute(database, company_id, name, payload)

    run.__name__ = name.replace(".", "_")
    return run


async def _work(app: procrastinate.App, *, wait: bool, concurrency: int) -> None:
    await app.run_worker_async(
        wait=wait,
        concurrency=concurrency,
        install_signal_handlers=wait,
        listen_notify=wait,
        delete_jobs="successful",
        fetch_job_polling_interval=1.0,
        shutdown_graceful_timeout=20,
        update_heartbeat_interval=HEARTBEAT_SECONDS,
        stalled_worker_timeout=STALLED_AFTER_SECONDS,
    )


async def _drain(app: procrastinate.App) -> None:
    async with app.open_async():
        await _work(app, wait=False, concurrency=1)


async def _work_and_rescue(app: procrastinate.App, database: Database, concurrency: int) -> None:
    """Work, and look again and again for jobs whose worker died: at the start of a worker that
    follows a killed one at once, nobody can know yet that the other is dead."""
    async with app.open_async():
        rescuer = asyncio.create_task(_rescue(app, database), name="rescuer")
        try:
            await _work(app, wait=True, concurrency=concurrency)
        finally:
            rescuer.cancel()


async def _rescue(app: procrastinate.App, database: Database) -> None:
    while True:
        try:
            await retry_stalled(app, database)
        except Exception:
            log.exception("looking for jobs of workers that died failed")
        await asyncio.sleep(HEARTBEAT_SECONDS)


async def retry_stalled(app: procrastinate.App, database: Database) -> int:
    """Put jobs of workers that died back into the queue; returns how many.

    A job that has been tried `MOST_ATTEMPTS` times is given up instead: its run fails with a
    reference.
    """
    jobs = app.job_manager
    count = 0
    for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
        try:
            if job.attempts + 1 < MOST_ATTEMPTS:
                await jobs.retry_job(job)
                count += 1
            else:
                await asyncio.to_thread(give_up, database, dict(job.task_kwargs))
                await jobs.finish_job(job, status=Status.FAILED, delete_job=False)
        except ConnectorException:
            # Another worker was quicker.
            log.info("job %s was taken up meanwhile", job.id)
    return count


def drain(conninfo: str, database: Database, company_id: UUID) -> None:
    """Run every queued job with the real worker and return when the queue is empty."""
    asyncio.run(_drain(queue_app(conninfo, database, company_id)))


@dataclass(frozen=True, slots=True)
class Chore:
    """Something that recurs: a name, seconds between runs, and what to do."""

    name: str
    seconds: float
    run: Callable[[], object]


class Housekeeper(threading.Thread):
    """Runs the chores in turn. One failing chore is logged and does not stop the others."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        """`chores` come from the wiring."""
        super().__init__(name="housekeeper", daemon=True)
        self._chores = chores
        self._stopping = threading.Event()

    def run(self) -> None:
        """Loop until `stop`."""
        due = {chore.name: time.monotonic() for chore in self._chores}
        while not self._stopping.wait(0.5):
            for chore in self._chores:
                if time.monotonic() >= due[chore.name]:
                    due[chore.name] = time.monotonic() + chore.seconds
                    try:
                        chore.run()
                    except Exception:
                        log.exception("chore %s failed", chore.name)

    def stop(self) -> None:
        """Ask the loop to end after the chore in hand."""
        self._stopping.set()


def run_forever(
    conninfo: str,
    database: Database,
    company_id: UUID,
    chores: Sequence[Chore],
    concurrency: int = 2,
    *,
    slow: Sequence[Chore] = (),
) -> None:
    """The worker process: jobs until a signal says stop, chores beside them. The `slow` chores,
    which wait for other machines, have a thread of their own and hold nothing else up."""
    housekeepers = [Housekeeper(chores), Housekeeper(slow)]
    for housekeeper in housekeepers:
        housekeeper.start()
    try:
        app = queue_app(conninfo, database, company_id)
        asyncio.run(_work_and_rescue(app, database, concurrency))
    finally:
        for housekeeper in housekeepers:
            housekeeper.stop()
        for housekeeper in housekeepers:
            housekeeper.join(10)
