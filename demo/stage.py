"""Play history: acts at their moments, in order, each in its own scope and transaction.

An act may put later acts on the stage. What lies after the stage's end is not played, so that the
present month stands where it would: in the middle.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from portal.calendar.rules import WorkingCalendar
from portal.kernel import clock
from tenants.database import Database, ScopedSession
from tenants.scope import Login, Scope, bound

SEED = 20_261_101
Act = Callable[[], None]


@dataclass
class Stage:
    """The database, the calendar, the dice, and the acts that are still to be played."""

    database: Database
    end: datetime
    calendar: WorkingCalendar = field(default_factory=lambda: WorkingCalendar({}, frozenset()))
    dice: random.Random = field(default_factory=lambda: random.Random(SEED))
    played: int = 0
    _acts: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=itertools.count)

    def at(self, moment: datetime, act: Act) -> None:
        """Put an act on the stage; acts of one moment are played as they were put there."""
        heapq.heappush(self._acts, (moment, next(self._order), act))

    def play(self) -> None:
        """Play every act up to the end."""
        while self._acts and self._acts[0][0] <= self.end:
            moment, _order, act = heapq.heappop(self._acts)
            with clock.frozen(moment):
                act()
            self.played += 1

    @contextmanager
    def company(self, company_id: UUID) -> Iterator[ScopedSession]:
        """A session of the company, committed at the block's end."""
        with self._session(Scope.company(company_id)) as session:
            yield session

    @contextmanager
    def vendor(self, vendor_id: UUID) -> Iterator[ScopedSession]:
        """A session of a vendor, committed at the block's end."""
        with self._session(Scope.vendor(vendor_id)) as session:
            yield session

    @contextmanager
    def sign_in(self) -> Iterator[ScopedSession]:
        """A session of the sign-in login, which alone sees accounts."""
        with self._session(Scope(Login.SIGN_IN)) as session:
            yield session

    @contextmanager
    def _session(self, scope: Scope) -> Iterator[ScopedSession]:
        with bound(scope), self.database.session() as session:
            yield session
            session.commit()

    # --- days ------------------------------------------------------------------------------------

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return self.calendar.kind(day).counts

    def after(self, day: date, working_days: int) -> date:
        """The day so many working days after (before, when negative) `day`."""
        step = timedelta(days=1 if working_days >= 0 else -1)
        left = abs(working_days)
        while left:
            day += step
            left -= self.works(day)
        return day

    def working_day(self, month: date, number: int) -> date:
        """The month's working day of that number, from 1."""
        return self.after(month.replace(day=1) - timedelta(days=1), number)

    def moment(self, day: date, hour: int, spread: int = 50) -> datetime:
        """A moment of that hour in Beijing, some minutes into it."""
        return clock.at_beijing(day, hour, self.dice.randrange(spread))


def month_before(day: date, months: int = 1) -> date:
    """The first day of the month so many months earlier."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def period_of(day: date) -> str:
    """The month as "YYYY-MM"."""
    return f"{day:%Y-%m}"
