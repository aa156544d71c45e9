"""What a deadline may become, how pressing it is, and when to remind of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from portal.calendar.rules import Due, WorkingCalendar
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import When, phrase

URGENT = timedelta(hours=4)
SOON = timedelta(hours=24)


class DeadlineState(StrEnum):
    """Open, met in time, breached (its `met_at` says when it was met late, if ever), or void."""

    OPEN = "open"
    MET = "met"
    BREACHED = "breached"
    VOID = "void"


class ExtensionState(StrEnum):
    """延期申请: asked for by the vendor, then granted or refused by the company."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


# A breach stays on record, and what was cancelled does not run again: a returned answer opens
# another deadline. What was met runs again when more turns out to be owed on it. Only an extension
# that was asked for in time changes what is a breach (`state_when_moved`).
TRANSITIONS: Mapping[DeadlineState, frozenset[DeadlineState]] = MappingProxyType(
    {
        DeadlineState.OPEN: frozenset(
            {DeadlineState.MET, DeadlineState.BREACHED, DeadlineState.VOID}
        ),
        DeadlineState.MET: frozenset({DeadlineState.OPEN}),
        DeadlineState.BREACHED: frozenset(),
        DeadlineState.VOID: frozenset(),
    }
)


def moved(state: DeadlineState, to: DeadlineState) -> DeadlineState:
    """`to`, if a deadline in `state` may become that; else `Conflict`."""
    if to not in TRANSITIONS[state]:
        raise Conflict(
            phrase("This deadline is closed already."),
            phrase("Reload the page to see what became of it."),
        )
    return to


def check_not_void(state: DeadlineState) -> None:
    """Refuse to move a deadline that was cancelled (`Conflict`)."""
    if state is DeadlineState.VOID:
        raise Conflict(
            phrase("This deadline is closed already."),
            phrase("Reload the page to see what became of it."),
        )


def check_asked_in_time(due_at: datetime | None, now: datetime) -> datetime:
    """The due time of the clock that more time is asked for; `Conflict` when none runs any more."""
    if due_at is None or now > due_at:
        raise Conflict(
            phrase("The deadline has passed; it cannot be extended any more."),
            phrase("Send what is owed: it is taken, and recorded as late."),
        )
    return due_at


def extended_to(calendar: WorkingCalendar, *, due_at: datetime, wanted: date) -> Due:
    """The new due time for a day: its close of business, with every day since the old one.

    A later working day (`Invalid`; `YearNotConfirmed` in a year that nobody confirmed).
    """
    if not calendar.kind(wanted).counts:
        raise Invalid(
            phrase("%(day)s is not a working day.", day=When(wanted)),
            phrase("Choose a working day."),
        )
    if calendar.close_on(wanted) <= due_at:
        raise Invalid(
            phrase("The new date is not later than the present one."),
            phrase("Choose a later working day."),
        )
    return calendar.due_on(calendar.local_day(due_at), wanted)


def state_when_met(due_at: datetime, met_at: datetime) -> DeadlineState:
    """Met up to and including the last moment; after it, breached though done."""
    return DeadlineState.MET if met_at <= due_at else DeadlineState.BREACHED


def state_when_moved(due_at: datetime, met_at: datetime | None, now: datetime) -> DeadlineState:
    """What a clock is once it is due at `due_at` instead: it runs, or ran out, or was stopped."""
    if met_at is not None:
        return state_when_met(due_at, met_at)
    return DeadlineState.OPEN if now <= due_at else DeadlineState.BREACHED


class Tone(StrEnum):
    """How pressing an open deadline is, mildest first; a page gives each an icon and a word."""

    CALM = "calm"
    SOON = "soon"
    URGENT = "urgent"
    OVERDUE = "overdue"


def tone(now: datetime, due_at: datetime, target_at: datetime | None = None) -> Tone:
    """The tone at `now`: soon from 24 h before, or from the target on (A5: 3 of 5 working days).

    Urgent from 4 h before, overdue from the first moment after.
    """
    left = due_at - now
    if left < timedelta():
        return Tone.OVERDUE
    if left <= URGENT:
        return Tone.URGENT
    if left <= SOON or (target_at is not None and now > target_at):
        return Tone.SOON
    return Tone.CALM


class Moment(StrEnum):
    """When people are reminded: at issue, 24 h and 4 h before, at it, a working day after."""

    ISSUE = "issue"
    DAY_BEFORE = "24h"
    HOURS_BEFORE = "4h"
    DUE = "due"
    AFTER = "after"


@dataclass(frozen=True, order=True)
class Reminder:
    """A reminder and the moment from which it is due (aware)."""

    at: datetime
    moment: Moment


def reminders(opened_at: datetime, due_at: datetime) -> tuple[Reminder, ...]:
    """All reminders of a deadline, in order of time.

    A reminder before the deadline that would come no later than the issue is left out: a clock of
    eight hours (B4) has none 24 h before. The one after it (`Moment.AFTER`) is a working day
    later, which the calendar tells.
    """
    before = (
        Reminder(due_at - SOON, Moment.DAY_BEFORE),
        Reminder(due_at - URGENT, Moment.HOURS_BEFORE),
    )
    return (
        Reminder(opened_at, Moment.ISSUE),
        *(reminder for reminder in before if reminder.at > opened_at),
        Reminder(due_at, Moment.DUE),
    )


def reminders_due(
    opened_at: datetime, due_at: datetime, reminded: Collection[str], now: datetime
) -> tuple[Reminder, ...]:
    """The reminders whose time has come and that `reminded` (of `Moment`) does not list.

    After an outage several may be due at once: send the last, and record them all as sent.
    """
    return tuple(
        reminder
        for reminder in reminders(opened_at, due_at)
        if reminder.at <= now and reminder.moment not in reminded
    )
