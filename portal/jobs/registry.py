"""Tasks by name, and what a task is given when it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.jobs.models import JobRun
from portal.kernel.access import Actor
from tenants.database import Database
from tenants.scope import Scope, bound


@dataclass(slots=True)
class Job:
    """A running task: its scoped session (committed by the runner), its actor and its progress."""

    run_id: UUID
    scope: Scope
    session: Session
    actor: Actor
    database: Database

    def progress(self, done: int, total: int) -> None:
        """Show progress at once, in a transaction of its own."""
        with bound(self.scope), self.database.session() as session:
            session.execute(
                sa.update(JobRun).where(JobRun.id == self.run_id).values(done=done, total=total)
            )
            session.commit()


TaskFunction = Callable[..., dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Task:
    """A registered task. `vendor_may` lets a vendor's own transaction enqueue it."""

    name: str
    run: TaskFunction
    vendor_may: bool


TASKS: dict[str, Task] = {}


def task(name: str, *, vendor_may: bool = False) -> Callable[[TaskFunction], TaskFunction]:
    """Register a function as the task `name` ("slice.verb").

    It is called with a `Job` and the enqueued arguments, works in `job.session` and does not
    commit: the runner commits the work and the run's end together, so that a repeated run of a
    killed worker finds either nothing or everything done.
    """

    def register(function: TaskFunction) -> TaskFunction:
        if name in TASKS and TASKS[name].run is not function:
            raise ValueError(f"task {name} is registered twice")
        TASKS[name] = Task(name, function, vendor_may)
        return function

    return register
