"""Cells as people and Excel really fill them, and what is made of each."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.files.cells import (
    Bad,
    Book,
    CardNumber,
    Cell,
    Choice,
    Date,
    DateTime,
    Integer,
    Money,
    Option,
    Parser,
    Percent,
    Phone,
    Text,
    normal_phone,
)

BOOK = Book()
DAY = date(2026, 11, 3)
CHOICE = Choice((Option("kept", "留案", "Kept", hant="留案", others=("保留",)),))


@pytest.mark.parametrize(
    ("parser", "cell", "value"),
    [
        (Text(), "  HC-1\u200b\ufeff ", "HC-1"),
        (Text(), "一\r\n二", "一\n二"),
        (Text(), 20260001.0, "20260001"),
        (Integer(), "1,234", 1234),
        (Integer(), 45.0, 45),
        (Integer(), "45.0", 45),
        (Money(), 0.1 + 0.2, Decimal("0.30")),
        (Money(), "1,234.50", Decimal("1234.50")),
        (Money(), " ¥12.5 元", Decimal("12.50")),
        (Money(), 1234567.89, Decimal("1234567.89")),
        (Money(), 0, Decimal("0.00")),
        (Percent(), 0.125, Decimal("0.125")),
        (Percent(), "12.5 %", Decimal("0.125")),
        (Percent(), 1, Decimal(1)),
        (Date(), datetime(2026, 11, 3, 23, 59, 59, 600_000), date(2026, 11, 4)),
        (Date(), "2026年11月3日", DAY),
        (Date(), "２０２６－１１－０３", DAY),
        (Date(), 46329.25, DAY),
        (DateTime(), DAY, datetime(2026, 11, 2, 16, tzinfo=UTC)),
        (DateTime(), "2026-11-03T14:22:33", datetime(2026, 11, 3, 6, 22, 33, tzinfo=UTC)),
        (DateTime(), "2026年11月3日 14时22分33秒", datetime(2026, 11, 3, 6, 22, 33, tzinfo=UTC)),
        (DateTime(), "2026/11/3 9:05", datetime(2026, 11, 3, 1, 5, tzinfo=UTC)),
        (CHOICE, " kept", "kept"),
        (CHOICE, "保留", "kept"),
        (CardNumber(), "6225 8801 2345 6789", "6225880123456789"),
        (CardNumber(), "0012-3456-7890", "001234567890"),
        (Phone(), 13800001234.0, "13800001234"),
        (Phone(), "+86 138-0000-1234", "13800001234"),
        (Phone(), "013800001234", "13800001234"),
        (Phone(), "(021)5555 1234转801", "02155551234-801"),
        (Phone(), "0755-1234567-801", "07551234567-801"),
        (Phone(), 2155551234, "02155551234"),
        (Phone(), "400-123-4567", "4001234567"),
    ],
)
def test_what_is_understood(parser: Parser, cell: Cell, value: Any) -> None:
    assert parser.parse(cell, BOOK) == value


@pytest.mark.parametrize(
    ("parser", "cell", "code"),
    [
        (Text(5), "123456", "text_too_long"),
        (Text(), "a\x07b", "text_control"),
        (Text(), 6.22588012345678e18, "number_too_long"),
        (Text(), DAY, "date_in_text"),
        (Text(), True, "not_text"),
        (Integer(), True, "not_integer"),
        (Integer(), "1e3", "not_integer"),
        (Integer(), 1.5, "not_integer"),
        (Integer(1), 0, "too_small"),
        (Integer(0, 9), 10, "too_big"),
        (Money(), "NaN", "not_money"),
        (Money(), "1.234,50", "not_money"),
        (Money(), "12,34", "not_money"),
        (Money(), 1000 / 3, "money_decimals"),
        (Money(), "-1", "too_small"),
        (Money(), DAY, "not_money"),
        (Percent(), 12.5, "percent_unclear"),
        (Percent(), "12.5", "percent_unclear"),
        (Percent(), "101%", "too_big"),
        (Date(), "03/11/26", "date_unclear"),
        (Date(), "11/3/2026", "date_unclear"),
        (Date(), "26-11-03", "date_unclear"),
        (Date(), "2026-02-30", "not_date"),
        (Date(), "20261303", "not_date"),
        (Date(), 3.5, "not_date"),
        (Date(), time(14, 22), "not_date"),
        (Date(), timedelta(hours=30), "not_date"),
        (Date(), "1926-11-03", "too_small"),
        (DateTime(), "2026-11-03 25:00", "not_date"),
        (CHOICE, "在案", "not_choice"),
        (CardNumber(), 6225880123456789.0, "card_is_number"),
        (CardNumber(), 123456789012, "card_is_number"),
        (CardNumber(), "6.22588E+15", "card_is_number"),
        (CardNumber(), "6225****6789", "not_card"),
        (CardNumber(), "62258", "not_card"),
        (Phone(), "12345678901", "not_phone"),
        (Phone(), "5555 1234", "not_phone"),
        (Phone(), "1.38E+10", "not_phone"),
    ],
)
def test_what_is_refused(parser: Parser, cell: Cell, code: str) -> None:
    with pytest.raises(Bad) as caught:
        parser.parse(cell, BOOK)
    assert caught.value.code == code


def test_day_numbers_count_from_the_workbooks_own_first_day() -> None:
    assert Date().parse(46329, Book()) == DAY
    assert Date().parse(44867, Book(date1904=True)) == DAY


@given(st.one_of(st.text(), st.floats(allow_nan=False, allow_infinity=False), st.integers()))
def test_no_cell_makes_a_parser_fall(cell: Cell) -> None:
    parsers = (Text(), Integer(), Money(), Percent(), Date(), DateTime(), CHOICE, CardNumber())
    for parser in (*parsers, Phone()):
        try:
            parser.parse(cell, BOOK)
        except Bad as bad:
            assert bad.code


@given(st.decimals(0, 99_999_999, places=2))
def test_amounts_survive_excels_floats(amount: Decimal) -> None:
    assert Money().parse(float(amount), BOOK) == amount


@given(st.text("0123456789-+() 转x", max_size=24))
def test_a_normal_phone_number_is_its_own_normal_form(text: str) -> None:
    phone = normal_phone(text)
    assert phone is None or normal_phone(phone) == phone
