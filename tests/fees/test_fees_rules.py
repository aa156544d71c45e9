"""The fee statement (C2.4, C7, A7): the worked example to the cent, and what always holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.fees.defaults import DEFAULT_FEE_SCHEME, default_fee_scheme
from portal.fees.reasons import sentence
from portal.fees.rules import (
    Adjustment,
    Deduction,
    Earning,
    LineKind,
    Month,
    Reversal,
    Reward,
    Statement,
    settle,
)
from portal.fees.scheme import parse_fee_scheme
from portal.fees.snapshot import freeze, thaw
from portal.kernel.content import ContentError
from portal.kernel.errors import Invalid
from portal.scoring.facts import Link


def _link() -> Link:
    return Link("fact", uuid4())


def _earning(
    receipts: str, *, age: str = "M3", entrusted: str = "5000000", target: str | None = None
) -> Earning:
    rate = Decimal(target) if target else None
    return Earning(_link(), "P1", age, 100, Decimal(entrusted), Decimal(receipts), rate)


def _deduction(amount: str, *, red_line: bool = False) -> Deduction:
    return Deduction(_link(), Decimal(amount), red_line, {"clause": "301"})


def _amounts(statement: Statement, *kinds: LineKind) -> list[str]:
    return [str(line.amount) for line in statement.lines if line.kind in kinds]


def test_the_worked_example_to_the_cent() -> None:
    """M3 500,000 x 12 % x 1.00 x 0.95 - 2,500 + 2 x 200 = 54,900.00, at 6 % tax."""
    month = Month(
        factor=Decimal("0.95"),
        grade="B",
        score=_link(),
        earnings=[_earning("500000.00", target="0.12")],  # 83 % of the target
        deductions=[_deduction("2000.00"), _deduction("500.00")],
        rewards=[Reward(_link()), Reward(_link())],
    )
    statement = settle(DEFAULT_FEE_SCHEME, month)
    assert [(line.kind.value, str(line.amount)) for line in statement.lines] == [
        ("commission", "60000.00"),
        ("tier", "0.00"),
        ("factor", "-3000.00"),
        ("deduction", "-2000.00"),
        ("deduction", "-500.00"),
        ("reward", "200.00"),
        ("reward", "200.00"),
    ]
    assert [str(sentence(line)) for line in statement.lines[:4]] == [
        "P1 M3: 500,000.00 × 12%",
        "83.33% of the target reached: × 1.00",
        "Assessment grade B: × 0.95",
        "Contractual deduction under clause 301",
    ]
    assert str(statement.commission) == "60000.00"
    assert str(statement.fee) == "57000.00"
    assert str(statement.payable) == "54900.00"
    assert (str(statement.net), str(statement.tax)) == ("51792.45", "3107.55")
    assert statement.capital == "人民币伍万肆仟玖佰元整"


def test_a_deduction_says_what_for() -> None:
    """Finance sees no audit pages: the line itself names clause, case and form."""
    params = {"clause": "301", "text": "言语不文明", "case_no": "HC-1", "form": "JH-HC-2026-0001"}
    month = Month(
        Decimal(1),
        earnings=[_earning("500000.00", target="0.12")],
        deductions=[Deduction(_link(), Decimal("500.00"), False, params)],
    )
    (line,) = [
        line for line in settle(DEFAULT_FEE_SCHEME, month).lines if line.kind.value == "deduction"
    ]
    assert str(sentence(line)) == "Clause 301, 言语不文明: case HC-1, form JH-HC-2026-0001"


@pytest.mark.parametrize(
    ("age", "commission"),
    [
        ("M1", "40000.00"),
        ("M2", "80000.00"),
        ("M3", "120000.00"),
        ("M4", "160000.00"),
        ("M5", "200000.00"),
        ("M6", "240000.00"),
        ("M6+", "300000.00"),
        ("written_off", "350000.00"),
    ],
)
def test_commission_by_age(age: str, commission: str) -> None:
    statement = settle(DEFAULT_FEE_SCHEME, Month(Decimal(1), earnings=[_earning("1e6", age=age)]))
    assert str(statement.payable) == commission


@pytest.mark.parametrize(
    ("receipts", "whole", "slices"),
    [
        # Target 100,000, M3 at 12 %. Whole: the tier reached; slices: each part by its own.
        ("79999.99", "8640.00", "8640.00"),
        ("80000.00", "9600.00", "8640.00"),
        ("99999.99", "12000.00", "11040.00"),
        ("100000.00", "13200.00", "11040.00"),
        ("120000.00", "16560.00", "13680.00"),
        ("150000.00", "20700.00", "17820.00"),
        ("0", "0.00", "0.00"),
    ],
)
def test_tiers_by_target_attainment(receipts: str, whole: str, slices: str) -> None:
    content: dict[str, Any] = default_fee_scheme()
    content["tiers"]["mode"] = "slices"
    month = Month(Decimal(1), earnings=[_earning(receipts, entrusted="1000000", target="0.1")])
    assert str(settle(DEFAULT_FEE_SCHEME, month).payable) == whole
    assert str(settle(parse_fee_scheme(content), month).payable) == slices


def test_attainment_is_that_of_the_month_over_all_bands() -> None:
    earnings = [
        _earning("120000", age="M1", entrusted="1000000", target="0.1"),
        _earning("40000", age="M2", entrusted="1000000", target="0.1"),
    ]
    statement = settle(DEFAULT_FEE_SCHEME, Month(Decimal(1), earnings=earnings))
    assert (str(statement.attainment), str(statement.total(LineKind.TIER))) == ("0.8000", "0.00")
    without = [_earning("120000", age="M1")]
    statement = settle(DEFAULT_FEE_SCHEME, Month(Decimal(1), earnings=without))
    assert statement.attainment is None and statement.multiplier == 1


def test_deductions_take_at_most_30_percent_of_the_fee_and_red_lines_stand_apart() -> None:
    month = Month(
        Decimal("0.70"),
        earnings=[_earning("100000")],  # 12,000; the fee is 8,400 and the limit 2,520
        deductions=[_deduction("2000"), _deduction("10000", red_line=True), _deduction("1000.01")],
    )
    statement = settle(DEFAULT_FEE_SCHEME, month)
    ordinary = _amounts(statement, LineKind.DEDUCTION)
    assert (ordinary, _amounts(statement, LineKind.DEDUCTION_CAP)) == (
        ["-2000.00", "-1000.01"],
        ["480.01"],
    )
    assert _amounts(statement, LineKind.RED_LINE) == ["-10000.00"]
    # The vendor owes: the amount goes on as an adjustment of the next month.
    assert str(statement.payable) == "-4120.00"
    assert statement.capital == "人民币负肆仟壹佰贰拾元整"
    assert statement.net + statement.tax == statement.payable


def test_a_reversal_takes_back_what_was_paid_for_it_then() -> None:
    back = Reversal(
        _link(), Decimal("3333.33"), Decimal("0.12"), Decimal("1.10"), Decimal("0.95"), "2026-07"
    )
    month = Month(
        Decimal("0.70"),
        earnings=[_earning("10000")],
        reversals=[back],
        adjustments=[Adjustment(_link(), Decimal("-12.50"), "2026-06")],
    )
    statement = settle(DEFAULT_FEE_SCHEME, month)
    assert _amounts(statement, LineKind.REVERSAL) == ["-418.00"]  # 417.99958…
    assert str(statement.payable) == "409.50"  # 840.00 - 418.00 - 12.50


def test_an_age_without_a_rate_is_refused() -> None:
    with pytest.raises(Invalid, match="M9"):
        settle(DEFAULT_FEE_SCHEME, Month(Decimal(1), earnings=[_earning("1", age="M9")]))


def test_unsound_terms_say_everything_that_is_wrong() -> None:
    content: dict[str, Any] = default_fee_scheme()
    content["bands"][1]["from_days"] = 32
    content["bands"][3]["age"] = "M3"
    content["tiers"]["steps"][0]["from"] = "0.5"
    with pytest.raises(ContentError) as refusal:
        parse_fee_scheme(content)
    assert str(refusal.value).splitlines() == [
        "M3 is there twice.",
        "The age band M2 must begin on the day after M1 ends.",
        "The tiers must begin at 0 and rise.",
    ]
    content["tax_rate"] = 0.06
    with pytest.raises(ContentError, match="tax_rate must be a number from 0 to 1"):
        parse_fee_scheme(content)


# --- what holds for every statement --------------------------------------------------------------

money = st.decimals(Decimal("0.01"), 10**7, places=2)
rates = st.decimals(0, 1, places=4)
earnings = st.builds(
    Earning,
    st.builds(_link),
    st.just("P"),
    st.sampled_from(sorted(DEFAULT_FEE_SCHEME.bands)),
    st.integers(0, 999),
    money,
    st.decimals(-(10**5), 10**7, places=2),
    st.none() | rates,
)
deductions = st.builds(Deduction, st.builds(_link), money, st.booleans())
reversals = st.builds(Reversal, st.builds(_link), money, rates, rates, rates, st.just("2026-07"))
months = st.builds(
    Month,
    st.sampled_from([Decimal(f) for f in ("1.00", "0.95", "0.85", "0.70")]),
    st.just("A"),
    st.none(),
    st.lists(earnings, max_size=8),
    st.lists(deductions, max_size=6),
    st.lists(st.builds(Reward, st.builds(_link)), max_size=3),
    st.lists(reversals, max_size=3),
)


def _linked(kinds: Sequence[LineKind], statement: Statement) -> bool:
    return all(line.link is not None for line in statement.lines if line.kind in kinds)


@given(months, st.sampled_from(["whole", "slices"]))
def test_lines_add_up_and_link_to_their_facts(month: Month, mode: str) -> None:
    content: dict[str, Any] = default_fee_scheme()
    content["tiers"]["mode"] = mode
    statement = settle(parse_fee_scheme(content), month)
    assert statement.payable == sum((line.amount for line in statement.lines), Decimal(0))
    assert statement.fee == statement.total(LineKind.COMMISSION, LineKind.TIER, LineKind.FACTOR)
    assert statement.net + statement.tax == statement.payable
    taken = -statement.total(LineKind.DEDUCTION, LineKind.DEDUCTION_CAP)
    limit = max(Decimal(0), statement.fee * Decimal("0.30")) + Decimal("0.005")
    assert 0 <= taken <= limit
    assert all(line.amount == round(line.amount, 2) for line in statement.lines)
    facts = (LineKind.COMMISSION, LineKind.DEDUCTION, LineKind.RED_LINE, LineKind.REWARD)
    assert _linked(facts, statement)
    assert all("%(" not in str(sentence(line)) for line in statement.lines)
    assert thaw(json.loads(json.dumps(freeze(statement)))) == statement


@given(st.lists(earnings, max_size=6))
def test_slices_never_pay_more_than_the_whole_where_multipliers_rise(
    earned: list[Earning],
) -> None:
    content: dict[str, Any] = default_fee_scheme()
    content["tiers"]["mode"] = "slices"
    positive = [e for e in earned if e.receipts >= 0]
    month = Month(Decimal(1), earnings=positive)
    slices = settle(parse_fee_scheme(content), month)
    assert slices.payable <= settle(DEFAULT_FEE_SCHEME, month).payable
