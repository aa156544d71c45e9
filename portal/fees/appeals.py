"""Fees after an upheld appeal (A5, C7): a prepared statement is prepared anew; a confirmed one
stands, and the difference goes onto the contract's next statement."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.consequences import FindingsCorrected
from portal.fees.collect import deductions
from portal.fees.models import FeeAdjustment, Statement, StatementState
from portal.fees.rules import corrected
from portal.fees.scheme import parse_fee_scheme
from portal.fees.service import prepare_anew
from portal.fees.snapshot import thaw
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.money import ZERO, Money
from portal.kernel.phrases import phrase
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.scoring.facts import Link
from portal.scoring.models import Score


def follow(session: Session, event: FindingsCorrected, actor: Actor) -> None:
    """Put the statements of the event's months right; scores were corrected before."""
    rows = session.scalars(
        sa.select(Statement)
        .where(Statement.tenant_id == event.tenant_id, Statement.period.in_(event.periods))
        .order_by(Statement.period, Statement.id)
        .with_for_update()
    ).all()
    for row in rows:
        if row.state == StatementState.PREPARED:
            prepare_anew(session, row, actor=actor)
        else:
            _adjust(session, row, event, actor)


def difference(session: Session, row: Statement) -> Money:
    """What a confirmed statement should have come to by what stands now, less what it came to and
    what was adjusted already."""
    score = session.get_one(Score, (row.tenant_id, row.score_id))
    right = corrected(
        parse_fee_scheme(row.result["terms"]),
        thaw(row.result),
        factor=score.factor,
        grade=score.grade,
        score=Link("score", score.id),
        deductions=deductions(session, (row.tenant_id, row.contract_id), row.period),
    )
    adjusted = session.scalar(
        sa.select(sa.func.coalesce(sa.func.sum(FeeAdjustment.amount), Decimal("0.00"))).where(
            FeeAdjustment.tenant_id == row.tenant_id, FeeAdjustment.origin_id == row.id
        )
    )
    return right.payable - row.payable - (adjusted or ZERO)


def _adjust(
    session: Session, row: Statement, event: FindingsCorrected, actor: Actor
) -> FeeAdjustment | None:
    amount = difference(session, row)
    if not amount:
        return None
    made = FeeAdjustment(
        tenant_id=row.tenant_id,
        contract_id=row.contract_id,
        origin_id=row.id,
        period=row.period,
        amount=amount,
        reason=event.reason,
        appeal_id=event.subject_id,
        created_at=clock.now(),
        created_by_name=actor.name,
    )
    session.add(made)
    session.flush()
    _take_at_once(session, row, actor)
    record(
        session,
        "fees.statement.adjusted",
        ("statement", row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"period": row.period, "amount": str(amount), "appeal": str(event.subject_id)},
    )
    notify(
        session,
        tenant_id=actor.company_id,
        roles=[Role.FINANCE],
        message=phrase(
            "Statement %(number)s: an upheld appeal makes an adjustment of %(amount)s, taken onto "
            "the next statement.",
            number=row.number or row.period,
            amount=f"{amount:,.2f}",
        ),
        path=f"/statements/{row.id}",
        kind=MessageKind.WORK,
    )
    return made


def _take_at_once(session: Session, row: Statement, actor: Actor) -> None:
    """A later statement of the contract that is prepared already takes the adjustment now."""
    later = session.scalars(
        sa.select(Statement)
        .where(
            Statement.tenant_id == row.tenant_id,
            Statement.contract_id == row.contract_id,
            Statement.period > row.period,
            Statement.state == StatementState.PREPARED,
        )
        .order_by(Statement.period)
        .limit(1)
        .with_for_update()
    ).first()
    if later is not None:
        prepare_anew(session, later, actor=actor)
