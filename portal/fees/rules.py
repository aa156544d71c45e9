"""The monthly fee statement (费用结算单; rules C2.4, C7, A7): every line with its reason and fact.

Commission by age band, half-up at each line; the whole times the tier's multiplier, times the
score's factor (考核系数): the month's fee. Deductions (违约金/扣款) take at most a part of that
fee; those for a red line stand apart and are not limited. Then rewards, reversals (退佣) of
commission paid earlier, receipts of settled months, and adjustments. The lines add up to what is
payable, tax included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import chain, pairwise

from portal.fees.scheme import FeeScheme, Tier, TierMode
from portal.kernel.apportion import round_to_sum
from portal.kernel.money import ZERO, Money, capital, cents
from portal.scoring.facts import Link

_RATIO = Decimal("0.0001")
_MULTIPLIER = Decimal("0.00000001")


@dataclass(frozen=True)
class Earning:
    """Confirmed receipts of one project and age band.

    `target_rate`: the part of `entrusted` to be recovered in the month (0.12), None without a
    target.
    """

    link: Link
    project: str
    age: str
    accounts: int
    entrusted: Money
    receipts: Money
    target_rate: Decimal | None = None


@dataclass(frozen=True)
class Deduction:
    """A contractual deduction, `amount` above zero; `params` go into its reason."""

    link: Link
    amount: Money
    red_line: bool = False
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reward:
    """An excellent case (A7); its amount is the scheme's."""

    link: Link
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Belated:
    """What concerns a month that is settled: the terms of that month apply.

    `amount` above zero; `rate`, `multiplier` and `factor` as in the statement of `period`.
    """

    link: Link
    amount: Money
    rate: Decimal
    multiplier: Decimal
    factor: Decimal
    period: str
    case_no: str = ""

    @property
    def commission(self) -> Money:
        """What was paid, or would have been, half-up."""
        return cents(self.amount * self.rate * self.multiplier * self.factor)


@dataclass(frozen=True)
class Reversal(Belated):
    """A receipt taken back after its commission was paid (退佣)."""


@dataclass(frozen=True)
class LateReceipt(Belated):
    """A receipt that was imported after the month in which it was credited had been settled."""


@dataclass(frozen=True)
class Adjustment:
    """An earlier statement's correction or a debt carried over: signed, with its reason."""

    link: Link
    amount: Money
    reason: str


@dataclass(frozen=True)
class Month:
    """Everything that a month's statement is made of. `factor` and `grade` come from `score`."""

    factor: Decimal
    grade: str | None = None
    score: Link | None = None
    earnings: Sequence[Earning] = ()
    deductions: Sequence[Deduction] = ()
    rewards: Sequence[Reward] = ()
    reversals: Sequence[Reversal] = ()
    late: Sequence[LateReceipt] = ()
    adjustments: Sequence[Adjustment] = ()


class LineKind(StrEnum):
    """What a line is, in the order of the statement."""

    COMMISSION = "commission"
    TIER = "tier"
    FACTOR = "factor"
    DEDUCTION = "deduction"
    DEDUCTION_CAP = "deduction_cap"
    RED_LINE = "red_line"
    REWARD = "reward"
    REVERSAL = "reversal"
    LATE = "late"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True)
class Line:
    """One amount, signed, with what it comes from; `params` fill in the sentence of its kind."""

    kind: LineKind
    amount: Money
    params: Mapping[str, str]
    link: Link | None = None


@dataclass(frozen=True)
class Statement:
    """The result. `payable` is the sum of all lines, tax included; below zero the vendor owes.

    `commission` by rate; `fee` after tier and factor, on which the deductions' limit is reckoned.
    `multiplier` is the tiers' in all (eight places), as a later reversal needs it.
    `attainment` is None without targets. `capital` is `payable` in capital figures (大写).
    """

    lines: tuple[Line, ...]
    commission: Money
    attainment: Decimal | None
    multiplier: Decimal
    factor: Decimal
    fee: Money
    payable: Money
    net: Money
    tax: Money
    capital: str

    def total(self, *kinds: LineKind) -> Money:
        """The sum of the lines of these kinds."""
        return sum((line.amount for line in self.lines if line.kind in kinds), ZERO)


