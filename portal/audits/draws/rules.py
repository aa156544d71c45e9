"""What a draw may be, what its vendors are told, and the proof that its sample is right (A3)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from uuid import UUID

from portal.cases import draw, strata
from portal.cases.draw import ID_BYTES, METHOD, draw_hash, quotas, total_for_rate, vendor_seed
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import Phrase, phrase

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_RATE = Decimal("0.0001")
STEPS: Mapping[str, str] = {"planned": "frozen", "frozen": "drawn", "drawn": "issued"}
"""From a draw's state to the next; there is no way back and no second try."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is drawn: `total` cases over all vendors, or `rate` per cent of those in hand."""

    total: int | None = None
    rate: Decimal | None = None

    def total_of(self, in_hand: Mapping[UUID, int]) -> int:
        """The number of cases that these volumes make it."""
        if self.total is not None:
            return self.total
        return total_for_rate(in_hand, Fraction(self.rate or 0) / 100)


def sized(total: int | None, rate: Decimal | None) -> Size:
    """The size of a draw. Raises `Invalid` unless exactly one of the two is there and sound."""
    if (total is None) == (rate is None):
        raise Invalid(
            phrase("Say how much to draw: a number of cases, or a share of those in hand."),
            phrase("Fill in one of the two."),
        )
    if total is not None and total < 1:
        raise Invalid(phrase("A draw takes at least one case."), phrase("Type a larger number."))
    if rate is not None and not 0 < rate <= 100:
        raise Invalid(
            phrase("The share lies above 0 and is at most 100 per cent."),
            phrase("Type it like 1.5 for 1.5 per cent."),
        )
    return Size(total, rate)


def checked_period(text: str) -> str:
    """A month "YYYY-MM"; raises `Invalid`."""
    if not _MONTH.fullmatch(text):
        raise Invalid(phrase("This is not a month."), phrase("Write it like 2026-11."))
    return text


def shared_out(size: Size, in_hand: Mapping[UUID, int]) -> dict[UUID, int]:
    """Each vendor's quota (A3: in proportion to in-hand volume, at least one); `Invalid` if the
    size does not fit the volumes."""
    if not any(in_hand.values()):
        return quotas(in_hand, 1)  # says that nobody holds a case
    return quotas(in_hand, size.total_of(in_hand))


def check_step(state: str, wanted: str) -> None:
    """Refuse a step that is not the next one (`Conflict`)."""
    if STEPS.get(state) != wanted:
        raise Conflict(
            phrase("This draw is not at that step."),
            phrase("Reload its page and take the step that it offers."),
        )


def vendor_facts(
    *, method: str = METHOD, in_hand: int, quota: int, own_hash: str, own_seed: str, drawn_at: str
) -> dict[str, Any]:
    """All that a vendor is told of a draw, with its request: enough to recompute its own sample,
    nothing from which another vendor's volume or the whole draw's could be told."""
    return {
        "method": method,
        "population": in_hand,
        "population_hash": own_hash,
        "seed": own_seed,
        "quota": quota,
        "rate": str((Decimal(quota) / Decimal(in_hand)).quantize(_RATE)),
        "drawn_at": drawn_at,
        "record": True,
    }


