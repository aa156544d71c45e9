"""What a month's statement is made of, pulled from the slices that record it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits import queries as audits
from portal.cases import queries as cases
from portal.excellence.queries import rewards
from portal.fees.models import FeeAdjustment, Statement, StatementState
from portal.fees.rules import Adjustment, Deduction, Earning, Month, Reversal, Reward
from portal.fees.scheme import FeeScheme
from portal.fees.snapshot import thaw
from portal.kernel.money import Money
from portal.receipts import queries as receipts
from portal.receipts.queries import ReceiptFact
from portal.scoring.collect import targets
from portal.scoring.facts import Link
from portal.scoring.models import Score
from portal.vendors.clauses import Level
from portal.vendors.models import Contract, Project

Key = tuple[UUID, str]
ContractKey = tuple[UUID, UUID]
"""A contract's vendor and id."""
CLAUSE_TEXT = 100
"""Letters of a clause's text that a line's reason quotes at most."""


def month(
    session: Session,
    contract: Contract,
    period: str,
    score: Score,
    scheme: FeeScheme,
    adjusted: Sequence[FeeAdjustment] = (),
) -> Month:
    """The month of a contract (company scope): earnings by project and age, deductions of issued
    findings, rewards, receipts taken back after their commission was paid, and what upheld appeals
    made of earlier statements (`adjusted`)."""
    projects = set(
        session.scalars(
            sa.select(Project.id).where(
                Project.tenant_id == contract.tenant_id, Project.contract_id == contract.id
            )
        )
    )
    facts = [
        fact
        for fact in receipts.receipts_of(session, contract.tenant_id, period)
        if fact.project_id in projects
    ]
    return Month(
        factor=score.factor,
        grade=score.grade,
        score=Link("score", score.id),
        earnings=_earnings(session, contract.tenant_id, period, projects, facts),
        deductions=deductions(session, (contract.tenant_id, contract.id), period),
        rewards=_rewards(session, (contract.tenant_id, contract.id), period),
        reversals=_reversals(session, contract, scheme, facts),
        adjustments=[
            Adjustment(Link("appeal", one.appeal_id), one.amount, f"{one.period}：{one.reason}")
            for one in adjusted
        ],
    )


def adjustments_for(
    session: Session, contract: Contract, period: str, statement_id: UUID | None
) -> list[FeeAdjustment]:
    """The adjustments of earlier months that no other statement has taken."""
    free: sa.ColumnElement[bool] = FeeAdjustment.taken_id.is_(None)
    if statement_id is not None:
        free = sa.or_(free, FeeAdjustment.taken_id == statement_id)
    return list(
        session.scalars(
            sa.select(FeeAdjustment)
            .where(
                FeeAdjustment.tenant_id == contract.tenant_id,
                FeeAdjustment.contract_id == contract.id,
                FeeAdjustment.period < period,
                free,
            )
            .order_by(FeeAdjustment.period, FeeAdjustment.id)
            .with_for_update()
        )
    )


def _is_of_the_month(fact: ReceiptFact) -> bool:
    """A receipt, or the reversal of one of the same month: the two net out before commission."""
    return fact.original_period in (None, f"{fact.credited_on:%Y-%m}")


def net_receipts(facts: Iterable[ReceiptFact]) -> dict[Key, Money]:
    """What counts for commission, by project and age band at entrusting."""
    found: defaultdict[Key, Money] = defaultdict(lambda: Decimal("0.00"))
    for fact in facts:
        if fact.exclusion is None and _is_of_the_month(fact):
            found[fact.project_id, fact.age_band] += fact.amount
    return dict(found)


def _earnings(
    session: Session,
    tenant_id: UUID,
    period: str,
    projects: set[UUID],
    facts: list[ReceiptFact],
) -> list[Earning]:
    received, wanted = net_receipts(facts), targets(session, tenant_id)
    return [
        Earning(
            Link("project", row.project_id),
            row.project,
            row.age_band,
            row.cases,
            row.amount,
            max(received.get((row.project_id, row.age_band), Decimal("0.00")), Decimal("0.00")),
            wanted.get((row.project_id, row.age_band)),
        )
        for row in cases.entrusted(session, tenant_id, period)
        if row.project_id in projects
    ]


def deductions(session: Session, contract: ContractKey, period: str) -> list[Deduction]:
    """The deductions of the findings that stand and were reported in the month, on cases under the
    contract: a vendor with two of them pays for a finding once."""
    recorded = audits.score_facts(session, contract[0], period)
    forms = {form.id: form.number for form in recorded.forms}
    found = [finding for finding in recorded.findings if finding.deduction > 0]
    own = cases.cases_under(session, contract, (finding.case_id for finding in found))
    return [
        Deduction(
            Link("finding", finding.id),
            finding.deduction,
            finding.level == Level.RED_LINE,
            {
                "clause": finding.clause,
                "text": _clipped(finding.clause_text),
                "case_no": finding.case_no,
                "form": forms.get(finding.form_id, ""),
            },
        )
        for finding in found
        if finding.case_id in own
    ]


def _clipped(text: str) -> str:
    """A clause's text, short enough for a line of the paper."""
    return text if len(text) <= CLAUSE_TEXT else text[: CLAUSE_TEXT - 1] + "…"


def _rewards(session: Session, contract: ContractKey, period: str) -> list[Reward]:
    """The rewards of the month's excellent cases (A7) under the contract."""
    found = rewards(session, contract[0], period)
    own = cases.cases_under(session, contract, (one.case_id for one in found))
    return [
        Reward(Link("excellent_case", one.id), {"case_no": one.case_no})
        for one in found
        if one.case_id in own
    ]


def _reversals(
    session: Session, contract: Contract, scheme: FeeScheme, facts: list[ReceiptFact]
) -> list[Reversal]:
    """Receipts of earlier months taken back: at the terms under which they were paid (退佣)."""
    found = []
    for fact in facts:
        period = fact.original_period
        if period is None or _is_of_the_month(fact) or fact.exclusion is not None:
            continue
        paid = session.scalars(
            sa.select(Statement).where(
                Statement.tenant_id == contract.tenant_id,
                Statement.contract_id == contract.id,
                Statement.period == period,
                Statement.state == StatementState.CONFIRMED,
            )
        ).first()
        if paid is None:
            continue
        terms = thaw(paid.result)
        found.append(
            Reversal(
                Link("receipt", fact.id),
                -fact.amount,
                scheme.band(fact.age_band).rate,
                terms.multiplier,
                terms.factor,
                period,
            )
        )
    return found
