"""What a column may hold: parsers from what Excel gave to what the portal keeps.

A parser is a small frozen value (it travels into the sandbox) with `parse(value, book)`, which
returns the parsed value or raises `Bad` with a code of `problems`, and with what the blank
template needs: a format, a width, a list of choices. Blank cells never reach a parser.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol

from portal.files.problems import Param
from portal.kernel.clock import BEIJING

Cell = int | float | str | bool | time | date | datetime | timedelta

_EPOCH_1900 = date(1899, 12, 30)  # what Excel's day numbers count from, from March 1900 on
_EPOCH_1904 = date(1904, 1, 1)
_EXACT = 15  # Excel keeps so many digits of a number
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"\s+")
_ERRORS = re.compile(r"#(REF!|N/A|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!|GETTING_DATA)")
_YMD = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))",
    re.ASCII,
)
_CLOCK = re.compile(r"(\d{1,2})[:时時点點](\d{1,2})(?:[:分](\d{1,2})?秒?)?", re.ASCII)
_UNCLEAR = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{2}[-/.]\d{1,2}[-/.]\d{1,2}", re.ASCII)
_CARD = re.compile(r"\d+", re.ASCII)
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.ASCII | re.IGNORECASE)
_AMOUNT = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?", re.ASCII)
_PHONE_BRACKETS = re.compile(r"[()]")
_DASHES = re.compile("[\u2010-\u2015\u2212]")
_MOBILE = re.compile(r"(?:\+?0{0,2}86-?|0)?(1[3-9]\d{9})", re.ASCII)
_SERVICE = re.compile(r"[48]00\d{7}", re.ASCII)
_LANDLINE = re.compile(
    r"(?:\+?0{0,2}86-?)?0?(10|2\d|[3-9]\d{2})-?(\d{7,8})"
    r"(?:(?:-|转|轉|ext\.?|x|#|,)(\d{1,6}))?",
    re.ASCII | re.IGNORECASE,
)


class Bad(Exception):
    """A cell that cannot be taken: a code of `problems.messages()` and its parameters."""

    def __init__(self, code: str, **params: Param) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Book:
    """What a parser may need to know of the workbook."""

    date1904: bool = False


class Parser(Protocol):
    """The protocol of the classes below; a slice may bring its own, at module level."""

    def parse(self, value: Cell, book: Book) -> Any:
        """The parsed value. Raises `Bad`."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Text of at most `most` characters; spaces at the ends and invisible marks are dropped."""

    most: int = 200

    def parse(self, value: Cell, book: Book) -> str:
        """The text; a whole number that Excel made of it is written out again."""
        text = _written(value)
        if not isinstance(value, str) and len(text) > _EXACT:
            raise Bad("number_too_long")
        if not text.isascii():
            text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
        text = text.strip().replace("\r\n", "\n").replace("\r", "\n")
        if _CONTROL.search(text):
            raise Bad("text_control")
        if len(text) > self.most:
            raise Bad("text_too_long", most=self.most)
        return text


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from `least` to `most`."""

    least: int = 0
    most: int = 2_147_483_647

    def parse(self, value: Cell, book: Book) -> int:
        """The number."""
        number = _number(value, "not_integer")
        if number != number.to_integral_value():
            raise Bad("not_integer")
        _within(number, self.least, self.most)
        return int(number)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in yuan with at most two decimals. More are refused, never rounded silently."""

    least: Decimal = Decimal(0)
    most: Decimal = Decimal("9999999999.99")

    def parse(self, value: Cell, book: Book) -> Decimal:
        """The amount, with two decimals."""
        if isinstance(value, str):
            value = _plain(value).lstrip("¥").removesuffix("元").removeprefix("人民币")
        number = _number(value, "not_money", example="1234.50")
        amount = number.quantize(Decimal("0.01"))
        if amount != number:
            raise Bad("money_decimals")
        _within(amount, self.least, self.most)
        return amount