def settle(scheme: FeeScheme, month: Month) -> Statement:
    """The statement of a month. Raises `Invalid` for an age band without a rate."""
    commissions = [_commission(scheme, earning) for earning in month.earnings]
    commission = _sum(commissions)
    attained = _attainment(month.earnings)
    slices = list(_slices(scheme, attained))
    multiplier = sum((part * Fraction(tier.multiplier) for tier, part in slices), Fraction(0))
    multiplier = multiplier if slices else Fraction(1)
    tiered = _half_up(Fraction(commission) * multiplier)
    fee = cents(tiered * month.factor)
    lines = tuple(
        chain(
            commissions,
            _tier_lines(slices, commission, tiered, attained),
            [Line(LineKind.FACTOR, fee - tiered, _factor_params(month), month.score)],
            _deduction_lines(scheme, month.deductions, fee),
            (_reward(scheme, reward) for reward in month.rewards),
            (_belated(LineKind.REVERSAL, one, -one.commission) for one in month.reversals),
            (_belated(LineKind.LATE, one, one.commission) for one in month.late),
            (_adjustment(adjustment) for adjustment in month.adjustments),
        )
    )
    payable = _sum(lines)
    net = cents(payable / (1 + scheme.tax_rate))
    return Statement(
        lines=lines,
        commission=commission,
        attainment=None if attained is None else _ratio(attained),
        multiplier=_decimal(multiplier, _MULTIPLIER),
        factor=month.factor,
        fee=fee,
        payable=payable,
        net=net,
        tax=payable - net,
        capital=capital(payable),
    )


def corrected(
    scheme: FeeScheme,
    statement: Statement,
    *,
    factor: Decimal,
    grade: str | None,
    score: Link | None,
    deductions: Sequence[Deduction],
) -> Statement:
    """What a confirmed statement would be with another factor and other deductions: all its other
    lines stay as they were confirmed, whatever was recorded since."""
    kept = {LineKind.COMMISSION, LineKind.TIER}
    earned = tuple(line for line in statement.lines if line.kind in kept)
    changed = kept | {
        LineKind.FACTOR,
        LineKind.DEDUCTION,
        LineKind.DEDUCTION_CAP,
        LineKind.RED_LINE,
    }
    rest = tuple(line for line in statement.lines if line.kind not in changed)
    tiered = _sum(earned)
    fee = cents(tiered * factor)
    params = {"factor": str(factor), "grade": grade or ""}
    lines = (
        *earned,
        Line(LineKind.FACTOR, fee - tiered, params, score),
        *_deduction_lines(scheme, deductions, fee),
        *rest,
    )
    payable = _sum(lines)
    net = cents(payable / (1 + scheme.tax_rate))
    return replace(
        statement,
        lines=lines,
        factor=factor,
        fee=fee,
        payable=payable,
        net=net,
        tax=payable - net,
        capital=capital(payable),
    )


def _commission(scheme: FeeScheme, earning: Earning) -> Line:
    rate = scheme.band(earning.age).rate
    recovered = Fraction(earning.receipts) / Fraction(earning.entrusted or 1)
    params = {
        "project": earning.project,
        "age": earning.age,
        "accounts": str(earning.accounts),
        "entrusted": str(earning.entrusted),
        "receipts": str(earning.receipts),
        "recovered": str(_ratio(recovered)) if earning.entrusted else "",
        "rate": str(rate),
    }
    return Line(LineKind.COMMISSION, cents(earning.receipts * rate), params, earning.link)


