"""Workbooks that the portal gives out: lists, statements, templates' relatives.

Everything is written as what it is: text stays text even when it looks like a formula or an
address, money and dates are real numbers with a format. Rows stream to disk, so memory does not
grow with their number.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, BinaryIO, Literal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from portal.kernel.clock import beijing

Kind = Literal["text", "integer", "money", "percent", "date", "datetime"]

MAX_ROWS = 1_048_575
_MAX_TEXT = 32_767
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_BAD_IN_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")

NUMBER_FORMATS: dict[Kind, str] = {
    "text": "@",
    "integer": "#,##0",
    "money": "#,##0.00",
    "percent": "0.00%",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm:ss",
}
_WIDTHS: dict[Kind, int] = {
    "text": 18,
    "integer": 10,
    "money": 15,
    "percent": 10,
    "date": 12,
    "datetime": 20,
}
HEADER: dict[str, Any] = {
    "bold": True,
    "font_color": "#FFFFFF",
    "bg_color": "#0052D9",
    "border": 1,
    "border_color": "#C9D4E5",
    "valign": "vcenter",
    "text_wrap": True,
}


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """A column of an export: its title as the reader sees it, what it holds, its width."""

    title: str
    kind: Kind = "text"
    width: int = 0


@dataclass(frozen=True, slots=True)
class ExportSheet:
    """One sheet. `notes` stand above the table, one a row; `total` below it in bold.

    Cells are None or fit their column: text, int, Decimal, date; an aware datetime is written as
    Beijing time. A text in a number's column is written as text ("—").
    """

    title: str
    columns: Sequence[ExportColumn]
    rows: Iterable[Sequence[Any]]
    notes: Sequence[str] = ()
    total: Sequence[Any] | None = None


class TooManyRows(ValueError):
    """A sheet would have more rows than Excel shows."""


def xlsx(sheets: Iterable[ExportSheet], target: BinaryIO | None = None) -> bytes:
    """Write a workbook: to `target` (then the answer is empty), or return its bytes.

    Raises `TooManyRows` beyond Excel's limit.
    """
    sink = target if target is not None else io.BytesIO()
    workbook = open_workbook(sink)
    formats = _Formats(workbook)
    titles: set[str] = set()
    try:
        for sheet in sheets:
            worksheet = workbook.add_worksheet(sheet_title(sheet.title, titles))
            _write(worksheet, sheet, formats)
    finally:
        workbook.close()
    return sink.getvalue() if isinstance(sink, io.BytesIO) and target is None else b""


def open_workbook(sink: BinaryIO) -> Workbook:
    """A workbook whose text is never taken for a formula, a number or an address."""
    return xlsxwriter.Workbook(
        sink,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )


def sheet_title(title: str, taken: set[str]) -> str:
    """A title that Excel accepts (31 characters, none of []:*?/\\), unlike those `taken`."""
    base = _BAD_IN_TITLE.sub(" ", title).strip().strip("'")[:31] or "Sheet"
    name, number = base, 2
    while name.casefold() in taken:
        suffix = f" ({number})"
        name, number = base[: 31 - len(suffix)] + suffix, number + 1
    taken.add(name.casefold())
    return name


def safe_text(value: object) -> str:
    """Text that XML can hold, as long as a cell may be."""
    text = _CONTROL.sub("", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return text[:_MAX_TEXT]


class _Formats:
    """The cell formats of one workbook, made when first needed."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._made: dict[tuple[str, bool, bool], Format] = {}
        self.header = workbook.add_format(HEADER)
        self.note = workbook.add_format({"font_color": "#5E6B82", "italic": True})

    def of(self, kind: Kind, *, bold: bool = False, quoted: bool = False) -> Format:
        """The format of a kind; `quoted`: Excel keeps the text a text when it is edited."""
        key = (kind, bold, quoted)
        if key not in self._made:
            wanted = {"num_format": NUMBER_FORMATS[kind], "bold": bold, "quote_prefix": quoted}
            self._made[key] = self._workbook.add_format(wanted)
        return self._made[key]


def _write(worksheet: Worksheet, sheet: ExportSheet, formats: _Formats) -> None:
    for index, column in enumerate(sheet.columns):
        worksheet.set_column(index, index, column.width or _WIDTHS[column.kind])
    top = len(sheet.notes)
    worksheet.freeze_panes(top + 1, 0)
    for number, note in enumerate(sheet.notes):
        worksheet.write_string(number, 0, safe_text(note), formats.note)
    worksheet.set_row(top, 22)
    for index, column in enumerate(sheet.columns):
        worksheet.write_string(top, index, safe_text(column.title), formats.header)
    last = top
    for last, cells in _numbered(sheet.rows, top + 1):
        _write_row(worksheet, last, sheet.columns, cells, formats, bold=False)
    if sheet.columns:
        worksheet.autofilter(top, 0, max(last, top), len(sheet.columns) - 1)
    if sheet.total is not None:
        _write_row(worksheet, last + 1, sheet.columns, sheet.total, formats, bold=True)


def _numbered(rows: Iterable[Sequence[Any]], first: int) -> Iterator[tuple[int, Sequence[Any]]]:
    for number, cells in enumerate(rows, start=first):
        if number > MAX_ROWS:
            raise TooManyRows(f"over {MAX_ROWS} rows")
        yield number, cells


def _write_row(
    worksheet: Worksheet,
    row: int,
    columns: Sequence[ExportColumn],
    cells: Sequence[Any],
    formats: _Formats,
    *,
    bold: bool,
) -> None:
    for index, (column, value) in enumerate(zip(columns, cells, strict=True)):
        if value is not None and value != "":
            _write_cell(worksheet, row, index, column.kind, value, formats, bold=bold)


def _write_cell(
    worksheet: Worksheet,
    row: int,
    index: int,
    kind: Kind,
    value: Any,
    formats: _Formats,
    *,
    bold: bool,
) -> None:
    if isinstance(value, datetime):
        local = beijing(value).replace(tzinfo=None) if value.tzinfo else value
        worksheet.write_datetime(row, index, local, formats.of(kind, bold=bold))
    elif isinstance(value, date):
        worksheet.write_datetime(row, index, value, formats.of(kind, bold=bold))
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool) and kind != "text":
        worksheet.write_number(row, index, value, formats.of(kind, bold=bold))
    else:
        text = safe_text(value)
        quoted = text.startswith(_FORMULA_START)
        worksheet.write_string(row, index, text, formats.of("text", bold=bold, quoted=quoted))
