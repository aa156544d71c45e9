"""The fee scheme of a contract (rule C7): rates by age, tiers by target, caps, reward, tax.

Editable data, versioned; every figure of the statement stands here and none in `rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from portal.kernel.content import Reader
from portal.kernel.errors import Invalid
from portal.kernel.money import Money, cents
from portal.kernel.phrases import phrase


class TierMode(StrEnum):
    """`whole`: the reached one for all (全额累进); `slices`: each for its part (超额累进)."""

    WHOLE = "whole"
    SLICES = "slices"


@dataclass(frozen=True)
class Band:
    """An age band at entrusting: days past due from–to (None: no end), and its commission rate."""

    age: str
    from_days: int
    to_days: int | None
    rate: Decimal


@dataclass(frozen=True)
class Tier:
    """From this attainment of the target on (0.80 = 80 %), the commission is multiplied so."""

    start: Decimal
    multiplier: Decimal


@dataclass(frozen=True)
class FeeScheme:
    """All terms. Amounts in CNY, tax included; `deduction_cap` is a part of the month's fee."""

    bands: Mapping[str, Band]
    tier_mode: TierMode
    tiers: tuple[Tier, ...]
    deduction_cap: Decimal
    reward: Money
    tax_rate: Decimal

    def band(self, age: str) -> Band:
        """The band named `age`. Raises `Invalid` when the contract has none."""
        try:
            return self.bands[age]
        except KeyError:
            raise Invalid(
                phrase("The fee terms have no rate for the age band %(age)s.", age=age),
                phrase("Add the band to the fee terms of the contract."),
            ) from None


def parse_fee_scheme(content: Mapping[str, Any]) -> FeeScheme:
    """The scheme that `content` describes. Raises `ContentError` (a `ValueError`)."""
    root = Reader(content)
    root.only("bands", "tiers", "deduction_cap", "reward", "tax_rate")
    bands = [_band(entry) for entry in root.field("bands").items()]
    tiers = root.field("tiers")
    tiers.only("mode", "steps")
    scheme = FeeScheme(
        MappingProxyType({band.age: band for band in bands}),
        tiers.field("mode").choice(TierMode),
        tuple(_tier(entry) for entry in tiers.field("steps").items()),
        root.field("deduction_cap").number(0, 1),
        cents(root.field("reward").number(0, 1_000_000, places=2)),
        root.field("tax_rate").number(0, 1),
    )
    if root.sound:
        _check_bands(root, bands)
        _check_tiers(root, scheme.tiers)
    root.done()
    return scheme


def _band(entry: Reader) -> Band:
    entry.only("age", "from_days", "to_days", "rate")
    to_days = entry.optional("to_days")
    return Band(
        entry.field("age").text(),
        entry.field("from_days").whole(0, 100_000),
        to_days.whole(0, 100_000) if to_days else None,
        entry.field("rate").number(0, 1),
    )


def _tier(entry: Reader) -> Tier:
    entry.only("from", "multiplier")
    return Tier(entry.field("from").number(0, 100), entry.field("multiplier").number(0, 10))


def _check_bands(root: Reader, bands: list[Band]) -> None:
    ages = [band.age for band in bands]
    for age in sorted({age for age in ages if ages.count(age) > 1}):
        root.complain(phrase("%(code)s is there twice.", code=age))
    for before, after in pairwise(bands):
        if before.to_days is None or after.from_days != before.to_days + 1:
            root.complain(
                phrase(
                    "The age band %(after)s must begin on the day after %(before)s ends.",
                    after=after.age,
                    before=before.age,
                )
            )


def _check_tiers(root: Reader, tiers: tuple[Tier, ...]) -> None:
    starts = [tier.start for tier in tiers]
    if starts[0] != 0 or starts != sorted(set(starts)):
        root.complain(phrase("The tiers must begin at 0 and rise."))