def _attainment(earnings: Sequence[Earning]) -> Fraction | None:
    """Receipts / target, over everything that has a target; never below 0."""
    aimed = [e for e in earnings if e.target_rate and e.entrusted > 0]
    target = sum((Fraction(e.entrusted) * Fraction(e.target_rate or 0) for e in aimed), Fraction(0))
    if not target:
        return None
    return max(Fraction(0), sum((Fraction(e.receipts) for e in aimed), Fraction(0)) / target)


def _slices(scheme: FeeScheme, attained: Fraction | None) -> Iterator[tuple[Tier, Fraction]]:
    """The tiers that apply, each with its part of the commission; the parts add up to 1."""
    if attained is None:
        return
    reached = [tier for tier in scheme.tiers if attained >= Fraction(tier.start)]
    if scheme.tier_mode is TierMode.WHOLE or not attained:
        yield reached[-1], Fraction(1)
        return
    ends = [*(Fraction(tier.start) for tier in reached[1:]), attained]
    for tier, (start, end) in zip(reached, pairwise([Fraction(0), *ends]), strict=True):
        if end > start:
            yield tier, (end - start) / attained


def _tier_lines(
    slices: list[tuple[Tier, Fraction]],
    commission: Money,
    tiered: Money,
    attained: Fraction | None,
) -> Iterator[Line]:
    exact = [Fraction(commission) * part * Fraction(t.multiplier - 1) for t, part in slices]
    amounts = round_to_sum(exact, tiered - commission)
    for (tier, part), amount in zip(slices, amounts, strict=True):
        params = {
            "attainment": str(_ratio(attained or Fraction(0))),
            "from": str(tier.start),
            "multiplier": str(tier.multiplier),
            "part": str(_ratio(part)),
        }
        yield Line(LineKind.TIER, amount, params)


def _factor_params(month: Month) -> dict[str, str]:
    return {"factor": str(month.factor), "grade": month.grade or ""}


def _deduction_lines(
    scheme: FeeScheme, deductions: Sequence[Deduction], fee: Money
) -> Iterator[Line]:
    """Every deduction whole, then what is given back beyond the limit, then the red lines."""
    ordinary = [d for d in deductions if not d.red_line]
    for deduction in ordinary:
        yield Line(LineKind.DEDUCTION, -cents(deduction.amount), deduction.params, deduction.link)
    total = sum((cents(deduction.amount) for deduction in ordinary), ZERO)
    limit = max(ZERO, cents(fee * scheme.deduction_cap))
    if total > limit:
        params = {"cap": str(scheme.deduction_cap), "limit": str(limit), "total": str(total)}
        yield Line(LineKind.DEDUCTION_CAP, total - limit, params)
    for deduction in deductions:
        if deduction.red_line:
            yield Line(
                LineKind.RED_LINE, -cents(deduction.amount), deduction.params, deduction.link
            )


def _reward(scheme: FeeScheme, reward: Reward) -> Line:
    return Line(LineKind.REWARD, scheme.reward, reward.params, reward.link)


def _belated(kind: LineKind, one: Belated, amount: Money) -> Line:
    params = {
        "period": one.period,
        "case_no": one.case_no,
        "receipts": str(one.amount),
        "rate": str(one.rate),
        "multiplier": str(one.multiplier),
        "factor": str(one.factor),
    }
    return Line(kind, amount, params, one.link)


def _adjustment(adjustment: Adjustment) -> Line:
    params = {"reason": adjustment.reason}
    return Line(LineKind.ADJUSTMENT, cents(adjustment.amount), params, adjustment.link)


def _sum(lines: Sequence[Line]) -> Money:
    return sum((line.amount for line in lines), ZERO)


def _half_up(value: Fraction) -> Money:
    """An exact fraction in cents, half away from zero."""
    units = (abs(value) * 200 + 1) // 2
    return Decimal(units if value >= 0 else -units).scaleb(-2)


def _ratio(value: Fraction) -> Decimal:
    return _decimal(value, _RATIO)


def _decimal(value: Fraction, unit: Decimal) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(unit)
