"""The draw engine in strata and with weights (rule A3), method /2; without either, `draw` is /1.

The method, `METHOD`, where it differs from `portal.cases.draw`; docs/draw-method.md has both. An
implementation in any language must agree to the bit. Quotas of vendors are those of /1.

2. Population. A case is 19 bytes: its id's 16, its stratum's number (two, big-endian), its weight
   (one, 1 to 255); the cases in ascending order, joined. A vendor's hash is SHA-256 of: SHA-256 of
   the plan's text, SHA-256 of the strata's text (both UTF-8, as recorded), and the population. The
   hash of the whole draw is made of the vendors' as in /1.
3. Seeds. As in /1, with this method's name.
4. Numbers. As in /1.
5. Sample. The quota is shared among the vendor's strata in proportion to the sums of their cases'
   weights, by largest remainder (ties: larger sum, then smaller number). A stratum whose part is
   more than it has cases gives all of them, and the rest is shared again among the others until
   none has too much. The strata then draw in ascending order of number, from one row of numbers.
   A stratum's cases not yet taken stand by weight, then by position; a number below the sum of
   their weights is drawn, and the case is taken whose weight, added up in that order, first
   exceeds it. So a case of weight w is w times as likely as one of weight 1, at each draw.
6. Replacement. As in /1, but among the cases not taken of the stratum of the case that is replaced,
   by weight as in 5; of all strata when that one has none left.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from portal.cases.draw import HmacDrbg, below, words
from portal.kernel.apportion import apportion

METHOD = "hmac-drbg-sha256/2"
ENTRY_BYTES = 19
ID_BYTES = 16
MOST_STRATA = 65_536
MOST_WEIGHT = 255


@dataclass(frozen=True, slots=True)
class Members:
    """A population taken apart: ids, strata and weights by position."""

    ids: tuple[bytes, ...]
    strata: tuple[int, ...]
    weights: bytes

    @property
    def size(self) -> int:
        """How many cases."""
        return len(self.ids)


def members(population: bytes) -> Members:
    """Read a population. Raises `ValueError` when it is not whole cases in ascending order, each
    with a weight."""
    if len(population) % ENTRY_BYTES:
        raise ValueError("a case of a population in strata has 19 bytes")
    entries = [population[at : at + ENTRY_BYTES] for at in range(0, len(population), ENTRY_BYTES)]
    ids = tuple(entry[:ID_BYTES] for entry in entries)
    weights = population[ENTRY_BYTES - 1 :: ENTRY_BYTES]
    if any(one >= two for one, two in pairwise(ids)):
        raise ValueError("the cases are not in ascending order")
    if 0 in weights:
        raise ValueError("a case has no weight")
    strata = tuple(int.from_bytes(entry[ID_BYTES : ID_BYTES + 2], "big") for entry in entries)
    return Members(ids, strata, weights)


def packed(entries: Iterable[tuple[bytes, int, int]]) -> bytes:
    """A population of (id's 16 bytes, stratum, weight); `ValueError` for what does not fit."""
    parts = sorted(entries)
    for one, stratum, weight in parts:
        if len(one) != ID_BYTES or not 0 < weight <= MOST_WEIGHT:
            raise ValueError("an id has 16 bytes, a weight is 1 to 255")
        if not 0 <= stratum < MOST_STRATA:
            raise ValueError("a stratum's number has two bytes")
    return b"".join(
        one + stratum.to_bytes(2, "big") + bytes([weight]) for one, stratum, weight in parts
    )


def population_hash(plan: str, strata: str, population: bytes) -> bytes:
    """The hash of one vendor's population with the plan's and the strata's texts."""
    texts = b"".join(hashlib.sha256(text.encode()).digest() for text in (plan, strata))
    return hashlib.sha256(texts + population).digest()


def allocation(found: Members, quota: int) -> dict[int, int]:
    """How many of the quota each stratum gives, by its number, in ascending order."""
    if not 0 <= quota <= found.size:
        raise ValueError("a quota lies between 0 and the number of cases")
    size = Counter(found.strata)
    sums: Counter[int] = Counter()
    for stratum, weight in zip(found.strata, found.weights, strict=True):
        sums[stratum] += weight
    given: dict[int, int] = {}
    sharing, left = sorted(size), quota
    while sharing:
        parts = apportion(left, [sums[one] for one in sharing])
        full = [one for one, part in zip(sharing, parts, strict=True) if part > size[one]]
        if not full:
            given.update(zip(sharing, parts, strict=True))
            break
        for one in full:
            given[one] = size[one]
            left -= size[one]
        sharing = [one for one in sharing if one not in given]
    return {one: given[one] for one in sorted(given)}


def positions(found: Members, quota: int, own_seed: bytes, digest: bytes) -> list[int]:
    """`quota` positions of the population, ascending; `digest` is its `population_hash`."""
    numbers = words(HmacDrbg(own_seed, b"", digest))
    places: dict[int, list[int]] = {}
    for position, stratum in enumerate(found.strata):
        places.setdefault(stratum, []).append(position)
    chosen: list[int] = []
    for stratum, count in allocation(found, quota).items():
        left = _by_weight(places[stratum], found.weights)
        chosen += [_pick(left, numbers) for _ in range(count)]
    return sorted(chosen)


def replacement(
    found: Members,
    taken: Collection[int],
    instead_of: int,
    own_seed: bytes,
    digest: bytes,
    number: int,
) -> int:
    """The position that takes the place of the position `instead_of`; `number` counts a vendor's
    replacements from 1. Raises `ValueError` when every case is taken."""
    free = [position for position in range(found.size) if position not in taken]
    stratum = found.strata[instead_of]
    left = [position for position in free if found.strata[position] == stratum] or free
    if not left or number < 1:
        raise ValueError("no case is left that could take the place")
    nonce = b"replacement" + number.to_bytes(4, "big")
    return _pick(_by_weight(left, found.weights), words(HmacDrbg(own_seed, nonce, digest)))


def _by_weight(places: Iterable[int], weights: bytes) -> dict[int, list[int]]:
    """The places of each weight, ascending in both."""
    found: dict[int, list[int]] = {}
    for place in places:
        found.setdefault(weights[place], []).append(place)
    return dict(sorted(found.items()))


def _pick(left: Mapping[int, list[int]], numbers: Iterator[int]) -> int:
    """Take one of the cases left, each as likely as its weight says."""
    number = below(sum(weight * len(places) for weight, places in left.items()), numbers)
    for weight, places in left.items():
        if number < weight * len(places):
            return places.pop(number // weight)
        number -= weight * len(places)
    raise ValueError("no case is left")
