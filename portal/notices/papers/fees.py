"""Content of the fee statement (费用结算单)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from portal.notices.papers.common import Contract, Paper, Period, Signed
from portal.notices.schema import Amount, Code, Day, Figure, Line, Month, Name, Rows


class Party(TypedDict):
    """A party of the statement with what an invoice needs."""

    name: Name
    tax_number: Code
    bank: Line
    account: Name
    address: NotRequired[Line]
    phone: NotRequired[Name]


class FeeBand(TypedDict):
    """An age band's line. `recovery` and `rate` in per cent; no `recovery` where all accounts had
    left the vendor's hands before the month began."""

    band: Name
    accounts: int
    entrusted: Amount
    confirmed: Amount
    rate: Figure
    commission: Amount
    recovery: NotRequired[Figure]
    days: NotRequired[Name]
    project: NotRequired[Name]


class Tier(TypedDict):
    """Target attainment in per cent, none without targets, and its multiplier (全额累进 whole,
    超额累进 marginal)."""

    multiplier: Figure
    rule: Literal["whole", "marginal"]
    attainment: NotRequired[Figure]


class Coefficient(TypedDict):
    """The assessment factor (考核系数) and the result it comes from."""

    value: Figure
    grade: NotRequired[Name]
    score: NotRequired[Figure]
    reference: NotRequired[Line]


class Charge(TypedDict):
    """A deduction, reward, adjustment or reversal with its reason."""

    reason: Line
    amount: Amount
    reference: NotRequired[Line]
    clause: NotRequired[Line]


class Invoice(TypedDict):
    """The vendor's VAT invoice."""

    number: Code
    issued_on: Day
    kind: NotRequired[Name]


Charges = Annotated[list[Charge], Rows(most=10_000)]


class FeeStatement(Paper):
    """费用结算单 (C7). Deductions, rewards and reversals are positive, adjustments signed.

    `payable` = `after_factor` - deductions + rewards + adjustments - reversals, tax included
    = `net` + `tax`. `tax_rate` and `deduction_limit` in per cent.
    """

    month: Month
    period: Period
    contract: Contract
    project: Name
    payer: Party
    payee: Party
    bands: Annotated[list[FeeBand], Rows(most=100)]
    commission: Amount
    tier: Tier
    factor: Coefficient
    after_factor: Amount
    deductions: Charges
    rewards: Charges
    adjustments: Charges
    reversals: Charges
    payable: Amount
    net: Amount
    tax: Amount
    tax_rate: Figure
    prepared: NotRequired[Signed]
    checked: NotRequired[Signed]
    approved: NotRequired[Signed]
    deduction_limit: NotRequired[Figure]
    invoice: NotRequired[Invoice]
    paid_on: NotRequired[Day]
    notes: NotRequired[Annotated[list[Line], Rows(most=20)]]
