"""Play the whole demo into an empty, migrated database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from demo import audits, cases, present, rectifications, results, reviews, seals
from demo.people import Company, Vendor, make_people
from demo.stage import Act, Stage, month_before
from portal.kernel import clock
from portal.notifications.service import mark_read
from tenants.database import Database

MONTHS = 5
"""Whole months of history before the present one."""
DRAWN = 30
"""Cases drawn at a time over all vendors."""


@dataclass(frozen=True)
class Size:
    """How much there is to be: months of history, cases a month, cases a draw."""

    months: int = MONTHS
    cases: int = cases.A_MONTH
    drawn: int = DRAWN


def build(database: Database, *, now: datetime | None = None, size: Size | None = None) -> Company:
    """Fill the database with the demo up to `now`; `size` makes it smaller (tests)."""
    size = size or Size()
    end = now or clock.now()
    stage = Stage(database, end)
    today = clock.beijing(end).date()
    first = month_before(today, size.months)
    with clock.frozen(clock.at_beijing(first, 8)):
        company = make_people(stage, range(first.year, today.year + 2), first)
        seals.introduce(stage, company)
    known = cases.Entrusted()
    for back in range(size.months, -1, -1):
        month = month_before(today, back)
        _entrust(stage, company, known, month, size.cases)
        if back:
            _past_month(stage, company, month, size.drawn)
    present.put_on(stage, company, today, size.drawn)
    stage.play()
    _read_up(stage, company)
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
    """Two draws with all that comes of them; after the month its receipts, score and statement."""

    def after_form(vendor: Vendor, form_id: UUID) -> None:
        if stage.dice.random() < 0.7:
            stage.at(
                clock.now() + timedelta(hours=1),
                lambda: rectifications.from_form(stage, company, vendor, form_id),
            )

    for number, working_day in enumerate((3, 9), start=1):
        day = stage.working_day(month, working_day)
        audits.run_month(stage, company, day, number, drawn, after_form)
    following = month_before(month, -1)
    last = following - timedelta(days=1)
    steps: tuple[tuple[int, int, Act], ...] = (
        (1, 9, lambda: audits.sweep_clocks(stage, company)),
        (1, 14, lambda: results.recommend_some(stage, company, month)),
        (2, 10, lambda: results.receive(stage, company, month, last)),
        (2, 15, lambda: reviews.give_opinions(stage, company)),
        (3, 10, lambda: results.select_some(stage, company, month)),
        (3, 15, lambda: results.score_month(stage, company, month)),
        (5, 10, lambda: results.settle_month(stage, company, month, company.vendors)),
    )
    for working_day, hour, act in steps:
        stage.at(stage.moment(stage.working_day(following, working_day), hour), act)


def _read_up(stage: Stage, company: Company) -> None:
    """Everybody has read the messages of earlier days."""
    read_at = stage.moment(stage.after(stage.calendar.local_day(stage.end), -1), 9, 1)
    with clock.frozen(min(read_at, stage.end)):
        with stage.company(company.id) as session:
            for person in company.accounts.values():
                mark_read(session, person)
        for vendor in company.vendors:
            with stage.vendor(vendor.id) as session:
                for member in vendor.people:
                    if member.account_id is not None:
                        mark_read(session, vendor.actor(member.role))
