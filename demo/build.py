"""Play the whole demo into an empty, migrated database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from demo import audits, cases
from demo.people import Company, Vendor, make_people
from demo.stage import Stage, month_before
from portal.kernel import clock
from tenants.database import Database

MONTHS = 5
"""Whole months of history before the present one."""
DRAWN = 36
"""Cases drawn at a time over all vendors."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much there is to be: months of history, cases a month, cases a draw."""

    months: int = MONTHS
    cases: int = cases.A_MONTH
    drawn: int = DRAWN


def build(
    database: Database, *, now: datetime | None = None, size: Size | None = None
) -> Company:
    """Fill the database with the demo up to `now`; `size` makes it smaller (tests)."""
    size = size or Size()
    end = now or clock.now()
    stage = Stage(database, end)
    today = clock.beijing(end).date()
    first = month_before(today, size.months)
    with clock.frozen(clock.at_beijing(first, 8)):
        company = make_people(stage, range(first.year, today.year + 2), first)
    known = cases.Entrusted()
    for back in range(size.months, -1, -1):
        month = month_before(today, back)
        _entrust(stage, company, known, month, size.cases)
        if back:
            _past_month(stage, company, month, size.drawn)
    _present(stage, company, today, size.drawn)
    stage.play()
    with clock.frozen(end):
        audits.sweep_clocks(stage, company)
    return company


def _entrust(
    stage: Stage, company: Company, known: cases.Entrusted, month: date, count: int
) -> None:
    day = stage.working_day(month, 1)
    if clock.at_beijing(day, 10) > stage.end:
        day = stage.calendar.local_day(stage.end)
    stage.at(
        min(stage.moment(day, 9), stage.end),
        lambda: cases.entrust(stage, company, known, day, count),
    )


def _past_month(stage: Stage, company: Company, month: date, drawn: int) -> None:
    def after_form(vendor: Vendor, form_id: UUID) -> None:
        del vendor, form_id

    for number, working_day in enumerate((3, 9), start=1):
        day = stage.working_day(month, working_day)
        audits.run_month(stage, company, day, number, drawn, after_form)


def _present(stage: Stage, company: Company, today: date, drawn: int) -> None:
    del stage, company, today, drawn
