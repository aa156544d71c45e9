"""The draw of rule A3: quotas, frozen populations, reproducible and unbiased positions."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from fractions import Fraction
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cases.draw import (
    HmacDrbg,
    canonical,
    case_ids_at,
    draw,
    draw_hash,
    population_hash,
    positions,
    quotas,
    total_for_rate,
    vendor_seed,
)
from portal.kernel.errors import Invalid

SEED = bytes(range(32))
volumes = st.dictionaries(st.uuids(), st.integers(0, 5000), min_size=1, max_size=30)


def _vendor(number: int) -> UUID:
    return UUID(int=number)


def test_the_generator_reproduces_the_published_vector_of_nist() -> None:
    """CAVS HMAC_DRBG.rsp, SHA-256, no prediction resistance, no additional input, COUNT = 0."""
    generator = HmacDrbg(
        bytes.fromhex("ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488"),
        bytes.fromhex("659ba96c601dc69fc902940805ec0ca8"),
    )
    generator.generate(128)
    assert generator.generate(128).hex() == (
        "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89"
        "d54fbb978a15b5c443c9ec21036d2460b6f73ebad0dc2aba6e624abf07745bc1"
        "07694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668"
        "961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8"
    )


@pytest.mark.parametrize(
    ("volume", "total", "expected"),
    [
        # 100 of 1,000 / 600 / 400: exact shares.
        ([1000, 600, 400], 100, [50, 30, 20]),
        # Remainders .5 / .3 / .2: the last unit goes to the largest.
        ([1005, 603, 402], 10, [5, 3, 2]),
        # Equal remainders: larger volume first, then the smaller id.
        ([10, 10, 10], 4, [2, 1, 1]),
        # A small vendor gets one although its share is none; nobody else loses more than that.
        ([9900, 90, 10], 100, [98, 1, 1]),
        ([5000, 1, 0, 1], 10, [8, 1, 1]),
        # As many as vendors: one each. All cases: all of each.
        ([700, 20, 3], 3, [1, 1, 1]),
        ([7, 2, 3], 12, [7, 2, 3]),
    ],
)
def test_quotas(volume: list[int], total: int, expected: list[int]) -> None:
    in_hand = {_vendor(n): v for n, v in enumerate(volume)}
    assert list(quotas(in_hand, total).values()) == expected


@given(volumes, st.data())
def test_quotas_keep_the_total_and_give_every_vendor_one_but_no_more_than_it_has(
    in_hand: dict[UUID, int], data: st.DataObject
) -> None:
    holders = {vendor: volume for vendor, volume in in_hand.items() if volume}
    if not holders:
        return
    total = data.draw(st.integers(len(holders), sum(holders.values())))
    result = quotas(in_hand, total)
    assert sum(result.values()) == total
    assert result.keys() == holders.keys()
    assert list(result) == sorted(result)
    assert all(1 <= result[vendor] <= holders[vendor] for vendor in holders)
    ordered = sorted(holders, key=lambda vendor: holders[vendor])
    assert [result[v] for v in ordered] == sorted(result.values()) or any(
        holders[a] == holders[b] for a, b in combinations(ordered, 2)
    )
    assert quotas(dict(reversed(in_hand.items())), total) == result


def test_an_impossible_total_says_what_is_possible() -> None:
    in_hand = {_vendor(1): 5, _vendor(2): 5, _vendor(3): 0}
    for total, mend in ((1, "at least 2"), (11, "at most 10")):
        with pytest.raises(Invalid) as refusal:
            quotas(in_hand, total)
        assert mend in str(refusal.value.mend)
    with pytest.raises(Invalid, match="No vendor"):
        quotas({_vendor(3): 0}, 1)


def test_a_rate_takes_at_least_one_of_each_vendor() -> None:
    in_hand = {_vendor(1): 1000, _vendor(2): 1, _vendor(3): 0}
    assert total_for_rate(in_hand, Fraction(1, 100)) == 11
    assert total_for_rate({_vendor(n): 1 for n in range(50)}, Fraction(1, 100)) == 50


def test_the_population_hash_is_that_of_the_sorted_ids() -> None:
    ids = [UUID(int=n) for n in (3, 1, 2)]
    plain = b"".join(n.to_bytes(16, "big") for n in (1, 2, 3))
    assert canonical(ids) == canonical(reversed(ids)) == canonical(i.bytes for i in ids) == plain
    own = {_vendor(2): population_hash(plain), _vendor(1): population_hash(b"x")}
    joined = population_hash(b"x") + population_hash(plain)
    assert draw_hash(own) == hashlib.sha256(joined).digest()
    with pytest.raises(ValueError, match="twice"):
        canonical([ids[0], ids[0]])
    with pytest.raises(ValueError, match="16 bytes"):
        canonical([b"short", b"x" * 27])


def test_a_fixed_draw_never_changes() -> None:
    """The method's own vector: another result means another METHOD."""
    population = canonical(UUID(int=n * n) for n in range(1000))
    assert (
        population_hash(population).hex()
        == "e68b8d92d1ff54f004318004d14629e14fb10300cae222bd4f9804670744ee6d"
    )
    assert (
        vendor_seed(SEED, _vendor(7)).hex()
        == "cac8d67b3a0e4f6f2925a0451ada1e0e7a71d557a79e1b07bdd1cbfdc4eb7043"
    )
    chosen = draw(population, 10, SEED, _vendor(7))
    assert chosen == [101, 202, 208, 337, 352, 424, 486, 530, 761, 889]
    assert [i.int for i in case_ids_at(population, chosen)] == [n * n for n in chosen]


