"""The penalty clauses: the shipped catalogue, its checks, repetition and merging (A5)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.content import ContentError
from portal.kernel.errors import Invalid
from portal.vendors.clauses import (
    DEFAULT_CATALOGUE,
    Level,
    Unit,
    default_catalogue,
    heaviest,
    months_later,
    parse_catalogue,
)

DAY = date(2026, 8, 31)


def test_the_shipped_catalogue_holds_the_clauses_and_outcomes_of_the_defaults() -> None:
    clauses = DEFAULT_CATALOGUE.clauses
    assert Counter(clause.level.chinese for clause in clauses.values()) == {
        "轻微": 3,
        "一般": 10,
        "严重": 9,
        "红线": 6,
    }
    assert clauses["402"].text == "第三人未明确表示代偿而透露欠款信息"
    assert (clauses["402"].points, str(clauses["402"].deduction)) == (10, "3000.00")
    assert (clauses["601"].unit, clauses["606"].unit) == (Unit.ITEM_DAY, Unit.PERSON)
    assert [no for no, clause in clauses.items() if clause.damages] == ["502"]
    assert [outcome.text for outcome in DEFAULT_CATALOGUE.outcomes.values()] == [
        "警告",
        "严重警告",
        "按条款处罚 + 整改",
        "按条款处罚 + 上报总经办",
    ]


@pytest.mark.parametrize(
    ("on", "earlier", "repeated"),
    [
        (DAY, [], False),
        # Six months after 28 February is 28 August; after 31 August, the last of February.
        (date(2026, 8, 28), [date(2026, 2, 28)], True),
        (date(2026, 8, 29), [date(2026, 2, 28)], False),
        (date(2027, 2, 28), [DAY], True),
        (date(2027, 3, 1), [DAY], False),
        (DAY, [DAY], True),
        (DAY, [date(2026, 9, 1)], False),  # what came later does not repeat
        (DAY, [date(2025, 1, 1), date(2026, 5, 5)], True),
    ],
)
def test_repetition_within_six_months(on: date, earlier: list[date], repeated: bool) -> None:
    judged = DEFAULT_CATALOGUE.judge("301", on, earlier)
    expected = (Level.SERIOUS, 6) if repeated else (Level.ORDINARY, 3)
    assert (judged.level, judged.points) == expected
    assert judged.repeated is repeated
    assert str(judged.deduction) == "500.00"


def test_a_red_line_stays_one_and_points_double_once() -> None:
    judged = DEFAULT_CATALOGUE.judge("303", DAY, [DAY, DAY, DAY])
    assert (judged.level, judged.points) == (Level.RED_LINE, 40)


def test_one_call_is_judged_once_by_its_heaviest_clause() -> None:
    clauses = DEFAULT_CATALOGUE.clauses
    assert heaviest(clauses[no] for no in ("301", "403", "402", "302")).no == "402"
    assert heaviest(clauses[no] for no in ("402", "303")).no == "303"
    assert heaviest(clauses[no] for no in ("302", "203")).no == "203"


def test_an_unknown_clause_is_refused() -> None:
    with pytest.raises(Invalid, match="no clause 999"):
        DEFAULT_CATALOGUE.get("999")


def test_every_mistake_of_an_edited_catalogue_is_named_with_its_place() -> None:
    content: dict[str, Any] = default_catalogue()
    content["clauses"][0]["level"] = "mild"
    content["clauses"][1]["points"] = 1.5
    content["clauses"][2]["no"] = "101"
    content["clauses"][3]["deduction"] = "-1"
    content["clauses"][4]["penalty"] = 3
    del content["clauses"][5]["text"]
    content["repetition"]["months"] = "six"
    with pytest.raises(ContentError) as refusal:
        parse_catalogue(content)
    messages = str(refusal.value).splitlines()
    assert messages == [
        "clauses[1].level must be one of: minor, ordinary, serious, red_line.",
        "clauses[2].points must be a number from 0 to 100 with at most 0 decimals.",
        "Clause 101 is there twice.",
        "clauses[4].deduction must be a number from 0 to 10000000 with at most 2 decimals.",
        "clauses[5].penalty is not known here.",
        "clauses[6].text is missing.",
        "repetition.months must be a number from 0 to 60 with at most 0 decimals.",
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["clauses", "outcomes", "repetition", "no"]), inner)
        ),
    )
)
def test_content_of_any_shape_is_refused_and_never_crashes(content: Any) -> None:
    with pytest.raises(ContentError):
        parse_catalogue(content)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(0, 60))
def test_months_later_lands_in_the_right_month(day: date, months: int) -> None:
    later = months_later(day, months)
    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day <= day.day
