"""Working days (工作日): which days count, when something is due, what remains, how late it was.

Times come in and go out aware; days are days of the calendar's zone (Beijing). The day of issue is
not counted and the last day ends at the close of business (Civil Code art. 201-203). Pure: the
calendar is a value, loaded by the service from the company's editable table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from portal.kernel.clock import BEIJING
from portal.kernel.errors import Conflict
from portal.kernel.phrases import phrase

CLOSE_OF_BUSINESS = time(18, 0)
WARN_DAYS_AHEAD = 60

_DAY = timedelta(days=1)
_SATURDAY = 5


class DayKind(StrEnum):
    """What a day is; `working` and `make_up` (调休上班) count, `weekend` and `holiday` don't."""

    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP = "make_up"

    @property
    def counts(self) -> bool:
        """Whether the day is a working day."""
        return self in (DayKind.WORKING, DayKind.MAKE_UP)


@dataclass(frozen=True)
class DayException:
    """A day that is not what its weekday says: a holiday, or a weekend day that is worked."""

    kind: DayKind
    name: str

    def __post_init__(self) -> None:
        """Only holidays and make-up days are exceptions (`ValueError`)."""
        if self.kind not in (DayKind.HOLIDAY, DayKind.MAKE_UP):
            raise ValueError("an exception is a holiday or a make-up working day")


@dataclass(frozen=True)
class DayNote:
    """One day of a deadline's count. `counted` is its ordinal among the counted days, or 0."""

    day: date
    kind: DayKind
    name: str
    counted: int


@dataclass(frozen=True)
class Due:
    """When something is due (aware UTC) and why: every day from the day of issue to the last."""

    due_at: datetime
    why: tuple[DayNote, ...] = ()

    @property
    def skipped(self) -> tuple[DayNote, ...]:
        """The days after the day of issue that did not count."""
        return tuple(note for note in self.why[1:] if not note.counted)


@dataclass(frozen=True)
class Remaining:
    """What is left until a deadline or, when `overdue`, has passed since.

    A working day lasts until the close of business. With less than one working day left,
    `hours` and `minutes` are those of the clock, nights and weekends included.
    """

    working_days: int
    hours: int
    minutes: int
    overdue: bool


class YearNotConfirmed(Conflict):
    """Nobody confirmed that year's holidays and make-up days, so no date can be given."""

    def __init__(self, year: int) -> None:
        """`year` is the first one that is needed and not confirmed."""
        super().__init__(
            phrase("The working days of %(year)s have not been confirmed.", year=year),
            phrase(
                "Open the working-day calendar, compare the holidays and make-up working days of "
                "%(year)s with the State Council's notice, and confirm the year.",
                year=year,
            ),
            year=year,
        )
        self.year = year


