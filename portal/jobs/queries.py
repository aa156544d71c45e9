"""Reads of job runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.jobs.models import JobRun, RunState
from portal.kernel.access import Actor
from portal.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as the progress bar shows it."""

    id: UUID
    task: str
    state: str
    done: int
    total: int
    result: dict[str, Any]
    error: dict[str, Any] | None

    @property
    def percent(self) -> int:
        """0–100; 100 only when the run is done."""
        if self.state == RunState.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else 0

    @property
    def ended(self) -> bool:
        """Whether polling may stop."""
        return self.state in (RunState.DONE, RunState.FAILED)


class Awaiting(Protocol):
    """A row that waits for background work."""

    @property
    def run_id(self) -> UUID | None:
        """The run, if the row waits for one."""


def run_of(session: Session, row: Awaiting) -> RunView | None:
    """The work that a row waits for, whoever asked for it; None when it waits for none.

    The row was read before its run. When the run has ended meanwhile, the row is read again: a
    page must not show the state before the work beside the news that the work is done, for then it
    would neither follow the work nor offer the next step.
    """
    view = newest_view(session, row.run_id)
    if view is not None and view.ended:
        session.refresh(row)
    return view


def newest_view(session: Session, run_id: UUID | None) -> RunView | None:
    """How far a run is now, for whoever waits for it; None when there is none. A reader that has
    other things of the time before it reads those again once it has ended."""
    if run_id is None:
        return None
    run = session.scalars(
        sa.select(JobRun).where(JobRun.id == run_id).execution_options(populate_existing=True)
    ).first()
    return _view(run) if run is not None else None


def run_failed(session: Session, row: Awaiting) -> bool:
    """Whether the work that a row waits for has ended without a result."""
    run = run_of(session, row)
    return run is not None and run.state == RunState.FAILED


def _view(run: JobRun) -> RunView:
    return RunView(run.id, run.task, run.state, run.done, run.total, run.result, run.error)


def get_run(session: Session, run_id: UUID, actor: Actor) -> RunView:
    """The run, for the person who asked for it; raises `NotFound`."""
    row = session.scalars(
        sa.select(JobRun).where(JobRun.id == run_id, JobRun.requested_by == actor.account_id)
    ).first()
    if row is None:
        raise NotFound("job run")
    return _view(row)


def find_run(session: Session, run_id: str, actor: Actor) -> RunView | None:
    """The run that an address names, or None when it names none of the actor's."""
    try:
        return get_run(session, UUID(run_id), actor)
    except (ValueError, NotFound):
        return None
