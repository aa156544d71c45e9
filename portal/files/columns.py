"""The declaration of a table that people fill in: columns, titles, parsers, examples."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from portal.files.cells import Cell, Choice, Parser, Text
from portal.files.problems import CellError, Problem
from portal.kernel.clock import beijing

_NOISE = re.compile("[\\s*\u200b-\u200f\ufeff]")
_REQUIRED_MARK = re.compile(r"\((?:必填|必須|required)\)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. A file may title it in any language, by its key or by an alias.

    `required`: no row may leave it empty, and the column must be there. `unique`: no value
    twice in a file. `personal`: what it holds is never shown in a list of errors. `example` and
    `help_*` go into the template; `width` is in characters.
    """

    key: str
    title_zh: str
    title_en: str
    parser: Parser = field(default_factory=Text)
    required: bool = False
    unique: bool = False
    personal: bool = False
    title_hant: str = ""
    aliases: tuple[str, ...] = ()
    example: Cell | Decimal = ""
    help_zh: str = ""
    help_en: str = ""
    help_hant: str = ""
    width: int = 14

    def title(self, lang: str) -> str:
        """The title in a language (`en`, `zh_Hans_CN`, `zh_Hant_TW`)."""
        named = {"en": self.title_en, "zh_Hant_TW": self.title_hant}.get(lang)
        return named or self.title_zh

    def help(self, lang: str) -> str:
        """What to write into the column, in a language."""
        named = {"en": self.help_en, "zh_Hant_TW": self.help_hant}.get(lang)
        return named or self.help_zh

    def names(self) -> frozenset[str]:
        """Every title that means this column, folded by `fold_title`."""
        titles = (self.key, self.title_zh, self.title_en, self.title_hant, *self.aliases)
        return frozenset(fold_title(title) for title in titles if title)


@dataclass(frozen=True, slots=True)
class Template:
    """A table: its name (also the sheet's), its columns, how long it may be.

    `others_ignored`: the file comes from another system, so columns that are not part of the table
    are passed over; else each is an error, for it may be a title spelt wrong.
    """

    name: str
    columns: tuple[Column, ...]
    title_zh: str = ""
    title_en: str = ""
    title_hant: str = ""
    max_rows: int = 100_000
    others_ignored: bool = False

    def title(self, lang: str) -> str:
        """The sheet's title in a language."""
        named = {"en": self.title_en, "zh_Hant_TW": self.title_hant}.get(lang)
        return named or self.title_zh or self.name

    def titles(self) -> frozenset[str]:
        """Every name that the sheet may have, folded by `fold_title`."""
        names = (self.name, self.title_zh, self.title_en, self.title_hant)
        return frozenset(fold_title(name) for name in names if name)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file. `number` is Excel's. `values` by column key: absent where the cell is
    in error, None where it is empty."""

    number: int
    values: dict[str, Any]
    errors: tuple[CellError, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds. With `file_errors` the rows are incomplete or none."""

    rows: tuple[Row, ...] = ()
    file_errors: tuple[Problem, ...] = ()
    sheet: str = ""
    header_row: int = 0
    titles: dict[str, str] = field(default_factory=dict)
    """Column key to the title as it stands in the file."""
    letters: dict[str, str] = field(default_factory=dict)
    """Column key to its letter in Excel, for checks across cells."""

    @property
    def good(self) -> tuple[Row, ...]:
        """The rows without errors."""
        return tuple(row for row in self.rows if not row.errors)

    @property
    def errors(self) -> tuple[CellError, ...]:
        """Every cell error, in the order of the sheet."""
        return tuple(error for row in self.rows for error in row.errors)


def fold_title(title: str) -> str:
    """A column title for comparing: width, case, spaces and required marks do not count."""
    plain = _NOISE.sub("", unicodedata.normalize("NFKC", title)).casefold()
    return _REQUIRED_MARK.sub("", plain)


def example_cell(column: Column, lang: str = "zh_Hans_CN") -> Cell:
    """A column's example as it stands in the template's cell."""
    example = column.example
    if isinstance(example, Decimal):
        return float(example)
    if isinstance(example, datetime) and example.tzinfo:
        return beijing(example).replace(tzinfo=None)
    if isinstance(column.parser, Choice):
        return next((o.label(lang) for o in column.parser.options if o.value == example), example)
    return example


def letter(index: int) -> str:
    """The name Excel gives to the column with this index (0 is A, 26 is AA)."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name
