"""Decide on a report to the general manager's office; follow crisis handling to its end (A5)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import CrisisState, CrisisStep, Escalation
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.kernel.reasons import reason_of
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.rows import new_id

KINDS = ("measure", "informed", "note")


def get_escalation(session: Session, escalation_id: UUID, *, lock: bool = False) -> Escalation:
    """A report to the general manager's office; raises `NotFound`."""
    statement = sa.select(Escalation).where(Escalation.id == escalation_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("escalation")
    return row


def steps_of(session: Session, escalation: Escalation) -> list[CrisisStep]:
    """The steps of crisis handling, oldest first."""
    return list(
        session.scalars(
            sa.select(CrisisStep)
            .where(
                CrisisStep.tenant_id == escalation.tenant_id,
                CrisisStep.escalation_id == escalation.id,
            )
            .order_by(CrisisStep.at, CrisisStep.id)
        )
    )


def _check(escalation: Escalation, *states: CrisisState) -> None:
    if escalation.state not in states:
        raise Conflict(
            phrase("This was done already, or its state does not allow it any more."),
            phrase("Reload the page to see the present state."),
        )


def decide(
    session: Session,
    escalation: Escalation,
    *,
    begin: bool,
    reason: str,
    lead: str = "",
    actor: Actor,
) -> None:
    """Begin crisis handling under a lead, or say that there is no crisis; each with the reason. The
    row must be locked. Whoever reads the report is taken to have seen it."""
    _check(escalation, CrisisState.REPORTED)
    text = reason_of(reason)
    if begin and not lead.strip():
        raise Invalid(
            phrase("Crisis handling needs somebody who leads it."), phrase("Write the name.")
        )
    state = CrisisState.HANDLING if begin else CrisisState.DISMISSED
    escalation.state, escalation.decision = state.value, text
    escalation.lead_name = lead.strip()[:80] if begin else ""
    escalation.decided_at, escalation.decided_by_name = clock.now(), actor.name
    if escalation.seen_at is None:
        escalation.seen_at, escalation.seen_by_name = clock.now(), actor.name
    _moved(session, escalation, actor, {"state": state.value})
    if begin:
        notify(
            session,
            tenant_id=actor.company_id,
            roles=(Role.AUDIT_HEAD, Role.VENDOR_MANAGER),
            message=phrase("Crisis handling has begun; %(name)s leads it.", name=lead.strip()),
            path=f"/reviews/escalations/{escalation.id}",
            kind=MessageKind.WORK,
        )


def add_step(
    session: Session,
    escalation: Escalation,
    *,
    kind: str,
    text: str,
    owner: str,
    due_on: date | None,
    actor: Actor,
) -> CrisisStep:
    """Record a step while the crisis is handled. A measure says who takes it. The row must be
    locked."""
    _check(escalation, CrisisState.HANDLING)
    if kind not in KINDS:
        raise Invalid(phrase("Choose what kind of step it is."))
    if kind == "measure" and not owner.strip():
        raise Invalid(phrase("A measure needs somebody who takes it."), phrase("Write the name."))
    row = CrisisStep(
        tenant_id=escalation.tenant_id,
        id=new_id(),
        escalation_id=escalation.id,
        at=clock.now(),
        kind=kind,
        text=reason_of(text),
        owner_name=owner.strip()[:80],
        due_on=due_on if kind == "measure" else None,
        added_by_name=actor.name,
    )
    session.add(row)
    _moved(session, escalation, actor, {"step": kind})
    return row


def finish_step(
    session: Session, escalation: Escalation, step_id: UUID, *, actor: Actor
) -> CrisisStep:
    """Note that a measure is done; twice changes nothing. The row must be locked."""
    _check(escalation, CrisisState.HANDLING)
    row = session.get(CrisisStep, (escalation.tenant_id, step_id))
    if row is None or row.escalation_id != escalation.id or row.kind != "measure":
        raise NotFound("measure")
    if row.done_at is None:
        row.done_at, row.done_by_name = clock.now(), actor.name
        _moved(session, escalation, actor, {"done": str(step_id)})
    return row


def close(session: Session, escalation: Escalation, conclusion: str, *, actor: Actor) -> None:
    """Close the record with its conclusion, once every measure is done (`Conflict`). The row must
    be locked."""
    _check(escalation, CrisisState.HANDLING)
    text = reason_of(conclusion)
    undone = [one for one in steps_of(session, escalation) if one.kind == "measure"]
    if any(one.done_at is None for one in undone):
        raise Conflict(
            phrase("A measure is not done yet."),
            phrase("Note that it is done, then close the record."),
        )
    escalation.state, escalation.conclusion = CrisisState.CLOSED.value, text
    escalation.closed_at, escalation.closed_by_name = clock.now(), actor.name
    _moved(session, escalation, actor, {"state": escalation.state})


def _moved(session: Session, escalation: Escalation, actor: Actor, data: dict[str, Any]) -> None:
    escalation.version += 1
    session.flush()
    record(
        session,
        "audits.crisis.moved",
        ("escalation", escalation.id),
        actor=actor,
        tenant_id=escalation.tenant_id,
        data=data,
    )
