"""Amounts of money and their capital figures (大写)."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.apportion import apportion, round_to_sum
from portal.kernel.money import capital, cents

KNOWN = {
    "0": "人民币零元整",
    "0.05": "人民币伍分",
    "0.50": "人民币伍角整",
    "0.55": "人民币伍角伍分",
    "1": "人民币壹元整",
    "10": "人民币壹拾元整",
    "10.01": "人民币壹拾元零壹分",
    "100.50": "人民币壹佰元伍角整",
    "1001": "人民币壹仟零壹元整",
    "1010.10": "人民币壹仟零壹拾元壹角整",
    # The payment rules' own examples (支付结算办法, 附一).
    "1409.50": "人民币壹仟肆佰零玖元伍角整",
    "6007.14": "人民币陆仟零柒元壹角肆分",
    "1680.32": "人民币壹仟陆佰捌拾元叁角贰分",
    "107000.53": "人民币壹拾万零柒仟元伍角叁分",
    "16409.02": "人民币壹万陆仟肆佰零玖元零贰分",
    "325.04": "人民币叁佰贰拾伍元零肆分",
    # The fee statement's worked example.
    "54900.00": "人民币伍万肆仟玖佰元整",
    "10001": "人民币壹万零壹元整",
    "100000": "人民币壹拾万元整",
    "1000000": "人民币壹佰万元整",
    "10000000.01": "人民币壹仟万元零壹分",
    "100000000": "人民币壹亿元整",
    "100000001": "人民币壹亿零壹元整",
    "100005000": "人民币壹亿零伍仟元整",
    "1000010000": "人民币壹拾亿零壹万元整",
    "1010101010": "人民币壹拾亿零壹仟零壹拾万零壹仟零壹拾元整",
    "999999999999.99": "人民币玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分",
    "1000000000000": "人民币壹万亿元整",
    "1000100000000": "人民币壹万零壹亿元整",
    "1000000010000": "人民币壹万亿零壹万元整",
    "-2500.50": "人民币负贰仟伍佰元伍角整",
}


@pytest.mark.parametrize(("figures", "words"), KNOWN.items())
def test_known_amounts_in_capital_figures(figures: str, words: str) -> None:
    assert capital(figures) == words


def _read(words: str) -> int:
    """An independent reader of capital figures: the amount in fen."""
    match = re.fullmatch(r"人民币(负?)(?:(.+?)元)?零?(?:(.)角)?(?:(.)分)?整?", words)
    assert match, words
    sign, whole, jiao, fen = match.groups()
    digits = {word: value for value, word in enumerate("零壹贰叁肆伍陆柒捌玖")}
    total = section = figure = 0
    for word in whole or "":
        if word in digits:
            figure = digits[word]
        elif word in "拾佰仟":
            section += figure * 10 ** ("拾佰仟".index(word) + 1)
            figure = 0
        elif word == "万":
            total += (section + figure) * 10**4
            section = figure = 0
        else:
            total = (total + section + figure) * 10**8
            section = figure = 0
    amount = (total + section + figure) * 100 + digits[jiao or "零"] * 10 + digits[fen or "零"]
    return -amount if sign else amount


@given(st.integers(min_value=-(10**18) + 1, max_value=10**18 - 1))
def test_capital_figures_read_back_as_the_same_amount(fen: int) -> None:
    words = capital(Decimal(fen).scaleb(-2))
    assert _read(words) == fen
    assert "零零" not in words
    assert words.endswith(("整", "分"))


@given(st.lists(st.sampled_from("01"), min_size=1, max_size=16))
def test_zeros_in_every_position_read_back(figures: list[str]) -> None:
    amount = int("".join(figures))
    assert _read(capital(amount)) == amount * 100


@pytest.mark.parametrize("amount", ["1.001", "1e16", "NaN", "Infinity", "ten"])
def test_what_has_no_capital_figures_is_refused(amount: str) -> None:
    with pytest.raises(ValueError):
        capital(amount)


def test_cents_rounds_half_up_away_from_zero_and_refuses_floats() -> None:
    assert cents("2.675") == Decimal("2.68")
    assert cents("-2.675") == Decimal("-2.68")
    assert str(cents("-0.001")) == "0.00"
    assert str(cents(3)) == "3.00"
    with pytest.raises(TypeError):
        cents(2.675)  # type: ignore[arg-type]


@given(st.integers(0, 10**6), st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_shares_add_up_and_stay_within_one_unit_of_proportion(
    total: int, weights: list[int]
) -> None:
    if not sum(weights):
        weights[0] = 1
    shares = apportion(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1


@given(st.lists(st.fractions(min_value=-100, max_value=100), max_size=30))
def test_rounded_parts_add_up_to_the_rounded_whole(parts: list[Fraction]) -> None:
    whole = sum(parts, Fraction(0))
    total = Decimal(round(whole * 100)).scaleb(-2)
    rounded = round_to_sum(parts, total)
    assert sum(rounded, Decimal(0)) == total
    for part, value in zip(parts, rounded, strict=True):
        assert abs(Fraction(value) - part) < Fraction(1, 100)
