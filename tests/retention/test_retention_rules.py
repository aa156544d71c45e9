"""When the time of a thing is over: worked examples and properties, without a database."""

from __future__ import annotations

import copy
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.retention.kinds import DataClass
from portal.retention.rules import later, parse_terms, standing
from portal.retention.scheme import default_content

DAYS = st.dates(date(2020, 1, 1), date(2060, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        (date(2026, 11, 10), 60, date(2031, 11, 10)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2026, 12, 31), 1, date(2027, 1, 31)),
    ],
)
def test_the_same_day_months_later(day: date, months: int, expected: date) -> None:
    assert later(day, months) == expected


@given(DAYS, st.integers(1, 600), st.integers(1, 600))
def test_later_is_later_and_adds_up(day: date, first: int, second: int) -> None:
    assert later(day, first) > day
    there, at_once = later(later(day, first), second), later(day, first + second)
    assert timedelta() <= at_once - there <= timedelta(days=3)


@given(DAYS, DAYS, st.booleans(), st.booleans())
def test_nothing_held_or_wanted_is_ever_due(
    expires: date, today: date, held: bool, wanted: bool
) -> None:
    found = standing(expires, today, 60, held=held, wanted=wanted)
    assert (found == "due") == (expires <= today and not held and not wanted)
    assert (found == "") == (expires > today + timedelta(days=60))


def test_the_default_is_sound_and_a_gap_is_not() -> None:
    content = default_content()
    terms = parse_terms(content)
    assert (terms.jurisdiction, set(terms.months)) == ("CN", set(DataClass))
    assert terms.expires_on(DataClass.CALL_RECORDING, date(2026, 11, 10)) == date(2031, 11, 10)
    parse_terms({**content, "jurisdiction": "TW"})
    for fault, said in (
        ({"jurisdiction": "HK"}, "HK: no rule for"),
        ({"warn_days": 0}, "warn_days"),
    ):
        with pytest.raises(ValueError, match=said):
            parse_terms({**content, **fault})
    for key, value, said in (
        ("months", 0, "months"),
        ("authority", " ", "authority"),
        ("class", "case_data", "stands twice"),
    ):
        broken = copy.deepcopy(content)
        broken["rules"][0][key] = value
        with pytest.raises(ValueError, match=said):
            parse_terms(broken)