@dataclass(frozen=True, slots=True)
class Percent:
    """A share. `12.5%` and a cell that Excel shows as 12.5 % give Decimal("0.125")."""

    least: Decimal = Decimal(0)
    most: Decimal = Decimal(1)

    def parse(self, value: Cell, book: Book) -> Decimal:
        """The share of one. A bare number above one is unclear and refused."""
        text = _plain(value) if isinstance(value, str) else ""
        if text.endswith("%"):
            share = _number(text[:-1], "not_percent", example="12.5%") / 100
        else:
            share = _number(value, "not_percent", example="12.5%")
            if abs(share) > 1 or text:
                raise Bad("percent_unclear", example="12.5%")
        if not self.least <= share <= self.most:
            low, high = (f"{(limit * 100).normalize():f}%" for limit in (self.least, self.most))
            if share < self.least:
                raise Bad("too_small", least=low)
            raise Bad("too_big", most=high)
        return share


@dataclass(frozen=True, slots=True)
class Date:
    """A day. Real Excel dates (1900 and 1904), and text with the year first.

    A number without a date format counts as Excel's day number when it lies in this range, and
    eight digits as yyyymmdd. `03/11/26` is refused as unclear.
    """

    least: date = date(1990, 1, 1)
    most: date = date(2099, 12, 31)

    def parse(self, value: Cell, book: Book) -> date:
        """The day; a time of day beside it is dropped."""
        return _ranged(_moment(value, book, "2026-11-03").date(), self.least, self.most)


@dataclass(frozen=True, slots=True)
class DateTime:
    """A moment on a Beijing clock (北京时间), to the second; kept as aware UTC."""

    least: date = date(1990, 1, 1)
    most: date = date(2099, 12, 31)

    def parse(self, value: Cell, book: Book) -> datetime:
        """The moment; a day without a time is its midnight."""
        moment = _moment(value, book, "2026-11-03 14:22")
        _ranged(moment.date(), self.least, self.most)
        return moment.replace(tzinfo=BEIJING).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: the value kept, and what may be written for it."""

    value: str
    zh: str
    en: str = ""
    hant: str = ""
    others: tuple[str, ...] = ()

    def label(self, lang: str) -> str:
        """What a template in this language offers."""
        named = {"en": self.en, "zh_Hant_TW": self.hant}.get(lang)
        return named or self.zh


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values, written in any of the portal's languages or as the value itself."""

    options: tuple[Option, ...]

    def parse(self, value: Cell, book: Book) -> str:
        """The option's value."""
        found = _names(self.options).get(_folded(_written(value)))
        if found is not None:
            return found
        shown = [option.zh for option in self.options]
        raise Bad("not_choice", choices="、".join(shown[:12]) + ("…" if len(shown) > 12 else ""))


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A card or account number. It must be text: Excel keeps 15 digits and drops first zeros."""

    least: int = 8
    most: int = 24

    def parse(self, value: Cell, book: Book) -> str:
        """The digits, without spaces and hyphens."""
        if not isinstance(value, str) or _SCIENTIFIC.fullmatch(_plain(value)):
            raise Bad("card_is_number")
        digits = _plain(value).replace("-", "")
        if not _CARD.fullmatch(digits) or not self.least <= len(digits) <= self.most:
            raise Bad("not_card", least=self.least, most=self.most)
        return digits


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number of mainland China: mobile, landline with area code, 400 or 800."""

    def parse(self, value: Cell, book: Book) -> str:
        """Digits only; an extension follows after a hyphen: `02112345678-801`."""
        number = normal_phone(_written(value))
        if number is None:
            raise Bad("not_phone")
        return number


def normal_phone(text: str) -> str | None:
    """The one way a number of mainland China is written here, or None if it is none.

    Drops +86, spaces and hyphens, and gives a landline back the zero that Excel took.
    """
    plain = _PHONE_BRACKETS.sub("", _DASHES.sub("-", _plain(text)))
    digits = plain.replace("-", "")
    if match := _MOBILE.fullmatch(digits):
        return match.group(1)
    if _SERVICE.fullmatch(digits):
        return digits
    if match := _LANDLINE.fullmatch(plain):
        area, number, extension = match.groups()
        return f"0{area}{number}" + (f"-{extension}" if extension else "")
    return None


