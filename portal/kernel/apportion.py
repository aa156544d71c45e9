"""Dividing a whole without losing or inventing a part: the method of the largest remainder."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

Exact = int | Decimal | Fraction

_HUNDREDTH = Decimal("0.01")


def apportion(total: int, weights: Sequence[Exact]) -> tuple[int, ...]:
    """`total` indivisible units shared in proportion to `weights`; the shares add up to `total`.

    Each gets the whole part of its exact share; the units left over go one each to the largest
    remainders, then to the larger weight, then to the earlier position. Weights must be zero or
    more and, where `total` is not zero, not all zero (`ValueError`).
    """
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact, Fraction(0))
    if total < 0 or any(weight < 0 for weight in exact):
        raise ValueError("neither the total nor a weight can be negative")
    if total == 0:
        return (0,) * len(exact)
    if whole == 0:
        raise ValueError("there is nothing to share in proportion to")
    return _largest_remainder(total, [total * weight / whole for weight in exact], exact)


def round_to_sum(values: Sequence[Exact], total: Decimal) -> tuple[Decimal, ...]:
    """`values` rounded to hundredths so that they add up to exactly `total`.

    `total` has two places and lies within a hundredth per value of the values' sum (it is that
    sum, rounded). Values may be negative. Ties as in `apportion`. Errors: `ValueError`.
    """
    units = total.scaleb(2)
    if units != int(units):
        raise ValueError("the total must have at most two places")
    scaled = [Fraction(value) * 100 for value in values]
    shares = _largest_remainder(int(units), scaled, scaled)
    return tuple(_HUNDREDTH * share for share in shares)


def _largest_remainder(
    total: int, exact: Sequence[Fraction], order: Sequence[Fraction]
) -> tuple[int, ...]:
    floors = [value.numerator // value.denominator for value in exact]
    left = total - sum(floors)
    if not 0 <= left <= len(floors):
        raise ValueError("the total is not the sum of the parts, rounded")
    ranked = sorted(range(len(floors)), key=lambda i: (floors[i] - exact[i], -order[i], i))
    for index in ranked[:left]:
        floors[index] += 1
    return tuple(floors)
