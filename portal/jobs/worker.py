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

from portal.jobs.registry import TASKS
from portal.jobs.service import execute
from tenants.database import Database

log = logging.getLogger(__name__)
RETRIES = 3
STALLED_AFTER_SECONDS = 30


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
    async with app.open_async():
        if wait:
            await retry_stalled(app)
        await app.run_worker_async(
            wait=wait,
            concurrency=concurrency,
            install_signal_handlers=wait,
            listen_notify=wait,
            delete_jobs="successful",
            fetch_job_polling_interval=1.0,
            shutdown_graceful_timeout=20,
        )


async def retry_stalled(app: procrastinate.App) -> int:
    """Put jobs of workers that died back into the queue; returns how many."""
    stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS)
    count = 0
    for job in stalled:
        await app.job_manager.retry_job(job)
        count += 1
    return count


def drain(conninfo: str, database: Database, company_id: UUID) -> None:
    """Run every queued job with the real worker and return when the queue is empty."""
    asyncio.run(_work(queue_app(conninfo, database, company_id), wait=False, concurrency=1))


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
) -> None:
    """The worker process: jobs until a signal says stop, chores beside them."""
    housekeeper = Housekeeper(chores)
    housekeeper.start()
    try:
        asyncio.run(
            _work(queue_app(conninfo, database, company_id), wait=True, concurrency=concurrency)
        )
    finally:
        housekeeper.stop()
        housekeeper.join(10)
