"""A running portal: a threaded server on a port of its own, a worker, and a clock to move."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from werkzeug.serving import WSGIRequestHandler, make_server

from portal.app import background
from portal.jobs.worker import Housekeeper, queue_app
from portal.kernel import clock
from tests.conftest import Portal

FAULT_LOGS = ("portal", "procrastinate")
AXE_STYLE = "style-src-elem refused inline"
"""Axe puts a style into the player's shadow root. What the portal's own pages would be refused is
heard in the page itself, while axe is not at work."""


class Quiet(WSGIRequestHandler):
    """Answers requests and says nothing of each."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Faults are logged by the portal itself."""


class Worker(threading.Thread):
    """The real worker, in a thread: waits for jobs until it is stopped."""

    def __init__(self, portal: Portal) -> None:
        """`portal` says which database and company."""
        super().__init__(name="worker", daemon=True)
        self._portal = portal
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._started = threading.Event()

    def run(self) -> None:
        """Work until `stop`."""
        asyncio.set_event_loop(self._loop)
        self._task = self._loop.create_task(self._work())
        self._started.set()
        try:
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _work(self) -> None:
        portal = self._portal
        app = queue_app(
            portal.settings.login_urls()["queue"], portal.database, portal.world.company_id
        )
        async with app.open_async():
            await app.run_worker_async(
                wait=True,
                concurrency=1,
                install_signal_handlers=False,
                listen_notify=True,
                delete_jobs="successful",
                fetch_job_polling_interval=0.5,
                shutdown_graceful_timeout=20,
            )

    def stop(self) -> None:
        """End after the jobs in hand."""
        self._started.wait(5)
        if self._task is not None:
            self._loop.call_soon_threadsafe(self._task.cancel)
        self.join(30)


class Faults(logging.Handler):
    """Keeps what the portal logs as an error, and the browsers' reports of its content policy."""

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        super().__init__(logging.WARNING)
        self.errors: list[str] = []
        self.policy: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        text = self.format(record)
        if record.name == "portal.app.csp":
            if AXE_STYLE not in text:
                self.policy.append(text)
        elif record.levelno >= logging.ERROR:
            self.errors.append(text)


@dataclass
class Live:
    """A portal that answers at `url`."""

    portal: Portal
    url: str
    faults: Faults

    def at(self, year: int, month: int, day: int, hour: int = 10, minute: int = 0) -> None:
        """Put the clock of the whole process to a moment in Beijing; it runs on from there."""
        wanted = datetime(year, month, day, hour, minute, tzinfo=clock.BEIJING)
        clock.shift(wanted.astimezone(UTC) - datetime.now(UTC))


@contextmanager
def serving(portal: Portal) -> Iterator[Live]:
    """Serve the portal and work off its jobs until the end of the block."""
    faults = Faults()
    for name in FAULT_LOGS:
        logging.getLogger(name).addHandler(faults)
    server = make_server("127.0.0.1", 0, portal.app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, name="server", daemon=True)
    worker = Worker(portal)
    keeper = Housekeeper(background.chores(portal.database, portal.world.company_id))
    live = Live(portal, f"http://127.0.0.1:{server.port}", faults)
    live.at(2026, 11, 3)
    try:
        for each in (thread, worker, keeper):
            each.start()
        yield live
    finally:
        server.shutdown()
        keeper.stop()
        keeper.join(10)
        worker.stop()
        server.server_close()
        clock.shift(timedelta(0))
        for name in FAULT_LOGS:
            logging.getLogger(name).removeHandler(faults)
