"""Method /2 of the draw: strata and weights, to the bit and without bias (A3)."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.cases import strata

SEED = bytes(range(32))
entries = st.dictionaries(
    st.binary(min_size=16, max_size=16),
    st.tuples(st.integers(0, 5), st.integers(1, 6)),
    min_size=1,
    max_size=60,
)


def made(*marks: tuple[int, int]) -> strata.Members:
    """A population of cases with these strata and weights, by position."""
    return strata.members(
        strata.packed((n.to_bytes(16, "big"), stratum, w) for n, (stratum, w) in enumerate(marks))
    )


@pytest.mark.parametrize(
    ("marks", "quota", "expected"),
    [
        # 60 and 40 cases alike: in proportion.
        ([(0, 1)] * 60 + [(1, 1)] * 40, 10, {0: 6, 1: 4}),
        # Ten suspended ones of weight 3 count as thirty: 30 / (30 + 60) of nine is three.
        ([(0, 1)] * 60 + [(1, 3)] * 10, 9, {0: 6, 1: 3}),
        # A stratum gives no more than it has; the rest goes to the others.
        ([(0, 1)] * 10 + [(1, 9)] * 3, 8, {0: 5, 1: 3}),
        ([(0, 1)] * 8 + [(1, 9), (2, 9)], 5, {0: 3, 1: 1, 2: 1}),
        # Equal remainders and sums: the smaller number first.
        ([(4, 1), (7, 1)], 1, {4: 1, 7: 0}),
        ([(0, 1)] * 3, 3, {0: 3}),
        ([(0, 1)] * 3, 0, {0: 0}),
    ],
)
def test_the_quota_is_shared_by_weight(
    marks: list[tuple[int, int]], quota: int, expected: dict[int, int]
) -> None:
    assert strata.allocation(made(*marks), quota) == expected


@given(entries, st.data())
def test_positions_fit_the_allocation(
    cases: dict[bytes, tuple[int, int]], data: st.DataObject
) -> None:
    quota = data.draw(st.integers(0, len(cases)))
    seed = data.draw(st.binary(min_size=32, max_size=32))
    found = strata.members(strata.packed((one, *marks) for one, marks in cases.items()))
    given_ = strata.allocation(found, quota)
    size = Counter(found.strata)
    assert sum(given_.values()) == quota
    assert all(0 <= part <= size[one] for one, part in given_.items())
    chosen = strata.positions(found, quota, seed, b"digest")
    assert chosen == sorted(set(chosen))
    drawn = Counter(found.strata[place] for place in chosen)
    assert {one: drawn.get(one, 0) for one in given_} == given_


def test_a_weight_makes_a_case_so_many_times_as_likely() -> None:
    """Weights 1, 1, 2 and one draw: a quarter, a quarter, a half; chi-square of 4,000 draws."""
    found = made((0, 1), (0, 1), (0, 2))
    count: Counter[int] = Counter()
    for number in range(4000):
        (place,) = strata.positions(found, 1, number.to_bytes(32, "big"), b"")
        count[place] += 1
    expected = {0: 1000, 1: 1000, 2: 2000}
    chi = sum((count[place] - n) ** 2 / n for place, n in expected.items())
    assert chi < 13.8, count  # 99.9 % of two degrees of freedom


def test_every_pair_of_equal_cases_is_equally_likely() -> None:
    found = made(*[(0, 1)] * 5)
    count: Counter[tuple[int, ...]] = Counter()
    for number in range(4000):
        count[tuple(strata.positions(found, 2, number.to_bytes(32, "big"), b""))] += 1
    chi = sum((count[pair] - 400) ** 2 / 400 for pair in combinations(range(5), 2))
    assert chi < 27.9, count  # 99.9 % of nine degrees of freedom


def test_a_fixed_draw_never_changes() -> None:
    """The method's own vector: another result means another METHOD."""
    found = made(*((n % 4, 1 + (n % 7 == 0) * 2) for n in range(500)))
    packed = strata.packed((n.to_bytes(16, "big"), n % 4, 1 + (n % 7 == 0) * 2) for n in range(500))
    digest = strata.population_hash('{"plan":1}', '["","一组"]', packed)
    assert digest.hex() == "5379763744b4f0b796f45afb2da740972f27810b64a49544c1528b8573a8e3ec"
    assert strata.positions(found, 10, SEED, digest) == [
        51,
        70,
        97,
        105,
        150,
        161,
        220,
        276,
        336,
        343,
    ]
    assert strata.replacement(found, {3, 7}, 3, SEED, digest, 1) == 159


def test_a_replacement_comes_from_the_same_stratum_while_it_has_any() -> None:
    found = made((0, 1), (0, 1), (1, 1), (1, 5))
    for number in range(1, 30):
        assert strata.replacement(found, {0}, 0, SEED, b"", number) == 1
        assert strata.replacement(found, {0, 1}, 0, SEED, b"", number) in (2, 3)
    with pytest.raises(ValueError, match="no case is left"):
        strata.replacement(found, {0, 1, 2, 3}, 0, SEED, b"", 1)


@pytest.mark.parametrize(
    "packed",
    [
        b"\x00" * 18,
        b"\x01" * 19 + b"\x00" * 18 + b"\x01",
        b"\x01" * 19 + b"\x01" * 16 + b"\x02\x02\x01",
        b"\x01" * 18 + b"\x00",
    ],
    ids=["cut", "descending", "twice", "without weight"],
)
def test_what_is_no_population(packed: bytes) -> None:
    with pytest.raises(ValueError, match="case"):
        strata.members(packed)
