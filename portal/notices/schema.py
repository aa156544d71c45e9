"""What a field of a paper's frozen content may hold, and the walk that checks all of them.

A snapshot is described by TypedDicts (`snapshots.py`) whose fields are annotated with the kinds
of this module: one description serves mypy, the check before issue and the printing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

_AMOUNT = re.compile(r"-?\d{1,15}\.\d{2}")
_DECIMAL = re.compile(r"-?\d{1,12}(\.\d{1,6})?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")
_WEB = re.compile(r"https?://[!-~]{1,500}")


@dataclass(frozen=True, slots=True)
class Text:
    """Free text of at most `most` characters; `lines` allows line breaks. Typeset when printed."""

    most: int
    lines: bool = False
    least: int = 1

    def fault(self, value: str) -> str | None:
        """What is wrong with the value, or None."""
        if len(value) > self.most:
            return f"{len(value)} characters, at most {self.most}"
        if len(value.strip()) < self.least:
            return "is empty"
        if not self.lines and "\n" in value:
            return "has a line break"
        return None


@dataclass(frozen=True, slots=True)
class Card:
    """A card or account number; printed as first six and last four unless shown in full (A6)."""

    def fault(self, value: str) -> str | None:
        """What is wrong with the value, or None."""
        return None if value.strip() and len(value) <= 40 else "is no card number"


@dataclass(frozen=True, slots=True)
class Form:
    """A value of a fixed form, printed as it stands or formatted; never typeset."""

    what: str
    fits: Callable[[str], object]

    def fault(self, value: str) -> str | None:
        """What is wrong with the value, or None."""
        try:
            fits = self.fits(value)
        except ValueError:
            fits = None
        return None if fits else f"is no {self.what}: {value[:40]!r}"


@dataclass(frozen=True, slots=True)
class Rows:
    """A list. `printed` rows are on the paper; up to `most` in all, the rest on attached sheets."""

    least: int = 0
    printed: int = 500
    most: int = 500


Leaf = Text | Card | Form


def aware(value: str) -> datetime:
    """An ISO 8601 moment with its offset. Raises ValueError without one."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment needs an offset")
    return moment


Name = Annotated[str, Text(80)]
Line = Annotated[str, Text(200)]
Prose = Annotated[str, Text(5000, lines=True)]
CardNumber = Annotated[str, Card()]
Code = Annotated[str, Form("code (letters, digits, . _ / -)", _CODE.fullmatch)]
Instant = Annotated[str, Form("moment (ISO 8601 with offset)", aware)]
Day = Annotated[str, Form("day (YYYY-MM-DD)", date.fromisoformat)]
Month = Annotated[str, Form("month (YYYY-MM)", _MONTH.fullmatch)]
Amount = Annotated[str, Form("amount (two places)", _AMOUNT.fullmatch)]
Figure = Annotated[str, Form("decimal", _DECIMAL.fullmatch)]
Sha256 = Annotated[str, Form("SHA-256 (64 hexadecimal digits)", _SHA256.fullmatch)]
Web = Annotated[str, Form("web address", _WEB.fullmatch)]


@dataclass(frozen=True, slots=True)
class TooMany:
    """A list that holds more than a paper takes."""

    path: str
    rows: int
    most: int


def faults(kind: Any, value: object, path: str = "") -> Iterator[str | TooMany]:
    """Everything that is wrong with `value` as a `kind`, each with its path (`cases[3].card`)."""
    if is_typeddict(kind):
        yield from _object_faults(kind, value, path)
        return
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        yield from _annotated_faults(arguments[0], arguments[1], value, path)
    elif origin is Literal:
        if value not in arguments:
            yield f"{path}: is none of {', '.join(map(str, arguments))}"
    elif type(value) is not kind:
        yield f"{path}: is no {kind.__name__}"
    elif kind is int and isinstance(value, int) and value < 0:
        yield f"{path}: is negative"


def mapped(kind: Any, value: Any, change: Callable[[Leaf, str], str]) -> Any:
    """A plain copy of a sound `value`, every annotated text passed through `change`.

    A field that is absent or empty becomes None.
    """
    if is_typeddict(kind):
        return {
            key: None if value.get(key) in (None, "") else mapped(field.kind, value[key], change)
            for key, field in described(kind).items()
        }
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        inner, mark = arguments[0], arguments[1]
        if isinstance(mark, Rows):
            return [mapped(get_args(inner)[0], item, change) for item in value]
        return change(mark, value)
    return value


@dataclass(frozen=True, slots=True)
class Described:
    """A field of a TypedDict: its kind, and whether it must be there."""

    kind: Any
    required: bool


@cache
def described(kind: Any) -> dict[str, Described]:
    """The fields of a TypedDict."""
    fields = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        optional = get_origin(hint) is NotRequired
        fields[name] = Described(get_args(hint)[0] if optional else hint, not optional)
    return fields


def _object_faults(kind: Any, value: object, path: str) -> Iterator[str | TooMany]:
    if not isinstance(value, Mapping):
        yield f"{path or 'content'}: is no object"
        return
    fields = described(kind)
    for key in value.keys() - fields.keys():
        yield f"{_join(path, str(key))}: is not a field of this paper"
    for key, field in fields.items():
        if not field.required and value.get(key) in (None, ""):
            continue
        if key in value:
            yield from faults(field.kind, value[key], _join(path, key))
        else:
            yield f"{_join(path, key)}: is missing"


def _annotated_faults(inner: Any, mark: Any, value: object, path: str) -> Iterator[str | TooMany]:
    if isinstance(mark, Rows):
        yield from _list_faults(get_args(inner)[0], mark, value, path)
    elif not isinstance(value, str):
        yield f"{path}: is no text"
    elif fault := mark.fault(value):
        yield f"{path}: {fault}"


def _list_faults(item: Any, rows: Rows, value: object, path: str) -> Iterator[str | TooMany]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        yield f"{path}: is no list"
    elif len(value) > rows.most:
        yield TooMany(path, len(value), rows.most)
    elif len(value) < rows.least:
        yield f"{path}: needs at least {rows.least}"
    else:
        for index, member in enumerate(value):
            yield from faults(item, member, f"{path}[{index}]")


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
