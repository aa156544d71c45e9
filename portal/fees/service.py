"""Prepare a month's statement from the facts and the issued score; finance confirms it (C7)."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.fees.collect import adjustments_for
from portal.fees.collect import month as collect
from portal.fees.kind import FEE_SCHEME
from portal.fees.models import Statement, StatementLine, StatementState
from portal.fees.paper import content_of
from portal.fees.rules import LineKind, settle
from portal.fees.rules import Statement as Result
from portal.fees.scheme import FeeScheme, parse_fee_scheme
from portal.fees.snapshot import freeze, thaw
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.phrases import phrase
from portal.notices.numbering import next_number
from portal.notices.service import issue as issue_paper
from portal.notifications.service import notify
from portal.receipts.imports.service import imports_wait
from portal.schemes.service import in_force
from portal.scoring.models import Score, ScoreState
from portal.scoring.service import check_period
from portal.vendors.models import Contract
from tenants.rows import new_id

SEEN_BY = (Role.MANAGER, Role.OFFICE)
DEDUCTIONS = (LineKind.DEDUCTION, LineKind.DEDUCTION_CAP, LineKind.RED_LINE)


def terms_of(session: Session, contract: Contract, period: str) -> tuple[FeeScheme, dict[str, Any]]:
    """The contract's fee terms, or the company's defaults of that month where it has none."""
    content = contract.fee_terms
    if not content:
        content = in_force(session, FEE_SCHEME, last_day(period)).content
    return parse_fee_scheme(content), dict(content)


def last_day(period: str) -> date:
    """The last day of a month "YYYY-MM"."""
    year, number = map(int, period.split("-"))
    return date(year, number, monthrange(year, number)[1])


def _issued_score(session: Session, tenant_id: UUID, period: str) -> Score:
    row = session.scalars(
        sa.select(Score).where(
            Score.tenant_id == tenant_id,
            Score.period == period,
            Score.state == ScoreState.ISSUED,
        )
    ).first()
    if row is None:
        raise Conflict(
            phrase("The score of %(period)s is not issued yet.", period=period),
            phrase("Issue the score first: it sets the factor of the statement."),
        )
    return row


def contracts_of(session: Session, tenant_id: UUID, period: str) -> list[Contract]:
    """The vendor's contracts that began before the month's end: of one that has ended, something
    may still be owed."""
    return list(
        session.scalars(
            sa.select(Contract)
            .where(Contract.tenant_id == tenant_id, Contract.starts_on <= last_day(period))
            .order_by(Contract.number)
        )
    )


def _is_due(session: Session, contract: Contract, period: str, score: Score) -> bool:
    """Whether a contract has a statement of the month: it runs, or something came in or came up
    after it had ended."""
    if contract.ends_on >= last_day(period).replace(day=1):
        return True
    adjusted = adjustments_for(session, contract, period, None)
    month = collect(session, contract, period, score, adjusted)
    facts = (month.deductions, month.rewards, month.reversals, month.late, month.adjustments)
    return any(facts) or any(earning.receipts for earning in month.earnings)


def prepare(session: Session, *, tenant_id: UUID, period: str, actor: Actor) -> list[Statement]:
    """Prepare (again) the statements of a vendor's contracts for a month.

    Confirmed statements are left as they stand. Raises `Conflict` without an issued score.
    """
    check_period(period)
    score = _issued_score(session, tenant_id, period)
    made = []
    for contract in contracts_of(session, tenant_id, period):
        row = session.scalars(
            sa.select(Statement)
            .where(
                Statement.tenant_id == tenant_id,
                Statement.contract_id == contract.id,
                Statement.period == period,
            )
            .with_for_update()
        ).first()
        if row is None and not _is_due(session, contract, period, score):
            continue
        if row is None or row.state == StatementState.PREPARED:
            made.append(_prepare_one(session, contract, period, score, row, actor))
    return made


def _prepare_one(
    session: Session,
    contract: Contract,
    period: str,
    score: Score,
    row: Statement | None,
    actor: Actor,
    *,
    keep_preparer: bool = False,
) -> Statement:
    known = row.id if row else None
    scheme, terms = terms_of(session, contract, period)
    adjusted = adjustments_for(session, contract, period, known)
    result = settle(scheme, collect(session, contract, period, score, adjusted, known))
    if row is None:
        row = Statement(
            tenant_id=contract.tenant_id,
            id=new_id(),
            contract_id=contract.id,
            period=period,
            state=StatementState.PREPARED,
        )
        session.add(row)
        row.prepared_by, row.prepared_by_name = actor.account_id, actor.name
    elif not keep_preparer:
        row.prepared_by, row.prepared_by_name = actor.account_id, actor.name
    row.score_id, row.factor = score.id, result.factor
    row.commission = result.commission
    row.deductions = result.total(*DEDUCTIONS)
    row.rewards = result.total(LineKind.REWARD)
    row.payable, row.net, row.tax = result.payable, result.net, result.tax
    row.result = {**freeze(result), "terms": terms}
    row.prepared_at = clock.now()
    row.version = (row.version or 0) + 1
    session.flush()
    for one in adjusted:
        one.taken_id = row.id
    _store_lines(session, row, result)
    record(
        session,
        "fees.statement.prepared",
        ("statement", row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"period": period, "payable": str(row.payable)},
    )
    return row


def prepare_anew(session: Session, row: Statement, *, actor: Actor) -> Statement:
    """Prepare a statement again that is not confirmed, after its facts were put right. Whoever
    prepared it stays its preparer, and does not confirm it."""
    contract = session.get_one(Contract, (row.tenant_id, row.contract_id))
    score = _issued_score(session, row.tenant_id, row.period)
    return _prepare_one(session, contract, row.period, score, row, actor, keep_preparer=True)


def _store_lines(session: Session, row: Statement, result: Result) -> None:
    session.execute(
        sa.delete(StatementLine).where(
            StatementLine.tenant_id == row.tenant_id, StatementLine.statement_id == row.id
        )
    )
    for position, line in enumerate(result.lines):
        session.add(
            StatementLine(
                tenant_id=row.tenant_id,
                statement_id=row.id,
                position=position,
                kind=line.kind.value,
                reason={"params": dict(line.params)},
                amount=line.amount,
                subject_type=line.link.subject_type if line.link else None,
                subject_id=line.link.subject_id if line.link else None,
            )
        )
    session.flush()


def get_statement(session: Session, statement_id: UUID, *, lock: bool = False) -> Statement:
    """A statement that this scope sees; raises `NotFound`."""
    query = sa.select(Statement).where(Statement.id == statement_id)
    row = session.scalars(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound("statement")
    return row


def _check_unchanged(session: Session, row: Statement) -> None:
    """Refuse a statement whose facts or terms changed after it was prepared: what nobody has seen
    is not confirmed, and what came in meanwhile is not left out."""
    contract = session.get_one(Contract, (row.tenant_id, row.contract_id))
    score = _issued_score(session, row.tenant_id, row.period)
    scheme, terms = terms_of(session, contract, row.period)
    adjusted = adjustments_for(session, contract, row.period, row.id)
    found = settle(scheme, collect(session, contract, row.period, score, adjusted, row.id))
    if _told(found) != _told(thaw(row.result)) or terms != row.result["terms"]:
        raise Conflict(
            phrase("What this statement is made of has changed since it was prepared."),
            phrase("Have the month prepared again, check the lines, then confirm."),
        )


def _told(result: Result) -> tuple[object, ...]:
    """What a reader of the statement is told; figures compared as numbers."""
    lines = (
        (line.kind, line.amount, line.link, None if line.kind is LineKind.FACTOR else line.params)
        for line in result.lines
    )
    return (result.factor, result.payable, *lines)


def confirm(session: Session, statement_id: UUID, *, actor: Actor) -> Statement:
    """Finance confirms a prepared statement: it is numbered, closed and sent to the vendor.

    The one who prepared it cannot be the one who confirms it, and what it is made of must not have
    changed since. Raises `Conflict`.
    """
    imports_wait(session)
    row = get_statement(session, statement_id, lock=True)
    if row.state == StatementState.CONFIRMED:
        raise Conflict(phrase("This statement is confirmed already."), phrase("Reload the page."))
    if row.prepared_by == actor.account_id:
        raise Conflict(
            phrase("You prepared this statement, so somebody else has to confirm it."),
            phrase("Ask a colleague in finance to check and confirm it."),
        )
    _check_unchanged(session, row)
    now = clock.now()
    row.state, row.issued_at = StatementState.CONFIRMED, now
    row.confirmed_at, row.confirmed_by_name = now, actor.name
    row.number = next_number(session, row.tenant_id, "FY")
    row.version += 1
    session.execute(
        sa.update(StatementLine)
        .where(StatementLine.tenant_id == row.tenant_id, StatementLine.statement_id == row.id)
        .values(issued_at=now)
    )
    document = issue_paper(
        session,
        tenant_id=row.tenant_id,
        template="fee_statement",
        number=row.number,
        title=f"{row.period} 费用结算单",
        content=content_of(session, row, actor),
        subject=("statement", row.id),
        actor=actor,
    )
    row.document_id = document.id
    session.flush()
    record(
        session,
        "fees.statement.confirmed",
        ("statement", row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"number": row.number, "payable": str(row.payable)},
    )
    notify(
        session,
        tenant_id=row.tenant_id,
        roles=SEEN_BY,
        message=phrase(
            "The fee statement of %(period)s is confirmed: %(number)s",
            period=row.period,
            number=row.number,
        ),
        path=f"/statements/{row.id}",
    )
    return row
