"""Jinja filters: times on a Beijing clock, money, shares, sizes, lengths, in the page's language.

Patterns are written out here instead of asking CLDR: they are few, always 24 h, and a list of
fifty rows formats a hundred and fifty of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from flask import Flask

from portal.app.assets import language_tag
from portal.kernel import clock
from portal.kernel.money import cents
from portal.kernel.texts import code

NOTHING = "—"
MINUS = "−"
_KILO = 1024


@dataclass(frozen=True, slots=True)
class _Words:
    """How one language writes dates; `{w}` is the weekday, `{b}` the month's name."""

    date: str
    day: str
    month: str
    moment: str
    zone: str
    short: str
    short_year: str
    short_date: str
    weekdays: tuple[str, ...]
    months: tuple[str, ...] = ("",) * 12


def _chinese(week: str, zone: str) -> _Words:
    weekdays = tuple(week + name for name in "一二三四五六日")
    return _Words(
        date="{y}年{m}月{d}日",
        day="{y}年{m}月{d}日 {w}",
        month="{y}年{m}月",
        moment="{y}年{m}月{d}日 {w} {t}",
        zone=zone + " {y}年{m}月{d}日 {w} {t}",
        short="{m:02}-{d:02} {t}",
        short_year="{y}-{m:02}-{d:02} {t}",
        short_date="{y}-{m:02}-{d:02}",
        weekdays=weekdays,
    )


_ENGLISH = _Words(
    date="{d} {b} {y}",
    day="{w} {d} {b} {y}",
    month="{b} {y}",
    moment="{w} {d} {b} {y} {t}",
    zone="{w} {d} {b} {y} {t} Beijing time",
    short="{d} {b} {t}",
    short_year="{d} {b} {y} {t}",
    short_date="{y}-{m:02}-{d:02}",
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_WORDS = {
    "zh-Hans": _chinese("周", "北京时间"),
    "zh-Hant": _chinese("週", "北京時間"),
    "en": _ENGLISH,
}


def _words() -> _Words:
    return _WORDS.get(language_tag(code()), _ENGLISH)


def _fill(pattern: str, words: _Words, day: date, time: str = "") -> str:
    return pattern.format(
        y=day.year,
        m=day.month,
        d=day.day,
        t=time,
        w=words.weekdays[day.weekday()],
        b=words.months[day.month - 1],
    )


def dt(moment: datetime | None, form: str = "full") -> str:
    """A moment in Beijing time.

    `full`: 2026年11月20日 周五 10:40 · `zone`: the same with 北京时间 · `short`: 11-20 10:40, with
    the year when it is not this one · `seconds`: full to the second (receipts).
    """
    if moment is None:
        return NOTHING
    return _dt(moment, form, language_tag(code()), clock.today().year if form == "short" else 0)


@lru_cache(maxsize=4096)
def _dt(moment: datetime, form: str, tag: str, this_year: int) -> str:
    """A moment in words: lists show the same ones again and again."""
    words, local = _WORDS.get(tag, _ENGLISH), clock.beijing(moment)
    time = f"{local.hour:02}:{local.minute:02}"
    if form == "short":
        pattern = words.short if local.year == this_year else words.short_year
        return _fill(pattern, words, local, time)
    if form == "seconds":
        time = f"{time}:{local.second:02}"
    return _fill(words.zone if form == "zone" else words.moment, words, local, time)


def day(value: date | datetime | None, form: str = "full") -> str:
    """A date (of a moment: in Beijing). `full`, `weekday`, `short` (2026-11-20), `month`."""
    if value is None:
        return NOTHING
    words = _words()
    local = clock.beijing(value) if isinstance(value, datetime) else value
    patterns = {"weekday": words.day, "short": words.short_date, "month": words.month}
    return _fill(patterns.get(form, words.date), words, local)


def when(value: date | datetime) -> str:
    """A day with its weekday, or a moment in full, as `Phrase` shows its parameters."""
    return dt(value) if isinstance(value, datetime) else day(value, "weekday")


def iso(moment: datetime) -> str:
    """For `<time datetime>`: ISO 8601 to the second with Beijing's offset."""
    return clock.beijing(moment).isoformat(timespec="seconds")


def money(amount: Decimal | int | None, currency: str = "CNY") -> str:
    """¥1,234.56; rounded half-up to cents, a true minus sign before the currency."""
    if amount is None:
        return NOTHING
    value = cents(Decimal(amount))
    sign = "¥" if currency == "CNY" else f"{currency} "
    return f"{MINUS if value < 0 else ''}{sign}{abs(value):,.2f}"


def percent(share: Decimal | float | None, places: int = 1) -> str:
    """A share of one as 95.3%."""
    if share is None:
        return NOTHING
    value = Decimal(str(share)) * 100
    return f"{MINUS if value < 0 else ''}{abs(value):.{places}f}%"


def number(value: Decimal | float | None) -> str:
    """1,234 or 1,234.5 as it is, with separators; None is a dash."""
    return NOTHING if value is None else f"{value:,}"


def filesize(size: int | None) -> str:
    """Bytes as Windows counts them: 980 B, 12.3 KB, 4.5 MB."""
    if size is None:
        return NOTHING
    if size < _KILO:
        return f"{size} B"
    value, units = size / _KILO, ["KB", "MB", "GB"]
    while value >= _KILO and len(units) > 1:
        value /= _KILO
        units.pop(0)
    return f"{f'{value:.1f}'.removesuffix('.0')} {units[0]}"


def duration(seconds: Decimal | float | None) -> str:
    """Length of a recording: 03:07, and 1:02:03 from an hour on."""
    if seconds is None:
        return NOTHING
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def install(app: Flask) -> None:
    """Register the filters: dt, date, iso, money, percent, number, filesize, duration."""
    app.jinja_env.filters.update(
        dt=dt,
        date=day,
        iso=iso,
        money=money,
        percent=percent,
        number=number,
        filesize=filesize,
        duration=duration,
    )
