"""What a month's statement is made of, pulled from the slices that record it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits import queries as audits
from portal.cases import queries as cases
from portal.excellence.queries import rewards
from portal.fees.belated import belated
from portal.fees.models import FeeAdjustment
from portal.fees.rules import Adjustment, Deduction, Earning, Month, Reward
from portal.kernel.money import ZERO, Money
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
    adjusted: Sequence[FeeAdjustment] = (),
    statement_id: UUID | None = None,
) -> Month:
    """The month of a contract (company scope): earnings by project and age, deductions of issued
    findings, rewards, what became known of settled months, and what upheld appeals made of earlier
    statements (`adjusted`). `statement_id`: the month's statement, where there is one already."""
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
    reversals, late = belated(session, contract, period, statement_id)
    return Month(
        factor=score.factor,
        grade=score.grade,
        score=Link("score", score.id),
        earnings=_earnings(session, contract.tenant_id, period, projects, facts),
        deductions=deductions(session, (contract.tenant_id, contract.id), period),
        rewards=_rewards(session, (contract.tenant_id, contract.id), period),
        reversals=reversals,
        late=late,
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
    found: defaultdict[Key, Money] = defaultdict(lambda: ZERO)
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
    """What the vendor held with what was received on it; then what was received on cases that had
    left its hands before the month began, where it held no others of that project and age."""
    received, wanted = net_receipts(facts), targets(session, tenant_id)
    held = [
        Earning(
            Link("project", row.project_id),
            row.project,
            row.age_band,
            row.cases,
            row.amount,
            max(received.pop((row.project_id, row.age_band), ZERO), ZERO),
            wanted.get((row.project_id, row.age_band)),
        )
        for row in cases.entrusted(session, tenant_id, period)
        if row.project_id in projects
    ]
    names = {fact.project_id: fact.project for fact in facts}
    left = [
        Earning(Link("project", project_id), names[project_id], age, 0, ZERO, amount)
        for (project_id, age), amount in received.items()
        if amount > 0
    ]
    return held + sorted(left, key=lambda one: (one.project, one.age))


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
