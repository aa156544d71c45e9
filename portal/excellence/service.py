"""Recommend, select and decline excellent cases (A7)."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.excellence.models import ExcellentCase
from portal.excellence.permissions import RECOMMENDERS
from portal.excellence.rules import check_period, moved
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.money import Money, cents
from portal.kernel.phrases import phrase
from portal.notifications.service import notify
from portal.schemes.service import KINDS, in_force
from portal.vendors.models import Contract, Project
from tenants.rows import new_id

FEE_TERMS = "fees"
"""The kind of scheme that holds the reward; its own slice registers it."""


def recommend(
    session: Session, *, case_no: str, period: str, why: str, actor: Actor
) -> ExcellentCase:
    """A vendor recommends a case of its own for a month (vendor scope).

    Raises `Invalid` for an unknown number, another month or no reason, `Conflict` when the case
    is recommended for that month already.
    """
    check_period(period, clock.today())
    if not why.strip():
        raise Invalid(phrase("Say why the case is excellent."), phrase("Others learn from it."))
    case = session.execute(
        sa.select(Case.id, Case.case_no).where(
            Case.tenant_id == actor.tenant_id, Case.case_no == case_no.strip()
        )
    ).first()
    if case is None:
        raise Invalid(
            phrase("You have no case with this number."),
            phrase("Compare the number with your list of cases."),
        )
    row = ExcellentCase(
        tenant_id=actor.tenant_id,
        id=new_id(),
        case_id=case.id,
        case_no=case.case_no,
        period=period,
        why=why.strip(),
        state="recommended",
        recommended_at=clock.now(),
        recommended_by_name=actor.name,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        raise Conflict(
            phrase("This case is recommended for that month already."),
            phrase("The list shows it."),
        ) from None
    record(
        session,
        "excellence.case.recommended",
        ("excellent_case", row.id),
        actor=actor,
        data={"case_no": row.case_no, "period": period},
    )
    return row


def reward_of(session: Session, tenant_id: UUID, case_id: UUID) -> Money:
    """What a selected case earns: by the terms of its contract, else by the fee terms in force.

    CNY, tax included. Raises `Invalid` when neither names a reward.
    """
    terms = session.scalar(
        sa.select(Contract.fee_terms)
        .join(
            Project,
            sa.and_(Project.tenant_id == Contract.tenant_id, Project.contract_id == Contract.id),
        )
        .join(Case, sa.and_(Case.tenant_id == Project.tenant_id, Case.project_id == Project.id))
        .where(Case.tenant_id == tenant_id, Case.id == case_id)
    )
    amount = (terms or {}).get("reward")
    if amount is None and FEE_TERMS in KINDS:
        amount = in_force(session, KINDS[FEE_TERMS], clock.today()).content.get("reward")
    if amount is None:
        raise Invalid(
            phrase("The fee terms name no reward for excellent cases."),
            phrase("Add it to the contract's fee terms."),
        )
    return cents(Decimal(str(amount)))


def decide(session: Session, row: ExcellentCase, *, select: bool, note: str, actor: Actor) -> None:
    """The general department selects or declines (A7); a refusal needs a note.

    The reward is fixed at the selection. Raises `Conflict` when it is decided already.
    """
    state = moved(row.state, "selected" if select else "declined")
    if not select and not note.strip():
        raise Invalid(phrase("Declining needs a note."), phrase("Write why; the vendor reads it."))
    row.reward = reward_of(session, row.tenant_id, row.case_id) if select else None
    row.state, row.decided_at, row.decided_by_name = state, clock.now(), actor.name
    row.decision_note = note.strip() or None
    row.version += 1
    session.flush()
    record(
        session,
        f"excellence.case.{state}",
        ("excellent_case", row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"case_no": row.case_no, "period": row.period, "reward": row.reward},
    )
    told = phrase("Your case %(number)s was not selected as excellent.", number=row.case_no)
    if select:
        told = phrase(
            "Your case %(number)s was selected as excellent; it earns CNY %(reward)s.",
            number=row.case_no,
            reward=row.reward,
        )
    notify(
        session,
        tenant_id=row.tenant_id,
        roles=RECOMMENDERS,
        message=told,
        path="/excellent-cases/",
    )
