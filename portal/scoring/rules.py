"""The monthly score: recorded facts under a scheme, every lost point with its fact (rule C2.4).

How it is computed, in the order of the functions below:

1. Every indicator turns its facts into losses, exact fractions of its weight.
2. An indicator without any data gives its weight to its dimension's others; a dimension without
   any gives it to the other dimensions; both in proportion, and the score says so. Recovery never
   takes on more than `MOST_FOR_RECOVERY` points: without other data there is no score.
3. Losses are scaled to the weight so reached. Together they are at most that weight; their sum is
   rounded half-up to two places, and the lines are rounded so as to add up to it exactly.
4. Dimension and total are sums of rounded figures; over-fulfilment ends at 100; a red line (红线)
   caps the month; the grade is that of the total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from portal.kernel.apportion import round_to_sum
from portal.scoring.facts import Facts, Finding, Link
from portal.scoring.measures import Loss, losses_of
from portal.scoring.scheme import (
    FULL,
    MOST_FOR_RECOVERY,
    Dimension,
    Indicator,
    Measure,
    Scheme,
)
from portal.vendors.clauses import Level

_HUNDREDTH = Decimal("0.01")
_NONE = Decimal("0.00")


@dataclass(frozen=True)
class Line:
    """Points lost (won, where negative: over-fulfilment), why, and the fact they come from."""

    lost: Decimal
    reason: str
    params: Mapping[str, str]
    link: Link


@dataclass(frozen=True)
class IndicatorScore:
    """`points` of `weight`, or None without data. `nominal` is the scheme's weight."""

    code: str
    title: str
    title_en: str
    nominal: Decimal
    weight: Decimal
    points: Decimal | None
    lines: tuple[Line, ...] = ()

    @property
    def reweighted(self) -> bool:
        """Whether it took on, or gave away, weight for want of data."""
        return self.weight != self.nominal


@dataclass(frozen=True)
class DimensionScore:
    """`points` of `weight`, or None where no indicator had data."""

    code: str
    title: str
    title_en: str
    nominal: Decimal
    weight: Decimal
    points: Decimal | None
    indicators: tuple[IndicatorScore, ...]

    @property
    def reweighted(self) -> bool:
        """Whether it took on, or gave away, weight for want of data."""
        return self.weight != self.nominal


@dataclass(frozen=True)
class Score:
    """The result. `total` and `grade` are None when there was not enough to assess.

    `before_cap` is the sum of the dimensions; `cap_lines` are what red lines took from it beyond
    their points. `placements`: whether new cases may be given (grade D: no).
    """

    total: Decimal | None
    before_cap: Decimal | None
    grade: str | None
    factor: Decimal
    placements: bool
    dimensions: tuple[DimensionScore, ...]
    cap_lines: tuple[Line, ...] = ()


def score(scheme: Scheme, facts: Facts) -> Score:
    """The score of one vendor and period."""
    losses = {i.code: losses_of(i, scheme, facts) for i in scheme.indicators}
    measured = {code for code, found in losses.items() if found is not None}
    weights = effective_weights(scheme, measured)
    dimensions = tuple(_dimension(d, losses, weights) for d in scheme.dimensions)
    if not any(weights.values()):
        return Score(None, None, None, scheme.factor_without_data, True, dimensions)
    before_cap = sum((d.points for d in dimensions if d.points is not None), _NONE)
    within = min(before_cap, FULL.quantize(_HUNDREDTH))
    cap_lines = _cap_lines(scheme, facts.findings, within)
    total = within - sum((line.lost for line in cap_lines), _NONE)
    grade = scheme.grade_of(total)
    return Score(
        total, before_cap, grade.grade, grade.factor, grade.placements, dimensions, cap_lines
    )


