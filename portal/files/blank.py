"""The empty workbook that people fill in: titles, formats, choices, notes, an example row.

ux.md, rule 8: Excel template out, filled Excel in. Columns of text are formatted as text, so that
Excel leaves card numbers alone.
"""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from portal.files.cells import Choice, Date, DateTime, Integer, Money, Parser, Percent
from portal.files.columns import Column, Template, example_cell
from portal.files.export import HEADER, NUMBER_FORMATS, Kind, safe_text, sheet_title
from portal.kernel.phrases import Phrase, phrase

_LAST_CHECKED = 20_000  # rows that offer the list of choices
_FORMATS: dict[Kind, Phrase] = {
    "text": phrase("text"),
    "integer": phrase("whole number"),
    "money": phrase("amount in yuan, at most two decimals"),
    "percent": phrase("share with a percent sign, such as 12.5"),
    "date": phrase("date, such as 2026-11-03"),
    "datetime": phrase("date and Beijing time, such as 2026-11-03 14:22"),
}
_NOTES = phrase("How to fill in")
_LISTS = phrase("Choices")
_HEADINGS = (
    phrase("Column"),
    phrase("Must be filled in"),
    phrase("What to write"),
    phrase("Format"),
    phrase("Example"),
)
_YES, _NO = phrase("yes"), phrase("no")
_INTRO = phrase(
    "Do not change the column titles. The grey row is an example: delete it or write over it; "
    "left as it is, it is not imported."
)
_CHOOSE = phrase("Choose from the list.")


def template_workbook(template: Template, lang: str = "zh_Hans_CN") -> bytes:
    """The template as XLSX. `lang` (`zh_Hans_CN`, `zh_Hant_TW`, `en`) chooses the titles.

    Notes are in the language of whoever asks, as every phrase is.
    """
    sink = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        sink, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    taken: set[str] = set()
    table = workbook.add_worksheet(sheet_title(template.title(lang), taken))
    notes = workbook.add_worksheet(sheet_title(str(_NOTES), taken))
    lists = workbook.add_worksheet(sheet_title(str(_LISTS), taken))
    lists.hide()
    _Filler(workbook, lang).fill(template, table, notes, lists)
    workbook.close()
    return sink.getvalue()


def format_kind(parser: Parser) -> Kind:
    """The cell format that suits a parser; text for everything that is not a number or date."""
    kinds: tuple[tuple[type, Kind], ...] = (
        (Integer, "integer"),
        (Money, "money"),
        (Percent, "percent"),
        (DateTime, "datetime"),
        (Date, "date"),
    )
    return next((kind for known, kind in kinds if isinstance(parser, known)), "text")


class _Filler:
    """Writes the three sheets of one template."""

    def __init__(self, workbook: Workbook, lang: str) -> None:
        self._workbook = workbook
        self._lang = lang
        self._header = workbook.add_format(HEADER)
        self._wrap = workbook.add_format({"text_wrap": True, "valign": "top"})

    def fill(
        self, template: Template, table: Worksheet, notes: Worksheet, lists: Worksheet
    ) -> None:
        """Everything."""
        table.freeze_panes(1, 0)
        table.set_row(0, 24)
        notes.set_column(0, 0, 18)
        notes.set_column(2, 4, 36)
        notes.write_string(0, 0, str(_INTRO))
        for index, word in enumerate(_HEADINGS):
            notes.write_string(2, index, str(word), self._header)
        for index, column in enumerate(template.columns):
            self._column(table, index, column)
            self._note(notes, index + 3, column)
            if isinstance(column.parser, Choice):
                self._choices(table, lists, index, column, column.parser)

    def _column(self, table: Worksheet, index: int, column: Column) -> None:
        kind = format_kind(column.parser)
        number_format = "0" if kind == "integer" else NUMBER_FORMATS[kind]
        look = self._workbook.add_format({"num_format": number_format})
        table.set_column(index, index, column.width, look)
        title = column.title(self._lang) + (" *" if column.required else "")
        table.write_string(0, index, safe_text(title), self._header)
        text = column.help(self._lang) or str(_FORMATS[kind])
        table.write_comment(0, index, safe_text(text), {"x_scale": 1.6})
        if (example := example_cell(column, self._lang)) != "":
            grey = self._workbook.add_format(
                {"num_format": number_format, "font_color": "#8A94A6", "italic": True}
            )
            self._write(table, index, example, kind, grey)

    def _write(self, table: Worksheet, index: int, value: Any, kind: Kind, look: Any) -> None:
        if isinstance(value, date):  # a datetime is one
            table.write_datetime(1, index, value, look)
        elif isinstance(value, (int, float)) and kind != "text":
            table.write_number(1, index, value, look)
        else:
            table.write_string(1, index, safe_text(value), look)

    def _note(self, notes: Worksheet, row: int, column: Column) -> None:
        cells = (
            column.title(self._lang),
            str(_YES if column.required else _NO),
            column.help(self._lang),
            str(_FORMATS[format_kind(column.parser)]),
            str(example_cell(column, self._lang)),
        )
        for index, text in enumerate(cells):
            notes.write_string(row, index, safe_text(text), self._wrap)

    def _choices(
        self, table: Worksheet, lists: Worksheet, index: int, column: Column, parser: Choice
    ) -> None:
        """A drop-down list, kept on a hidden sheet: lists in place end at 255 characters."""
        for row, option in enumerate(parser.options):
            lists.write_string(row, index, safe_text(option.label(self._lang)))
        name = xl_col_to_name(index, col_abs=True)
        sheet = lists.get_name().replace("'", "''")
        table.data_validation(
            1,
            index,
            _LAST_CHECKED,
            index,
            {
                "validate": "list",
                "source": f"='{sheet}'!{name}$1:{name}${len(parser.options)}",
                "error_title": column.title(self._lang)[:32],
                "error_message": str(_CHOOSE),
                "ignore_blank": not column.required,
            },
        )
