"""The worker is killed with -9 in the middle; another takes its jobs up, and each is done once.

The worker is the process that the demo starts. Locks that the jobs run into make the moment sure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from devserver.postgres import Cluster
from portal.jobs.models import RunState
from portal.jobs.service import enqueue
from portal.jobs.worker import MOST_ATTEMPTS, queue_app, retry_stalled
from portal.kernel import clock
from portal.kernel.access import Role
from tenants.rows import new_id
from tests.conftest import Portal, Template, running_portal
from tests.factories.cases import add_cases
from tests.factories.world import MOMENT
from tests.faults.crew import ONCE, TASKS, Crew
from tests.faults.processes import held, until


@pytest.fixture(scope="module")
def crew(
    cluster: Cluster, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crew]:
    """A portal whose vendors hold cases, and its worker."""
    folder = tmp_path_factory.mktemp("killed")
    with running_portal(cluster, template, folder / "data") as portal:
        made = Crew(portal, folder)
        # The worker's clock is the machine's, whatever day it is.
        made.sql("update contracts set starts_on = '2020-01-01', ends_on = '2099-12-31'")
        with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
            for vendor in portal.world.vendors:
                add_cases(session, portal.world, vendor, 10)
        made.hire()
        yield made
        made.worker.kill()


def begun(crew: Crew) -> None:
    """All three are marked as running, and nothing is done."""
    with ExitStack() as locks:
        with crew.paused():
            jobs = crew.give_work()
            locks.enter_context(held(crew.url, *jobs.row_locks))
        until(lambda: crew.all_are(RunState.RUNNING), crew.worker)
        crew.kill()


def written(crew: Crew) -> None:
    """Cases, shares and the paper's bytes are written; the last rows and the commits are not."""
    with ExitStack() as locks:
        with crew.paused():
            crew.give_work()
            tables = "lock table journal_entries, stored_files in exclusive mode"
            locks.enter_context(held(crew.url, tables))
        until(lambda: crew.blocked() >= len(TASKS), crew.worker)
        crew.kill()


def committed(crew: Crew) -> None:
    """The work is committed, and the queue does not know it yet."""
    with ExitStack() as later:
        with ExitStack() as locks:
            with crew.paused():
                jobs = crew.give_work()
                locks.enter_context(held(crew.url, *jobs.row_locks))
            until(lambda: crew.all_are(RunState.RUNNING), crew.worker)
            doing = "select 1 from queue.procrastinate_jobs where status = 'doing' for update"
            later.enter_context(held(crew.url, doing))
        until(lambda: crew.all_are(RunState.DONE), crew.worker)
        crew.kill()


def half_way(crew: Crew) -> None:
    """The import has shown progress; the others are wherever they are."""
    with crew.paused():
        crew.give_work()
    seen = "select 1 from job_runs where task = 'cases.take_import' and state = 'running'"
    until(lambda: crew.sql(seen), crew.worker)
    crew.kill()


@pytest.mark.parametrize("moment", [begun, written, committed, half_way])
def test_a_killed_workers_jobs_are_done_once(crew: Crew, moment: Callable[[Crew], None]) -> None:
    before = crew.effects()
    moment(crew)
    if moment is begun:
        # The next worker comes at once, while the killed one's last sign of life is fresh: it finds
        # nobody dead, and has to look again.
        crew.hire()
        assert crew.all_are(RunState.RUNNING)
        crew.time_passes()
    else:
        crew.time_passes()
        crew.hire()
    until(crew.queue_is_empty, crew.worker)
    assert crew.all_are(RunState.DONE)
    assert crew.effects() - before == ONCE


def test_a_job_that_kills_every_worker_is_given_up(portal: Portal) -> None:
    """It would otherwise take one worker after the other with it, for ever."""
    world = portal.world
    with portal.session(world.scope) as session:
        actor = world.actor(Role.AUDITOR)
        run_id = enqueue(session, "draws.freeze", {"draw_id": new_id()}, actor=actor)
        session.commit()
    crew = Crew(portal, portal.settings.data_dir)
    crew.sql("update queue.procrastinate_jobs set status = 'doing', attempts = %s", MOST_ATTEMPTS)
    queue = queue_app(portal.settings.login_urls()["queue"], portal.database, world.company_id)

    async def look() -> int:
        async with queue.open_async():
            return await retry_stalled(queue, portal.database)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, look()).result() == 0
    ((state, error),) = crew.sql("select state, error from job_runs where id = %s", run_id)
    assert state == RunState.FAILED
    assert error["reference"]
    assert crew.sql("select status::text from queue.procrastinate_jobs") == [("failed",)]