def effective_weights(scheme: Scheme, measured: set[str]) -> dict[str, Decimal]:
    """The weight of every indicator when only those in `measured` have data; 0 for the others.

    They add up to 100.00, or are all 0 where nothing but recovery was measured.
    """
    exact = {
        indicator.code: weight
        for dimension in scheme.dimensions
        for indicator, weight in _within_dimension(dimension, measured)
    }
    most = {
        i.code: Fraction((MOST_FOR_RECOVERY / i.cap).quantize(_HUNDREDTH, ROUND_DOWN))
        for i in scheme.indicators
        if i.measure is Measure.ATTAINMENT
    }
    shared = _share_out(exact, most)
    total = sum(shared.values(), Fraction(0))
    rounded = round_to_sum(list(shared.values()), FULL if total else _NONE)
    return dict(zip(shared, rounded, strict=True))


def _within_dimension(dimension: Dimension, measured: set[str]) -> list[tuple[Indicator, Fraction]]:
    known = sum((i.weight for i in dimension.indicators if i.code in measured), Decimal(0))
    scale = Fraction(dimension.weight) / Fraction(known) if known else Fraction(0)
    return [
        (i, Fraction(i.weight) * scale if i.code in measured else Fraction(0))
        for i in dimension.indicators
    ]


def _share_out(exact: Mapping[str, Fraction], most: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Scale weights to 100 in proportion, but those in `most` not beyond it."""
    total = sum(exact.values(), Fraction(0))
    if not total:
        return dict(exact)
    scaled = {code: weight * 100 / total for code, weight in exact.items()}
    held = {code: limit for code, limit in most.items() if scaled[code] > limit}
    free = sum((w for code, w in scaled.items() if code not in held), Fraction(0))
    if not held:
        return scaled
    if not free:
        return dict.fromkeys(exact, Fraction(0))
    left = 100 - sum(held.values(), Fraction(0))
    return {code: held.get(code, weight * left / free) for code, weight in scaled.items()}


def _dimension(
    dimension: Dimension,
    losses: Mapping[str, list[Loss] | None],
    weights: Mapping[str, Decimal],
) -> DimensionScore:
    parts = tuple(_indicator(i, losses[i.code], weights[i.code]) for i in dimension.indicators)
    points = [part.points for part in parts if part.points is not None]
    return DimensionScore(
        dimension.code,
        dimension.title,
        dimension.title_en,
        dimension.weight,
        sum((part.weight for part in parts), _NONE),
        sum(points, _NONE) if points else None,
        parts,
    )


def _indicator(
    indicator: Indicator, losses: Sequence[Loss] | None, weight: Decimal
) -> IndicatorScore:
    head = (indicator.code, indicator.title, indicator.title_en, indicator.weight, weight)
    if losses is None or not weight:
        return IndicatorScore(*head, None)
    scale = Fraction(weight) / Fraction(indicator.weight)
    exact = [loss.amount * scale for loss in losses]
    whole = sum(exact, Fraction(0))
    if whole > weight:
        exact = [amount * Fraction(weight) / whole for amount in exact]
        whole = Fraction(weight)
    lost = _half_up(whole)
    lines = tuple(
        Line(part, loss.reason, loss.params, loss.link)
        for part, loss in zip(round_to_sum(exact, lost), losses, strict=True)
    )
    return IndicatorScore(*head, weight - lost, lines)


def _cap_lines(scheme: Scheme, findings: Sequence[Finding], within: Decimal) -> tuple[Line, ...]:
    """What the cap takes, in equal parts on the red lines; nothing when the month is below it."""
    red = [finding for finding in findings if finding.level is Level.RED_LINE]
    taken = within - scheme.red_line_cap
    if not red or taken <= 0:
        return ()
    parts = round_to_sum([Fraction(taken) / len(red)] * len(red), taken.quantize(_HUNDREDTH))
    params = {"cap": str(scheme.red_line_cap)}
    return tuple(
        Line(part, "red_line.cap", {**params, "clause": finding.clause}, finding.link)
        for part, finding in zip(parts, red, strict=True)
    )


def _half_up(value: Fraction) -> Decimal:
    """Two places, half away from zero, from an exact fraction."""
    magnitude = abs(value) * 100
    units = (2 * magnitude.numerator + magnitude.denominator) // (2 * magnitude.denominator)
    return Decimal(units if value >= 0 else -units).scaleb(-2)
