"""A clock's life: what it may become, how pressing it looks, when it reminds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask_babel import force_locale

from portal.calendar.rules import Remaining
from portal.deadlines.queries import remaining_text, why_lines
from portal.deadlines.rules import (
    DeadlineState,
    Moment,
    Tone,
    moved,
    reminders,
    reminders_due,
    state_when_met,
    tone,
)
from portal.kernel.errors import Conflict
from tests.conftest import Portal

OPENED = datetime(2026, 3, 10, 2, tzinfo=UTC)
DUE = datetime(2026, 3, 12, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_only_an_open_deadline_changes_and_one_that_was_met_may_run_again() -> None:
    assert moved(DeadlineState.OPEN, DeadlineState.MET) is DeadlineState.MET
    assert moved(DeadlineState.MET, DeadlineState.OPEN) is DeadlineState.OPEN
    for closed in (DeadlineState.MET, DeadlineState.BREACHED, DeadlineState.VOID):
        for to in set(DeadlineState) - ({DeadlineState.OPEN} if closed == "met" else set()):
            with pytest.raises(Conflict):
                moved(closed, to)


def test_the_last_moment_is_in_time() -> None:
    assert state_when_met(DUE, DUE) is DeadlineState.MET
    late = DUE + timedelta(microseconds=1)
    assert state_when_met(DUE, late) is DeadlineState.BREACHED


@pytest.mark.parametrize(
    ("before", "target_before", "expected"),
    [
        (30 * HOUR, None, Tone.CALM),
        (24 * HOUR, None, Tone.SOON),
        (4 * HOUR, None, Tone.URGENT),
        (0 * HOUR, None, Tone.URGENT),
        (-HOUR / 60, None, Tone.OVERDUE),
        # A5: past the target of 3 working days, two days before the breach at 5.
        (47 * HOUR, 48 * HOUR, Tone.SOON),
        (49 * HOUR, 48 * HOUR, Tone.CALM),
    ],
)
def test_tone(before: timedelta, target_before: timedelta | None, expected: Tone) -> None:
    target = DUE - target_before if target_before else None
    assert tone(DUE - before, DUE, target) is expected


def test_reminders_come_at_issue_before_and_at_the_deadline() -> None:
    assert [(r.moment.value, (r.at - OPENED) // HOUR) for r in reminders(OPENED, DUE)] == [
        ("issue", 0),
        ("24h", 32),
        ("4h", 52),
        ("due", 56),
    ]


def test_a_clock_shorter_than_a_day_skips_what_would_come_before_its_issue() -> None:
    moments = [r.moment for r in reminders(OPENED, OPENED + 4 * HOUR)]
    assert moments == [Moment.ISSUE, Moment.DUE]


def test_after_an_outage_everything_missed_is_due_once() -> None:
    due = reminders_due(OPENED, DUE, ["issue"], DUE - HOUR)
    assert [r.moment for r in due] == [Moment.DAY_BEFORE, Moment.HOURS_BEFORE]
    assert reminders_due(OPENED, DUE, ["issue", "24h", "4h"], DUE - HOUR) == ()


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (Remaining(2, 3, 20, overdue=False), "2 working days 3 h"),
        (Remaining(1, 0, 59, overdue=False), "1 working day"),
        (Remaining(0, 3, 0, overdue=False), "3 h 0 min"),
        (Remaining(0, 0, 42, overdue=False), "42 min"),
        (Remaining(1, 7, 0, overdue=True), "late by 1 working day 7 h"),
        (Remaining(2, 0, 10, overdue=True), "late by 2 working days"),
        (Remaining(0, 0, 1, overdue=True), "late by 1 min"),
    ],
)
def test_no_hours_are_not_said(left: Remaining, text: str) -> None:
    assert str(remaining_text(left)) == text


def test_the_days_of_a_reason_are_written_as_the_reader_writes_them(portal: Portal) -> None:
    """UX 1: the same stored days in each language."""
    days = [
        {"day": "2026-11-03", "kind": "working", "name": "", "counted": 0},
        {"day": "2026-11-07", "kind": "weekend", "name": "", "counted": 0},
    ]
    moved = {"from": "2026-11-05T10:00:00+00:00", "by": "李", "reason": "停电"}
    lines = why_lines({"days": days, "extended": [moved]})
    with portal.app.test_request_context(), force_locale("zh_Hans_CN"):
        said = [str(line) for line in lines]
    assert "2026年11月3日 周二" in said[0] and "2026年11月7日 周六" in said[1]
    assert "2026年11月5日 周四 18:00" in said[-1]
    with portal.app.test_request_context(), force_locale("en"):
        assert str(lines[1]) == "Sat 7 Nov 2026 does not count: weekend"