@given(st.integers(0, 300), st.data(), st.binary(min_size=32, max_size=32))
def test_positions_are_distinct_sorted_and_in_range(
    size: int, data: st.DataObject, seed: bytes
) -> None:
    quota = data.draw(st.integers(0, size))
    chosen = positions(size, quota, seed, b"digest")
    assert chosen == sorted(set(chosen))
    assert len(chosen) == quota
    assert all(0 <= position < size for position in chosen)
    assert chosen == positions(size, quota, seed, b"digest")


def test_every_sample_is_equally_likely() -> None:
    """Chi-square over all 20 subsets of 3 of 6, 20,000 draws; 43.8 is exceeded once in 1,000."""
    rounds = 20_000
    seen = Counter(tuple(positions(6, 3, n.to_bytes(32, "big"), b"digest")) for n in range(rounds))
    expected = rounds / 20
    subsets = combinations(range(6), 3)
    assert sum((seen[s] - expected) ** 2 / expected for s in subsets) < 43.8


def test_one_vendors_sample_does_not_depend_on_the_others() -> None:
    population = canonical(UUID(int=n) for n in range(500))
    first, second = (draw(population, 20, SEED, _vendor(n)) for n in (1, 2))
    assert first != second
    assert first == positions(500, 20, vendor_seed(SEED, _vendor(1)), population_hash(population))
    # Another population of the same size gives other positions: the hash goes in too.
    other = canonical(UUID(int=n) for n in range(1, 501))
    assert draw(other, 20, SEED, _vendor(1)) != first


def test_a_million_cases_of_200_vendors_are_drawn_in_under_a_second() -> None:
    ids = [[n.to_bytes(16, "big") for n in range(v * 5000, v * 5000 + 5000)] for v in range(200)]
    started = time.process_time()
    populations = {_vendor(v): canonical(ids[v]) for v in range(200)}
    draw_hash({vendor: population_hash(p) for vendor, p in populations.items()})
    shares = quotas(dict.fromkeys(populations, 5000), 10_000)
    drawn = [draw(populations[v], quota, SEED, v) for v, quota in shares.items()]
    assert time.process_time() - started < 1
    assert sum(map(len, drawn)) == 10_000
