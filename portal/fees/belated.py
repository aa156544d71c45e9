"""What became known of a month after its statement was confirmed: receipts taken back, and receipts
that were imported late. They stand on the contract's next statement, each once, at the terms under
which their own month was settled (C3.4, C7)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from portal.cases.models import Case
from portal.cases.rules import month_bounds
from portal.fees.models import Statement, StatementLine, StatementState
from portal.fees.rules import LateReceipt, Reversal
from portal.fees.scheme import FeeScheme, parse_fee_scheme
from portal.fees.snapshot import thaw
from portal.receipts.models import Receipt
from portal.receipts.queries import ReceiptFact, receipts_by_id
from portal.scoring.facts import Link
from portal.scoring.models import Score
from portal.vendors.models import Contract, Project


def belated(
    session: Session, contract: Contract, period: str, statement_id: UUID | None
) -> tuple[list[Reversal], list[LateReceipt]]:
    """What the statement of the month "YYYY-MM" (`statement_id`, where it is prepared already) has
    to make good of earlier ones, as far as no other statement did."""
    settled = _settled(session, contract, period, statement_id)
    terms = {key: _terms(session, contract.tenant_id, key) for key in {*settled.values()}}
    reversals: list[Reversal] = []
    late: list[LateReceipt] = []
    for fact in receipts_by_id(session, contract.tenant_id, settled):
        if fact.exclusion is not None:
            continue
        paid = terms[settled[fact.id]]
        if fact.reverses is None:
            late.append(LateReceipt(*paid.of(fact)))
        else:
            reversals.append(Reversal(*paid.of(fact)))
    return reversals, late


def _settled(
    session: Session, contract: Contract, period: str, statement_id: UUID | None
) -> dict[UUID, UUID]:
    """The receipts in question, each with the confirmed statement of its month: a reversal's is
    that of the month in which its original was credited.

    Of its own month, a statement holds what was recorded before it was confirmed; of a later
    month it holds nothing.
    """
    _first, following = month_bounds(period)
    original = aliased(Receipt)
    counted_on = sa.func.coalesce(original.credited_on, Receipt.credited_on)
    taken = sa.exists().where(
        StatementLine.tenant_id == Receipt.tenant_id,
        StatementLine.subject_type == "receipt",
        StatementLine.subject_id == Receipt.id,
        *([StatementLine.statement_id != statement_id] if statement_id else []),
    )
    rows = session.execute(
        sa.select(Receipt.id, Statement.id)
        .join(Case, sa.and_(Case.tenant_id == Receipt.tenant_id, Case.id == Receipt.case_id))
        .join(Project, sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id))
        .outerjoin(
            original,
            sa.and_(original.tenant_id == Receipt.tenant_id, original.serial == Receipt.reverses),
        )
        .join(
            Statement,
            sa.and_(
                Statement.tenant_id == Receipt.tenant_id,
                Statement.contract_id == Project.contract_id,
                Statement.period == sa.func.to_char(counted_on, "YYYY-MM"),
            ),
        )
        .where(
            Receipt.tenant_id == contract.tenant_id,
            Project.contract_id == contract.id,
            Receipt.credited_on < following,
            Statement.period < period,
            Statement.state == StatementState.CONFIRMED,
            sa.or_(
                Receipt.confirmed_at > Statement.confirmed_at,
                sa.func.to_char(Receipt.credited_on, "YYYY-MM") > Statement.period,
            ),
            ~taken,
        )
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True)
class _Terms:
    """Under what a settled month was paid: rates and tier of its statement, and the factor of its
    score as it stands: where an appeal changed it, the difference was adjusted."""

    scheme: FeeScheme
    multiplier: Decimal
    factor: Decimal
    period: str

    def of(self, fact: ReceiptFact) -> tuple[Link, Decimal, Decimal, Decimal, Decimal, str, str]:
        """What `Belated` says of a receipt."""
        return (
            Link("receipt", fact.id),
            abs(fact.amount),
            self.scheme.band(fact.age_band).rate,
            self.multiplier,
            self.factor,
            self.period,
            fact.case_no,
        )


def _terms(session: Session, tenant_id: UUID, statement_id: UUID) -> _Terms:
    """The terms of a confirmed statement."""
    paid = session.get_one(Statement, (tenant_id, statement_id))
    score = session.get_one(Score, (tenant_id, paid.score_id))
    scheme = parse_fee_scheme(paid.result["terms"])
    return _Terms(scheme, thaw(paid.result).multiplier, score.factor, paid.period)
