"""How moments, days, amounts and durations are printed, by language. Times are Beijing time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType

from babel.dates import format_date, format_datetime

from portal.kernel.clock import beijing
from portal.kernel.money import capital, cents
from portal.notices.schema import aware


@dataclass(frozen=True, slots=True)
class Patterns:
    """CLDR patterns of one language."""

    moment: str
    second: str
    day: str
    weekday: str
    month: str


@dataclass(frozen=True, slots=True)
class Marks:
    """Punctuation between joined pieces."""

    comma: str
    clause: str
    stop: str
    colon: str
    space: str


_CHINESE = Patterns(
    "yyyy年M月d日 EEE HH:mm", "yyyy年M月d日 HH:mm:ss", "yyyy年M月d日", "M月d日 EEE", "yyyy年M月"
)
PATTERNS: Mapping[str, Patterns] = MappingProxyType(
    {
        "zh_Hans_CN": _CHINESE,
        "zh_Hant_TW": _CHINESE,
        "en": Patterns(
            "EEE d MMM yyyy HH:mm", "d MMM yyyy HH:mm:ss", "d MMM yyyy", "EEE d MMM", "MMMM yyyy"
        ),
    }
)
MARKS: Mapping[str, Marks] = MappingProxyType(
    {
        "zh_Hans_CN": Marks("、", "，", "。", "：", ""),
        "zh_Hant_TW": Marks("、", "，", "。", "：", ""),
        "en": Marks(", ", "; ", ".", ": ", " "),
    }
)

_NO_BREAK = "\u00a0"


class Formats:
    """The filters of one language's templates."""

    def __init__(self, locale: str) -> None:
        """`locale` is one of the portal's three."""
        self._locale = locale
        self._patterns = PATTERNS[locale]
        self.marks = MARKS[locale]
        self._percent = f"{_NO_BREAK}%" if locale == "en" else "%"

    def moment(self, value: str) -> str:
        """Day, weekday and minute of an ISO 8601 moment."""
        return self._at(value, self._patterns.moment)

    def second(self, value: str) -> str:
        """Day and second of an ISO 8601 moment."""
        return self._at(value, self._patterns.second)

    def day(self, value: str) -> str:
        """A day, given as a day or as a moment."""
        if len(value) > len("2026-01-01"):
            return self._at(value, self._patterns.day)
        return format_date(date.fromisoformat(value), self._patterns.day, locale=self._locale)

    def weekday(self, value: str) -> str:
        """Month, day and weekday."""
        return format_date(date.fromisoformat(value), self._patterns.weekday, locale=self._locale)

    def month(self, value: str) -> str:
        """Year and month."""
        first = date.fromisoformat(f"{value}-01")
        return format_date(first, self._patterns.month, locale=self._locale)

    def percent(self, value: str) -> str:
        """A rate given in per cent, with its sign."""
        return f"{figure(value)}{self._percent}"

    def _at(self, value: str, pattern: str) -> str:
        return format_datetime(beijing(aware(value)), pattern, locale=self._locale)


def money(value: str | Decimal) -> str:
    """An amount with thousands separated and a true minus sign: 54,900.00, −2,500.00."""
    return f"{cents(value):,.2f}".replace("-", "−")


def words(value: str) -> str:
    """An amount in capital figures (大写), the same in every language."""
    return capital(Decimal(value))


def figure(value: str | Decimal) -> str:
    """A decimal as it was given, thousands separated, without needless zeros: 0.95, 12."""
    number = Decimal(value)
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count(value: int) -> str:
    """A whole number with thousands separated."""
    return f"{value:,}"


def share(part: int, whole: int) -> str | None:
    """A part of the whole in per cent, one place, or None of nothing."""
    if not whole:
        return None
    return str((Decimal(part) * 100 / whole).quantize(Decimal("0.1"), ROUND_HALF_UP))


def clock(seconds: int) -> str:
    """Seconds as minutes and seconds (3:05), or hours before them (1:02:03)."""
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}:{second:02d}" if hour else f"{minute}:{second:02d}"


def size(octets: int) -> str:
    """Bytes in KB or MB of 1,024."""
    if octets < 1024 * 1024:
        return f"{max(1, round(octets / 1024)) if octets else 0:,}{_NO_BREAK}KB"
    return f"{octets / 1024 / 1024:,.1f}{_NO_BREAK}MB"


def total(rows: list[dict[str, str]], key: str) -> Decimal:
    """The sum of a column of decimal strings."""
    return sum((Decimal(row[key]) for row in rows), Decimal(0))


def lost(rows: list[dict[str, str]], full: str, got: str) -> Decimal:
    """Full marks less marks got."""
    return total(rows, full) - total(rows, got)


def grouped(code: str) -> str:
    """A code in groups of four, for people who type it."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))