@dataclass(frozen=True)
class WorkingCalendar:
    """The company's calendar: exceptions by day, years that somebody confirmed, office hours."""

    exceptions: Mapping[date, DayException] = field(default_factory=lambda: MappingProxyType({}))
    confirmed: frozenset[int] = frozenset()
    close_of_business: time = CLOSE_OF_BUSINESS
    zone: ZoneInfo = BEIJING

    def kind(self, day: date) -> DayKind:
        """What the day is. Raises `YearNotConfirmed`."""
        if day.year not in self.confirmed:
            raise YearNotConfirmed(day.year)
        return self._presumed(day)

    def name(self, day: date) -> str:
        """The holiday's or make-up day's name; empty for other days."""
        exception = self.exceptions.get(day)
        return exception.name if exception else ""

    def local_day(self, moment: datetime) -> date:
        """The day on which `moment` falls by the calendar's clock."""
        return moment.astimezone(self.zone).date()

    def close_on(self, day: date) -> datetime:
        """The close of business of a day, in UTC."""
        return datetime.combine(day, self.close_of_business, self.zone).astimezone(UTC)

    def due_after(self, issued_at: datetime, working_days: int) -> Due:
        """The close of business of the `working_days`-th working day after the day of issue (A3).

        Raises `YearNotConfirmed` when the count enters a year that nobody confirmed.
        """
        if working_days < 1:
            raise ValueError("a deadline lies at least one working day ahead")
        day = self.local_day(issued_at)
        notes = [DayNote(day, self.kind(day), self.name(day), 0)]
        counted = 0
        while counted < working_days:
            day += _DAY
            kind = self.kind(day)
            counted += kind.counts
            notes.append(DayNote(day, kind, self.name(day), counted if kind.counts else 0))
        return Due(self.close_on(day), tuple(notes))

    def due_on(self, first: date, last: date) -> Due:
        """The close of business of `last`, with every day since `first`, which is not counted (a
        deadline that was moved). Raises `YearNotConfirmed`."""
        notes, counted = [DayNote(first, self.kind(first), self.name(first), 0)], 0
        for day in _days(first + _DAY, last):
            kind = self.kind(day)
            counted += kind.counts
            notes.append(DayNote(day, kind, self.name(day), counted if kind.counts else 0))
        return Due(self.close_on(last), tuple(notes))

    def is_worked(self, day: date) -> bool:
        """Whether a day is a working day. Never refuses: days of years that nobody confirmed are
        taken as known so far."""
        return self._presumed(day).counts

    def next_close(self, moment: datetime) -> datetime:
        """The close of business of the first working day after the day of `moment`.

        Never refuses: days of years that nobody confirmed are taken as known so far.
        """
        day = self.local_day(moment) + _DAY
        while not self._presumed(day).counts:
            day += _DAY
        return self.close_on(day)

    def remaining(self, now: datetime, due_at: datetime) -> Remaining:
        """What is left, or how long it is overdue, for a page (to the minute).

        Never refuses: days of years that nobody confirmed are taken as known so far.
        """
        overdue = now > due_at
        start, end = (due_at, now) if overdue else (now, due_at)
        whole_day = timedelta(
            hours=self.close_of_business.hour, minutes=self.close_of_business.minute
        )
        working_days, rest = divmod(self._working_time(start, end), whole_day)
        if not working_days:
            rest = end - start
        minutes = int(rest / timedelta(minutes=1))
        return Remaining(working_days, minutes // 60, minutes % 60, overdue)

    def working_days_late(self, due_at: datetime, delivered_at: datetime) -> int:
        """Working days by which a delivery was late, each begun day counting whole (clause 601).

        0 in time; from the first minute after `due_at` at least 1, then one for each working day
        after the day it was due, up to the day of delivery. Raises `YearNotConfirmed`.
        """
        if delivered_at <= due_at:
            return 0
        days = _days(self.local_day(due_at) + _DAY, self.local_day(delivered_at))
        return max(1, sum(self.kind(day).counts for day in days))

    def years_to_confirm(self, today: date, days_ahead: int = WARN_DAYS_AHEAD) -> tuple[int, ...]:
        """The years from today to `days_ahead` days from now that nobody confirmed yet."""
        last = (today + timedelta(days=days_ahead)).year
        return tuple(y for y in range(today.year, last + 1) if y not in self.confirmed)

    def _presumed(self, day: date) -> DayKind:
        exception = self.exceptions.get(day)
        if exception:
            return exception.kind
        return DayKind.WEEKEND if day.weekday() >= _SATURDAY else DayKind.WORKING

    def _working_time(self, start: datetime, end: datetime) -> timedelta:
        """The time between two moments that lies in working days before their close."""
        total = timedelta()
        for day in _days(self.local_day(start), self.local_day(end)):
            if self._presumed(day).counts:
                opens = datetime.combine(day, time(), self.zone).astimezone(UTC)
                total += max(timedelta(), min(end, self.close_on(day)) - max(start, opens))
        return total


def hours_after(issued_at: datetime, hours: int) -> Due:
    """`hours` real hours later, running day and night and on holidays (B4)."""
    if hours < 1:
        raise ValueError("a deadline lies at least one hour ahead")
    return Due(issued_at.astimezone(UTC) + timedelta(hours=hours))


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY
