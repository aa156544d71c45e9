"""The draw engine (rule A3): a random sample of cases that anyone can recompute. With strata or
weights: `portal.cases.strata`.

The method, `METHOD`, in full. An implementation in any language must agree to the bit.

1. Quotas. The total is shared in proportion to in-hand volume by largest remainder (ties: larger
   volume, then smaller vendor id). Every vendor with cases gets at least one: those whose share
   came to none get one each and leave the sharing with their cases, and the rest is shared again
   until nobody is left without. A total below the number of vendors with cases is refused.
2. Population. A vendor's population is its case ids, each as 16 bytes, in ascending order, joined;
   its hash is SHA-256 of that. The hash of the whole draw is SHA-256 of the vendors' 32-byte
   hashes joined in ascending order of vendor id, vendors without cases left out. It is published
   before the seed is made.
3. Seeds. The draw's seed is 32 random bytes. A vendor's seed is HMAC-SHA-256 with the draw's seed
   as key over `METHOD` in ASCII, a zero byte, and the vendor's 16-byte id. It tells nothing of
   the draw's seed or another vendor's, so a vendor may have its own.
4. Numbers. HMAC_DRBG with SHA-256 (NIST SP 800-90A, 10.1.2) is instantiated with the vendor's seed
   as entropy input, an empty nonce, and the vendor's population hash as personalisation string.
   Blocks of 1,024 bytes are generated without additional input and read as 8-byte big-endian
   numbers. A number below `n` is the first of these below the largest multiple of `n` that 64
   bits hold, modulo `n`; the others are thrown away, so that none is likelier.
5. Sample. Floyd's method without replacement: for j from N - k to N - 1, draw t below j + 1; take
   position t, or j when t is taken. Positions count from 0 in the order of 2 and are reported in
   ascending order. Every set of k positions is equally likely.
6. Replacement. The vendor's n-th (from 1) has numbers as in 4 with the nonce "replacement" in ASCII
   and n in four big-endian bytes: one below the count of positions of which the request names no
   case, taken as a place among those in ascending order. A case no longer in hand is passed over
   with the next n.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil
from operator import eq
from uuid import UUID

from portal.kernel.apportion import apportion
from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase, plural

METHOD = "hmac-drbg-sha256/1"
SEED_BYTES = 32
ID_BYTES = 16

_BLOCK = 1024
_WORD = 8
_WORD_RANGE = 1 << (8 * _WORD)


def total_for_rate(in_hand: Mapping[UUID, int], rate: Fraction) -> int:
    """How many cases a draw at `rate` (0 to 1) takes in all: rounded up, at least one per vendor.

    `in_hand` maps vendors to their number of cases in hand.
    """
    if not 0 < rate <= 1:
        raise ValueError("a rate lies above 0 and is at most 1")
    volumes = [volume for volume in in_hand.values() if volume]
    return max(ceil(rate * sum(volumes)), len(volumes))


def quotas(in_hand: Mapping[UUID, int], total: int) -> dict[UUID, int]:
    """How many of the `total` cases each vendor with cases contributes (A3), by ascending id.

    Raises `Invalid` when there are fewer to draw than vendors with cases, or fewer cases than to
    draw. No quota exceeds its vendor's cases.
    """
    if any(volume < 0 for volume in in_hand.values()):
        raise ValueError("a vendor cannot hold fewer than no cases")
    sharing = {vendor: in_hand[vendor] for vendor in sorted(in_hand) if in_hand[vendor]}
    _refuse_impossible(len(sharing), sum(sharing.values()), total)
    found: dict[UUID, int] = {}
    while sharing:
        shares = dict(zip(sharing, apportion(total, list(sharing.values())), strict=True))
        without = [vendor for vendor, share in shares.items() if not share]
        if not without:
            found.update(shares)
            break
        for vendor in without:
            found[vendor] = 1
            del sharing[vendor]
        total -= len(without)
    return {vendor: found[vendor] for vendor in sorted(found)}


def _refuse_impossible(vendors: int, cases: int, total: int) -> None:
    if not vendors:
        raise Invalid(
            phrase("No vendor holds a case that could be drawn."),
            phrase("Import the entrusted cases first."),
        )
    if total < vendors:
        raise Invalid(
            plural(
                "%(vendors)s vendor holds cases, so a draw of %(total)s cannot take at least "
                "one from each.",
                "%(vendors)s vendors hold cases, so a draw of %(total)s cannot take at least "
                "one from each.",
                by="vendors",
                vendors=vendors,
                total=total,
            ),
            plural(
                "Draw at least %(vendors)s case.",
                "Draw at least %(vendors)s cases.",
                by="vendors",
                vendors=vendors,
            ),
        )
    if total > cases:
        raise Invalid(
            plural(
                "Only %(cases)s case is in hand.",
                "Only %(cases)s cases are in hand.",
                by="cases",
                cases=cases,
            ),
            plural(
                "Draw at most %(cases)s case.",
                "Draw at most %(cases)s cases.",
                by="cases",
                cases=cases,
            ),
        )


def canonical(case_ids: Iterable[UUID | bytes]) -> bytes:
    """A vendor's population as bytes: its case ids (UUIDs, or their 16 bytes), sorted and joined.

    Raises `ValueError` for an id that is there twice or is not 16 bytes long.
    """
    ordered = sorted(each if isinstance(each, bytes) else each.bytes for each in case_ids)
    if not set(map(len, ordered)) <= {ID_BYTES}:
        raise ValueError("a case id has 16 bytes")
    if any(map(eq, ordered, ordered[1:])):
        raise ValueError("a case stands twice in the population")
    return b"".join(ordered)


def population_hash(population: bytes) -> bytes:
    """SHA-256 of one vendor's `canonical` population."""
    return hashlib.sha256(population).digest()


