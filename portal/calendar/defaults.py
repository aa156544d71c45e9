"""The holidays and make-up days that the `holidays` package knows: a start, to be confirmed.

The State Council announces a year's arrangement (放假调休) late in the year before; the package
follows with a release. A year that it does not know in full still gets its statutory holidays, but
no make-up days: `announced` says which it is, and nobody should confirm such a year unread.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Set
from datetime import date, timedelta
from functools import cache
from typing import Any

from portal.calendar.rules import DayException, DayKind

_DAY = timedelta(days=1)
_SATURDAY = 5
_OBSERVED = "（补假）"
_EVE, _SPRING_FESTIVAL = "农历除夕", "春节"


@cache
def _package(name: str) -> Any:
    """A module of the package, loaded when a year is first proposed: it takes 20 MB, and most
    processes never ask."""
    return importlib.import_module(name)


def _arrangements() -> Any:
    """The State Council's arrangements that the package holds, by year."""
    china = _package("holidays.countries.china")
    return china.ChinaStaticHolidays.special_public_holidays


def announced(year: int) -> bool:
    """Whether the package holds the State Council's arrangement of that year."""
    return year in _arrangements()


def default_exceptions(year: int) -> dict[date, DayException]:
    """The known exceptions of a year, by day, with their Chinese names.

    Weekend days inside a run of holidays stay weekend. A weekend day that is worked for the sake
    of next year's New Year belongs to the year in which it lies.
    """
    package, years = _package("holidays"), (year - 1, year, year + 1)
    known = package.country_holidays("CN", years=years, language="zh_CN")
    swaps = {off: worked for y in (year, year + 1) for off, worked in _swaps(y).items()}
    named = {day: _plain(name) for day, name in known.items() if day not in swaps}
    off = named.keys() | swaps.keys()
    found: dict[date, DayException] = {}
    for day, name in named.items():
        found[day] = DayException(DayKind.HOLIDAY, name)
    for day, worked in swaps.items():
        festival = _festival(day, off, named)
        found[day] = DayException(DayKind.HOLIDAY, f"{festival}调休")
        if worked in known.weekend_workdays:
            found[worked] = DayException(DayKind.MAKE_UP, f"{festival}调休上班")
    return {day: found[day] for day in sorted(found) if day.year == year}


def _swaps(year: int) -> dict[date, date]:
    """The year's extra days off, each with the day that is worked for it."""
    found: dict[date, date] = {}
    for entry in _arrangements().get(year, ()):
        month, day, from_month, from_day, *from_year = (int(part) for part in entry)
        worked = date(from_year[0] if from_year else year, from_month, from_day)
        found[date(year, month, day)] = worked
    return found


def _plain(name: str) -> str:
    """`国庆节（补假）` is 国庆节; two holidays on one day read 中秋节、国庆节."""
    return "、".join(dict.fromkeys(part.removesuffix(_OBSERVED) for part in name.split("; ")))


def _festival(day: date, off: Set[date], named: Mapping[date, str]) -> str:
    """The holidays in the unbroken run of free days around `day`, the Eve counted as its feast."""
    first = last = day
    while _free(first - _DAY, off):
        first -= _DAY
    while _free(last + _DAY, off):
        last += _DAY
    run = (first + _DAY * n for n in range((last - first).days + 1))
    parts = (part for d in run if d in named for part in named[d].split("、"))
    return "、".join(dict.fromkeys(_SPRING_FESTIVAL if p == _EVE else p for p in parts))


def _free(day: date, off: Set[date]) -> bool:
    return day in off or day.weekday() >= _SATURDAY
