"""Enqueue work inside the business transaction, and run it in its scope."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.jobs.models import JobRun, RunState
from portal.jobs.queries import RunView
from portal.jobs.registry import TASKS, Job
from portal.kernel import clock
from portal.kernel.access import Actor, system_actor
from portal.kernel.errors import PortalError
from portal.kernel.phrases import Phrase, phrase
from tenants.database import Database
from tenants.rows import new_id
from tenants.scope import Login, Scope, bound

log = logging.getLogger(__name__)


def enqueue(
    session: Session,
    task_name: str,
    args: Mapping[str, Any],
    *,
    actor: Actor,
    tenant_id: UUID | None = None,
    lock: str | None = None,
) -> UUID:
    """Enqueue a task with the running transaction; returns the id of its run.

    The database function stamps the scope: a vendor's session enqueues for itself only; the
    company may enqueue into a vendor's scope (`tenant_id`), which is how whatever is sent to a
    vendor gets built. `args` hold ids, never personal data. A task that is not on the database's
    list is refused there.
    """
    (run,) = enqueue_all(session, task_name, [args], actor=actor, tenant_id=tenant_id, lock=lock)
    return run


def enqueue_all(
    session: Session,
    task_name: str,
    every: Sequence[Mapping[str, Any]],
    *,
    actor: Actor,
    tenant_id: UUID | None = None,
    lock: str | None = None,
) -> list[UUID]:
    """Enqueue a task once for each of several arguments (see `enqueue`); the ids of the runs."""
    target = tenant_id or actor.tenant_id
    runs = [
        JobRun(
            tenant_id=target,
            id=new_id(),
            task=task_name,
            state=RunState.QUEUED,
            requested_by=actor.account_id,
            created_at=clock.now(),
        )
        for _args in every
    ]
    if not runs:
        return []
    session.add_all(runs)
    session.flush()
    session.execute(
        sa.text("select app.enqueue(:task, :tenant, :run, cast(:args as jsonb), :lock)"),
        [
            {
                "task": task_name,
                "tenant": target,
                "run": run.id,
                "args": json.dumps(dict(args), default=str),
                "lock": lock,
            }
            for run, args in zip(runs, every, strict=True)
        ],
    )
    return [run.id for run in runs]


def execute(database: Database, company_id: UUID, task_name: str, payload: dict[str, Any]) -> None:
    """Run one fetched job in the scope that the database stamped on it.

    The work and the run's end commit together. A `PortalError` is an answer for the person who
    asked and is not retried; anything else is raised for the queue to retry.
    """
    tenant_id, run_id = UUID(payload["tenant"]), UUID(payload["run"])
    scope = Scope(Login(payload["login"]), tenant_id)
    with bound(scope):
        try:
            with database.session() as session:
                if _start(session, run_id):
                    job = Job(run_id, scope, session, system_actor(company_id, tenant_id), database)
                    _work(job, task_name, payload["args"])
        except PortalError as error:
            _fail(database, run_id, error.message, error.mend, "")
        except Exception:
            reference = secrets.token_hex(4).upper()
            log.exception("task %s failed, reference %s", task_name, reference)
            _fail(
                database,
                run_id,
                phrase("The work stopped because of a fault on our side."),
                phrase("It is tried again by itself. If it stays so, tell us the reference."),
                reference,
            )
            raise


def give_up(database: Database, payload: Mapping[str, Any]) -> None:
    """End the run of a job that killed every worker that took it, with a reference for the log."""
    reference = secrets.token_hex(4).upper()
    log.error("run %s ended its worker each time, reference %s", payload["run"], reference)
    with bound(Scope(Login(payload["login"]), UUID(payload["tenant"]))):
        _fail(
            database,
            UUID(payload["run"]),
            phrase("The work stopped because of a fault on our side."),
            phrase("It is not tried again. Tell us the reference."),
            reference,
        )


def _start(session: Session, run_id: UUID) -> bool:
    """Mark the run as running; False when it is gone or already done (a repeated job)."""
    taken = session.execute(
        sa.update(JobRun)
        .where(JobRun.id == run_id, JobRun.state != RunState.DONE)
        .values(state=RunState.RUNNING, started_at=clock.now(), error=None)
    )
    session.commit()
    return bool(cast("sa.CursorResult[Any]", taken).rowcount)


def _work(job: Job, task_name: str, args: dict[str, Any]) -> None:
    result = TASKS[task_name].run(job, **args) or {}
    job.session.flush()
    ended = job.session.execute(
        sa.update(JobRun)
        .where(JobRun.id == job.run_id, JobRun.state != RunState.DONE)
        .values(state=RunState.DONE, finished_at=clock.now(), result=result)
    )
    if not cast("sa.CursorResult[Any]", ended).rowcount:
        # Another worker finished the same run meanwhile: its effects stand, ours must not.
        job.session.rollback()
        return
    job.session.commit()


def _stored(text: Any) -> dict[str, Any]:
    """A message as data, so that whoever reads it gets it in their own language."""
    if isinstance(text, Phrase):
        kept = {"msgid": text.msgid, "params": {k: str(v) for k, v in text.params.items()}}
        return {**kept, "one": text.one, "by": text.by} if text.one else kept
    return {"msgid": str(text), "params": {}}


def shown(stored: Mapping[str, Any]) -> Phrase:
    """The message that `_stored` kept."""
    return Phrase(
        stored["msgid"], dict(stored["params"]), stored.get("one", ""), stored.get("by", "")
    )


def error_of(run: RunView | None) -> dict[str, Any] | None:
    """Why a run failed, for a page: message, how to mend it, reference; None when it did not."""
    if run is None or not run.error:
        return None
    return {
        "message": shown(run.error["message"]),
        "mend": shown(run.error["mend"]),
        "reference": run.error["reference"],
    }


def _fail(database: Database, run_id: UUID, message: Any, mend: Any, reference: str) -> None:
    error = {"message": _stored(message), "mend": _stored(mend), "reference": reference}
    with database.session() as session:
        session.execute(
            sa.update(JobRun)
            .where(JobRun.id == run_id, JobRun.state != RunState.DONE)
            .values(state=RunState.FAILED, finished_at=clock.now(), error=error)
        )
        session.commit()