def draw_hash(hashes: Mapping[UUID, bytes]) -> bytes:
    """The hash of a whole draw from the population hashes of its vendors with cases."""
    return hashlib.sha256(b"".join(hashes[vendor] for vendor in sorted(hashes))).digest()


def vendor_seed(seed: bytes, vendor_id: UUID, method: str = METHOD) -> bytes:
    """The seed of one vendor, from which neither the draw's nor another vendor's can be found."""
    if len(seed) != SEED_BYTES:
        raise ValueError("the seed of a draw has 32 bytes")
    return hmac.digest(seed, method.encode("ascii") + b"\0" + vendor_id.bytes, "sha256")


def draw(population: bytes, quota: int, seed: bytes, vendor_id: UUID) -> list[int]:
    """The positions drawn from a vendor's `canonical` population: company's side, draw's seed."""
    own = vendor_seed(seed, vendor_id)
    size = len(population) // ID_BYTES
    return positions(size, quota, own, population_hash(population))


def positions(size: int, quota: int, own_seed: bytes, population_digest: bytes) -> list[int]:
    """`quota` of the positions 0 to `size` - 1, ascending: all that a vendor needs to recompute.

    `own_seed` is the vendor's seed and `population_digest` its population hash.
    """
    if not 0 <= quota <= size:
        raise ValueError("a quota lies between 0 and the number of cases")
    numbers = words(HmacDrbg(own_seed, b"", population_digest))
    taken: set[int] = set()
    for last in range(size - quota, size):
        position = below(last + 1, numbers)
        taken.add(last if position in taken else position)
    return sorted(taken)


def replacement(
    size: int, taken: Collection[int], own_seed: bytes, population_digest: bytes, number: int
) -> int:
    """The position that takes a drawn case's place (换抽): one of those not `taken`, each equally
    likely. `number` counts a vendor's replacements of a draw from 1, so that each can be
    recomputed. Raises `ValueError` when every case is taken."""
    left = [position for position in range(size) if position not in taken]
    if not left or number < 1:
        raise ValueError("no case is left that could take the place")
    nonce = b"replacement" + number.to_bytes(4, "big")
    return left[below(len(left), words(HmacDrbg(own_seed, nonce, population_digest)))]


def case_ids_at(population: bytes, chosen: Sequence[int]) -> list[UUID]:
    """The case ids at the given positions of a `canonical` population."""
    return [UUID(bytes=population[ID_BYTES * i : ID_BYTES * (i + 1)]) for i in chosen]


class HmacDrbg:
    """HMAC_DRBG with SHA-256 of NIST SP 800-90A, 10.1.2; no reseeding, no additional input.

    Only for reproducible sampling: secrets come from the operating system.
    """

    def __init__(self, entropy: bytes, nonce: bytes, personalisation: bytes = b"") -> None:
        """Instantiate (10.1.2.3) with the given entropy input, nonce and personalisation."""
        self._key = bytes(32)
        self._value = b"\x01" * 32
        self._update(entropy + nonce + personalisation)

    def generate(self, count: int) -> bytes:
        """The next `count` bytes (10.1.2.5)."""
        blocks: list[bytes] = []
        for _ in range(-(-count // 32)):
            self._value = hmac.digest(self._key, self._value, "sha256")
            blocks.append(self._value)
        self._update(b"")
        return b"".join(blocks)[:count]

    def _update(self, data: bytes) -> None:
        for round_byte in (b"\x00", b"\x01") if data else (b"\x00",):
            self._key = hmac.digest(self._key, self._value + round_byte + data, "sha256")
            self._value = hmac.digest(self._key, self._value, "sha256")


def words(generator: HmacDrbg) -> Iterator[int]:
    """The generator's output in blocks of 1,024 bytes as 8-byte big-endian numbers, without end."""
    while True:
        block = generator.generate(_BLOCK)
        for start in range(0, _BLOCK, _WORD):
            yield int.from_bytes(block[start : start + _WORD], "big")


def below(bound: int, numbers: Iterator[int]) -> int:
    """A number below `bound` out of `numbers`, every one equally likely."""
    limit = _WORD_RANGE - _WORD_RANGE % bound
    return next(word for word in numbers if word < limit) % bound
