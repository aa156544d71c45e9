"""Working days: Beijing's calendar with its make-up days (调休), as design.md's Conventions say."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.calendar.defaults import announced, default_exceptions
from portal.calendar.rules import (
    DayKind,
    Due,
    Remaining,
    WorkingCalendar,
    YearNotConfirmed,
    hours_after,
)
from portal.kernel.clock import at_beijing, beijing

CALENDAR = WorkingCalendar(
    exceptions={**default_exceptions(2025), **default_exceptions(2026)},
    confirmed=frozenset({2025, 2026}),
)


def _at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return at_beijing(date(2026, month, day), hour, minute)


def _reads(due: Due) -> str:
    return f"{beijing(due.due_at):%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("issued", "days", "due"),
    [
        # An ordinary Tuesday: Wednesday and Thursday count.
        (_at(3, 10, 9), 2, "03-12 18:00"),
        # After hours is still that day; one minute after midnight in Beijing is the next.
        (_at(3, 10, 23, 59), 2, "03-12 18:00"),
        (_at(3, 11, 0, 1), 2, "03-13 18:00"),
        # Over a weekend.
        (_at(3, 13, 10), 2, "03-17 18:00"),
        # National Day 2026: 1-7 October off, Saturday 10 October worked.
        (_at(9, 30, 10), 2, "10-09 18:00"),
        (_at(10, 3, 10), 3, "10-10 18:00"),
        (_at(10, 8, 10), 2, "10-10 18:00"),
        # Sunday 20 September is worked for it; Friday 25 is Mid-Autumn.
        (_at(9, 18, 10), 1, "09-20 18:00"),
        (_at(9, 23, 10), 2, "09-28 18:00"),
        # Spring Festival 2026: 16-23 February off, Saturdays 14 and 28 worked.
        (_at(2, 13, 16), 2, "02-24 18:00"),
        (_at(2, 26, 9), 2, "02-28 18:00"),
        # Issued on a make-up day: the day itself does not count.
        (_at(2, 14, 9), 2, "02-25 18:00"),
    ],
)
def test_worked_examples_of_due_dates(issued: datetime, days: int, due: str) -> None:
    assert _reads(CALENDAR.due_after(issued, days)) == due


def test_a_due_date_explains_every_day_that_did_not_count() -> None:
    due = CALENDAR.due_after(_at(9, 30, 10), 2)
    assert [(n.day.day, n.kind.value, n.name) for n in due.skipped] == [
        (1, "holiday", "国庆节"),
        (2, "holiday", "国庆节"),
        (3, "holiday", "国庆节"),
        (4, "weekend", ""),
        (5, "holiday", "国庆节"),
        (6, "holiday", "国庆节调休"),
        (7, "holiday", "国庆节调休"),
    ]
    assert [(n.day.day, n.counted) for n in due.why if n.counted] == [(8, 1), (9, 2)]
    assert due.why[0].day == date(2026, 9, 30)


def test_make_up_days_are_taken_from_the_announcement_and_named_by_their_feast() -> None:
    make_up = {
        day: note.name
        for day, note in default_exceptions(2026).items()
        if note.kind is DayKind.MAKE_UP
    }
    assert make_up == {
        date(2026, 1, 4): "元旦调休上班",
        date(2026, 2, 14): "春节调休上班",
        date(2026, 2, 28): "春节调休上班",
        date(2026, 5, 9): "劳动节调休上班",
        date(2026, 9, 20): "国庆节调休上班",
        date(2026, 10, 10): "国庆节调休上班",
    }
    # Worked for the New Year of 2007, so it belongs to 2006.
    assert default_exceptions(2006)[date(2006, 12, 30)].kind is DayKind.MAKE_UP
    assert default_exceptions(2025)[date(2025, 10, 8)].name == "国庆节、中秋节调休"
    assert announced(2026)


def test_working_days_of_2026_are_as_many_as_the_announcement_leaves() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    # 261 weekdays, less 19 on which nobody works, plus 6 weekend days worked.
    assert sum(CALENDAR.kind(day).counts for day in days) == 261 - 19 + 6


def test_a_year_that_nobody_confirmed_gives_no_date() -> None:
    with pytest.raises(YearNotConfirmed) as refusal:
        CALENDAR.due_after(_at(12, 31, 10), 1)
    assert refusal.value.year == 2027
    assert "2027" in str(refusal.value)
    assert "confirm the year" in str(refusal.value.mend)


def test_years_to_confirm_are_warned_of_sixty_days_ahead() -> None:
    assert CALENDAR.years_to_confirm(date(2026, 11, 1)) == ()
    assert CALENDAR.years_to_confirm(date(2026, 11, 2)) == (2027,)
    assert CALENDAR.years_to_confirm(date(2027, 11, 2)) == (2027, 2028)


@pytest.mark.parametrize(
    ("now", "remaining"),
    [
        (_at(3, 10, 10), Remaining(2, 8, 0, False)),
        (_at(3, 10, 20), Remaining(2, 0, 0, False)),
        (_at(3, 12, 0), Remaining(1, 0, 0, False)),
        (_at(3, 12, 10, 30), Remaining(0, 7, 30, False)),
        (_at(3, 12, 18), Remaining(0, 0, 0, False)),
        (_at(3, 12, 18, 45), Remaining(0, 0, 45, True)),
        (_at(3, 16, 18), Remaining(2, 0, 0, True)),
    ],
)
def test_what_remains_until_thursday_evening(now: datetime, remaining: Remaining) -> None:
    assert CALENDAR.remaining(now, _at(3, 12, 18)) == remaining


def test_a_clock_of_real_hours_runs_through_the_night_and_the_holiday() -> None:
    due = hours_after(_at(10, 1, 22), 8).due_at
    assert due == _at(10, 2, 6)
    assert CALENDAR.remaining(_at(10, 1, 23), due) == Remaining(0, 7, 0, False)


@pytest.mark.parametrize(
    ("delivered", "late"),
    [
        (_at(9, 30, 18), 0),
        (_at(9, 30, 18, 1), 1),
        (_at(10, 7, 12), 1),
        (_at(10, 8, 9), 1),
        (_at(10, 9, 9), 2),
        (_at(10, 10, 9), 3),
        (_at(10, 11, 9), 3),
        (_at(10, 12, 9), 4),
    ],
)
def test_lateness_counts_each_working_day_begun(delivered: datetime, late: int) -> None:
    assert CALENDAR.working_days_late(_at(9, 30, 18), delivered) == late


moments = st.datetimes(datetime(2025, 1, 1), datetime(2026, 11, 1)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)


@given(moments, st.integers(1, 15))
def test_due_dates_are_working_days_that_grow_with_the_count(issued: datetime, days: int) -> None:
    due = CALENDAR.due_after(issued, days)
    last = CALENDAR.local_day(due.due_at)
    assert CALENDAR.kind(last).counts
    assert sum(1 for note in due.why if note.counted) == days
    assert CALENDAR.due_after(issued, days + 1).due_at > due.due_at
    assert CALENDAR.working_days_late(due.due_at, due.due_at) == 0
    left = CALENDAR.remaining(issued, due.due_at)
    assert not left.overdue
    assert days - 1 <= left.working_days <= days + 1


@given(moments, st.integers(1, 10), st.lists(st.integers(0, 14 * 24 * 60), min_size=2, max_size=2))
def test_what_remains_never_grows_while_time_passes(
    issued: datetime, days: int, minutes: list[int]
) -> None:
    due_at = CALENDAR.due_after(issued, days).due_at
    earlier, later = (issued + timedelta(minutes=m) for m in sorted(minutes))
    if later <= due_at:
        first, second = (CALENDAR.remaining(m, due_at) for m in (earlier, later))
        assert (second.working_days, second.hours, second.minutes) <= (
            first.working_days,
            first.hours,
            first.minutes,
        )