@functools.lru_cache(maxsize=64)
def _names(options: tuple[Option, ...]) -> dict[str, str]:
    """Folded name to value. Where two options share a name, the first has it."""
    names: dict[str, str] = {}
    for option in options:
        for name in (option.value, option.zh, option.en, option.hant, *option.others):
            if name:
                names.setdefault(_folded(name), option.value)
    return names


def error_value(value: Cell) -> str | None:
    """The error that a formula left in the cell (`#REF!`), if it is one."""
    if isinstance(value, str) and value.startswith("#") and _ERRORS.fullmatch(value.strip()):
        return value.strip()
    return None


def blank(value: Cell) -> bool:
    """Whether a person would call the cell empty."""
    if not isinstance(value, str):
        return False
    return not (value if value.isascii() else _INVISIBLE.sub("", value)).strip()


def shown(value: Cell) -> str:
    """The value in one short line, much as Excel shows it, for a list of errors."""
    if isinstance(value, float):
        text = f"{value:.15g}"
    elif isinstance(value, datetime):
        text = f"{value:%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00")
    else:
        text = str(value)
    text = _SPACES.sub(" ", _CONTROL.sub("", _INVISIBLE.sub("", text))).strip()
    return text if len(text) <= 60 else text[:59] + "…"


def _plain(text: str) -> str:
    """Half-width, without spaces and invisible marks."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return "".join(text.split())


def _folded(text: str) -> str:
    return _plain(text).casefold()


def _written(value: Cell) -> str:
    """A cell as the text a person meant."""
    if isinstance(value, str):
        return value
    if isinstance(value, (date, time, timedelta)):  # datetime is a date
        raise Bad("date_in_text")
    if isinstance(value, bool):
        raise Bad("not_text")
    return str(int(value)) if value == int(value) else f"{value:.15g}"


def _number(value: Cell, code: str, **params: Param) -> Decimal:
    """An exact number: what Excel shows of a float, which is 15 digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Bad(code, **params)
    if isinstance(value, str):
        text = _plain(value)
        if not _AMOUNT.fullmatch(text):
            raise Bad(code, **params)
        text = text.replace(",", "")
    else:
        text = f"{value:.15g}"
    number = Decimal(text)
    if abs(number) >= Decimal(10) ** _EXACT:
        raise Bad("number_too_long")
    return number


def _within(number: Decimal, least: Decimal | int, most: Decimal | int) -> None:
    if number < least:
        raise Bad("too_small", least=str(least))
    if number > most:
        raise Bad("too_big", most=str(most))


def _ranged(day: date, least: date, most: date) -> date:
    if day < least:
        raise Bad("too_small", least=least.isoformat())
    if day > most:
        raise Bad("too_big", most=most.isoformat())
    return day


def _moment(value: Cell, book: Book, example: str) -> datetime:
    """A wall-clock moment from whatever a date cell may hold."""
    if isinstance(value, datetime):
        return _to_second(value)
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, str):
        return _moment_of_text(_INVISIBLE.sub("", value), example)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Bad("not_date", example=example)
    if 19_000_000 <= value < 21_000_000 and value == int(value):
        return _moment_of_text(str(int(value)), example)
    if not 30_000 <= value <= 75_000:
        raise Bad("not_date", example=example)
    epoch = _EPOCH_1904 if book.date1904 else _EPOCH_1900
    return _to_second(datetime.combine(epoch, time()) + timedelta(days=value))


def _moment_of_text(text: str, example: str) -> datetime:
    text = unicodedata.normalize("NFKC", text).strip()
    match = _YMD.match(text)
    if not match:
        unclear = _UNCLEAR.match(text)
        raise Bad("date_unclear" if unclear else "not_date", example=example)
    year, month, day = (int(part) for part in match.groups() if part)
    rest = text[match.end() :].lstrip("T ")
    clock = _CLOCK.fullmatch(rest) if rest else None
    if rest and not clock:
        raise Bad("not_date", example=example)
    hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (0, 0, 0)
    try:
        return datetime.combine(date(year, month, day), time(hour, minute, second))
    except ValueError:
        raise Bad("not_date", example=example) from None


def _to_second(moment: datetime) -> datetime:
    """Excel's fractions of a day are not exact: to the nearest second."""
    rounded = moment + timedelta(microseconds=500_000)
    return rounded.replace(microsecond=0)
