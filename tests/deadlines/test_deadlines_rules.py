"""A clock's life: what it may become, how pressing it looks, when it reminds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

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

OPENED = datetime(2026, 3, 10, 2, tzinfo=UTC)
DUE = datetime(2026, 3, 12, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_only_an_open_deadline_changes() -> None:
    assert moved(DeadlineState.OPEN, DeadlineState.MET) is DeadlineState.MET
    for closed in (DeadlineState.MET, DeadlineState.BREACHED, DeadlineState.VOID):
        for to in DeadlineState:
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