class Population:
    """A vendor's frozen population, in the bytes of its method: /2 where there is a strata's text,
    else /1."""

    def __init__(
        self, packed: bytes, plan: str | None = None, strata_text: str | None = None
    ) -> None:
        """`plan` and `strata_text` are the texts that method /2 hashes."""
        self._packed, self._plan, self._strata_text = packed, plan or "", strata_text
        self._entry = ID_BYTES if strata_text is None else strata.ENTRY_BYTES

    @property
    def size(self) -> int:
        """How many cases, the last one possibly cut."""
        return -(-len(self._packed) // self._entry)

    @property
    def sound(self) -> bool:
        """Whether it is whole cases in ascending order."""
        if self._strata_text is not None:
            try:
                self.members()
            except ValueError:
                return False
            return True
        return len(self._packed) % ID_BYTES == 0 and _ascending(self._packed)

    def members(self) -> strata.Members:
        """The cases with strata and weights (method /2 only)."""
        return strata.members(self._packed)

    def digest(self) -> bytes:
        """The population's hash."""
        if self._strata_text is None:
            return draw.population_hash(self._packed)
        return strata.population_hash(self._plan, self._strata_text, self._packed)

    def ids_at(self, chosen: Iterable[int]) -> list[UUID]:
        """The case ids at these positions."""
        at = [self._entry * position for position in chosen]
        return [UUID(bytes=self._packed[one : one + ID_BYTES]) for one in at]

    def ids(self) -> list[UUID]:
        """All case ids, in order."""
        return self.ids_at(range(self.size))

    def drawn(self, quota: int, own_seed: bytes, digest: bytes) -> list[int]:
        """The positions that the method draws."""
        if self._strata_text is None:
            return draw.positions(self.size, quota, own_seed, digest)
        return strata.positions(self.members(), quota, own_seed, digest)

    def replacement(
        self, taken: Collection[int], instead_of: int, own_seed: bytes, digest: bytes, number: int
    ) -> int:
        """The position that takes the place of another (换抽)."""
        if self._strata_text is None:
            return draw.replacement(self.size, taken, own_seed, digest, number)
        found = self.members()
        return strata.replacement(found, taken, instead_of, own_seed, digest, number)


@dataclass(frozen=True, slots=True)
class ShareRecord:
    """One vendor's part as it stands in the record. `population` in the method's canonical bytes;
    `requested`: the cases of the vendor's request, None before it is issued; `plan`, `strata`: the
    texts of method /2."""

    vendor_id: UUID
    name: str
    in_hand: int
    quota: int
    population: bytes
    population_hash: str
    vendor_seed: str
    positions: tuple[int, ...]
    requested: frozenset[UUID] | None = None
    plan: str | None = None
    strata: str | None = None

    @property
    def method(self) -> str:
        """The method that the part is drawn by."""
        return METHOD if self.strata is None else strata.METHOD

    @property
    def cases(self) -> Population:
        """The population, to be read."""
        return Population(self.population, self.plan, self.strata)


def differences(
    *, total: int, seed: str, whole_hash: str, shares: Iterable[ShareRecord]
) -> Iterator[Phrase]:
    """Recompute a draw from its record; yields what does not agree, nothing if all does."""
    in_hand: dict[UUID, int] = {}
    given: dict[UUID, int] = {}
    hashes: dict[UUID, bytes] = {}
    for share in shares:
        in_hand[share.vendor_id], given[share.vendor_id] = share.in_hand, share.quota
        hashes[share.vendor_id] = share.cases.digest()
        yield from _share_differences(share, hashes[share.vendor_id], bytes.fromhex(seed))
    if draw_hash(hashes).hex() != whole_hash:
        yield phrase("The hash of the whole population differs from the recorded one.")
    if quotas(in_hand, total) != given:
        yield phrase("The quotas differ from those that the volumes give.")


def _share_differences(share: ShareRecord, digest: bytes, seed: bytes) -> Iterator[Phrase]:
    name, cases = share.name, share.cases
    if cases.size != share.in_hand or not cases.sound:
        yield phrase("%(vendor)s: the population is not the recorded one.", vendor=name)
        return
    if digest.hex() != share.population_hash:
        yield phrase("%(vendor)s: the population's hash differs.", vendor=name)
    own = vendor_seed(seed, share.vendor_id, share.method)
    if own.hex() != share.vendor_seed:
        yield phrase("%(vendor)s: the vendor's seed differs.", vendor=name)
    if share.quota > cases.size:
        yield phrase("%(vendor)s: the quota exceeds the population.", vendor=name)
        return
    drawn = cases.drawn(share.quota, own, digest)
    if tuple(drawn) != share.positions:
        yield phrase("%(vendor)s: other cases come out than were drawn.", vendor=name)
    elif share.requested is not None and share.requested != frozenset(cases.ids_at(drawn)):
        yield phrase("%(vendor)s: the request names other cases than were drawn.", vendor=name)


def _ascending(population: bytes) -> bool:
    ids = [population[i : i + ID_BYTES] for i in range(0, len(population), ID_BYTES)]
    return all(one < two for one, two in pairwise(ids))
