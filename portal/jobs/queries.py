"""Reads of job runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
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


def get_run(session: Session, run_id: UUID, actor: Actor) -> RunView:
    """The run, for the person who asked for it; raises `NotFound`."""
    row = session.scalars(
        sa.select(JobRun).where(JobRun.id == run_id, JobRun.requested_by == actor.account_id)
    ).first()
    if row is None:
        raise NotFound("job run")
    return RunView(row.id, row.task, row.state, row.done, row.total, row.result, row.error)


def find_run(session: Session, run_id: str, actor: Actor) -> RunView | None:
    """The run that an address names, or None when it names none of the actor's."""
    try:
        return get_run(session, UUID(run_id), actor)
    except (ValueError, NotFound):
        return None
