"""The company's working-day calendar, loaded from its table and confirmed year by year."""

from __future__ import annotations

import threading
import time as monotonic
from datetime import date, time
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar.defaults import default_exceptions
from portal.calendar.models import CalendarDay, CalendarYear
from portal.calendar.rules import DayException, DayKind, WorkingCalendar
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.settings import settings

_CACHE_SECONDS = 30.0
_lock = threading.Lock()
_cached: dict[str, tuple[float, WorkingCalendar]] = {}


def load(session: Session) -> WorkingCalendar:
    """The calendar in force. Kept for half a minute a process: it changes a few times a year."""
    key = session.get_bind().url.database or ""  # type: ignore[union-attr]
    hit = _cached.get(key)
    if hit and monotonic.monotonic() - hit[0] < _CACHE_SECONDS:
        return hit[1]
    days = session.execute(sa.select(CalendarDay.day, CalendarDay.kind, CalendarDay.name)).all()
    years = session.scalars(sa.select(CalendarYear.year)).all()
    made = WorkingCalendar(
        {row.day: DayException(DayKind(row.kind), row.name) for row in days},
        frozenset(years),
        close_of_business(),
    )
    with _lock:
        _cached[key] = (monotonic.monotonic(), made)
    return made


def close_of_business() -> time:
    """When a working day ends (a setting of the company, 18:00 by default)."""
    return settings().close_of_business


def forget() -> None:
    """Drop what this process keeps (after an edit; other processes follow within the minute)."""
    with _lock:
        _cached.clear()


def confirm_year(session: Session, year: int, *, actor: Actor) -> None:
    """Confirm a year: its holidays and make-up days are complete (design: Conventions).

    A year that has no days yet starts from the published defaults.
    """
    known = session.scalar(
        sa.select(sa.func.count())
        .select_from(CalendarDay)
        .where(sa.extract("year", CalendarDay.day) == year)
    )
    if not known:
        propose_year(session, year, company_id=actor.company_id)
    already = session.scalar(sa.select(CalendarYear.id).where(CalendarYear.year == year))
    if already is None:
        session.add(
            CalendarYear(
                tenant_id=actor.company_id,
                year=year,
                confirmed_by_name=actor.name,
                confirmed_at=clock.now(),
            )
        )
        session.flush()
    record(session, "calendar.year.confirmed", ("calendar", None), actor=actor, data={"year": year})
    forget()


def propose_year(session: Session, year: int, *, company_id: UUID) -> None:
    """Fill a year's days from the published holidays, to be compared and confirmed."""
    for day, exception in default_exceptions(year).items():
        session.add(
            CalendarDay(
                tenant_id=company_id, day=day, kind=exception.kind.value, name=exception.name
            )
        )
    session.flush()


def set_day(session: Session, day: date, kind: str, name: str, *, actor: Actor) -> None:
    """Make a day a holiday, a make-up working day, or an ordinary one again (journalled).

    Deadlines that are already open keep their dates: what was promised to a vendor stands.
    """
    session.execute(sa.delete(CalendarDay).where(CalendarDay.day == day))
    if kind in ("holiday", "make_up"):
        session.add(CalendarDay(tenant_id=actor.company_id, day=day, kind=kind, name=name.strip()))
    session.flush()
    record(
        session,
        "calendar.day.changed",
        ("calendar", None),
        actor=actor,
        data={"day": day.isoformat(), "kind": kind, "name": name},
    )
    forget()


def years(session: Session) -> list[CalendarYear]:
    """The confirmed years, newest first."""
    return list(session.scalars(sa.select(CalendarYear).order_by(CalendarYear.year.desc())))


def days_of(session: Session, year: int) -> list[CalendarDay]:
    """A year's exceptions in order."""
    return list(
        session.scalars(
            sa.select(CalendarDay)
            .where(CalendarDay.day >= date(year, 1, 1), CalendarDay.day <= date(year, 12, 31))
            .order_by(CalendarDay.day)
        )
    )
