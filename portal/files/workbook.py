"""Read a table out of an uploaded XLSX, with errors exact by row and column.

`read_table` unpacks and parses in the sandbox, so a bomb, a crash or a file without end is a
`Problem` like any other. `template_workbook` (in `blank`) makes the file that people fill in.
"""

from __future__ import annotations

import difflib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from portal.files import delimited, sandbox
from portal.files.archive import unpack
from portal.files.blank import template_workbook
from portal.files.cells import Bad, Book, Cell, blank, error_value, shown
from portal.files.columns import Column, Row, Table, Template, example_cell, fold_title, letter
from portal.files.problems import CellError, Problem, Refused

__all__ = [
    "Column",
    "Row",
    "Table",
    "Template",
    "read_list",
    "read_table",
    "sheet_count",
    "template_workbook",
]

HEADER_WITHIN = 30
_MAX_SHEETS = 30
_SHOWN_RANGES = 5
_LIMITS = sandbox.Limits(memory=1536 << 20, cpu=60, wall=90.0, written=1 << 30)


def read_table(path: Path, template: Template, *, lang: str = "zh_Hans_CN") -> Table:
    """The rows of the workbook at `path` that follow `template`.

    Never raises for what is in the file: problems of the whole file are in `file_errors`,
    problems of cells with their row. `lang` chooses the titles that messages quote.
    """
    outcome = sandbox.run(_read_here, path, template, lang, limits=_LIMITS)
    if outcome.value is not None:
        return outcome.value
    code = "unreadable" if outcome.status is sandbox.Status.ERROR else "too_complex"
    return Table(file_errors=(Problem(code),))


def sheet_count(path: Path) -> int:
    """How many sheets the workbook has; in this process. Raises `Refused`."""
    with _opened(path) as (workbook, _):
        return len(workbook.sheet_names)


@dataclass(frozen=True, slots=True)
class _Header:
    """Where the titles stand: `row` from 0, columns by index."""

    row: int
    columns: dict[int, Column]
    titles: dict[int, str]


@contextmanager
def _opened(path: Path) -> Iterator[tuple[CalamineWorkbook, Book]]:
    """The plain copy of an upload, opened by the reader."""
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        plain = Path(folder) / "plain.xlsx"
        found = unpack(path, plain)
        try:
            with CalamineWorkbook.from_path(plain) as workbook:
                yield workbook, Book(date1904=found.date1904)
        except PasswordError as error:
            raise Refused("workbook_encrypted") from error
        except CalamineError as error:
            raise Refused("unreadable") from error


def _read_here(path: Path, template: Template, lang: str) -> Table:
    try:
        with _opened(path) as (workbook, book):
            return _read(workbook, book, template, lang)
    except Refused as refused:
        return Table(file_errors=(refused.problem,))


def _read(workbook: CalamineWorkbook, book: Book, template: Template, lang: str) -> Table:
    sheet, header = _find_header(workbook, template, lang)
    file_errors = _header_errors(header, template, lang)
    merged = _merged(sheet, header)
    if merged:
        file_errors.append(merged)
    return _table(_cells(sheet), header, book, template, file_errors, sheet.name)


def _table(
    lines: Iterable[list[Cell]],
    header: _Header,
    book: Book,
    template: Template,
    file_errors: list[Problem],
    sheet: str,
) -> Table:
    """The table below a header that was found."""
    titles = {column.key: header.titles[index] for index, column in header.columns.items()}
    letters = {column.key: letter(index) for index, column in header.columns.items()}
    rows: list[Row] = []
    if not file_errors:
        rows = list(islice(_rows(lines, header, book, template), template.max_rows + 1))
        if not rows:
            file_errors.append(Problem("no_rows"))
        elif len(rows) > template.max_rows:
            rows.pop()
            file_errors.append(Problem("too_many_rows", {"most": template.max_rows}))
    return Table(tuple(rows), tuple(file_errors), sheet, header.row + 1, titles, letters)


def read_list(path: Path, template: Template, *, lang: str = "zh_Hans_CN") -> Table:
    """The rows of a list that another system wrote: a workbook, or CSV in whatever encoding and
    with whatever separator. Like `read_table` else."""
    outcome = sandbox.run(read_list_here, path, template, lang, limits=_LIMITS)
    if outcome.value is not None:
        return outcome.value
    code = "unreadable" if outcome.status is sandbox.Status.ERROR else "too_complex"
    return Table(file_errors=(Problem(code),))


def read_list_here(path: Path, template: Template, lang: str) -> Table:
    """`read_list` in this process, which must be the sandbox's."""
    with path.open("rb") as file:
        start = file.read(8)
    if delimited.is_workbook(start):
        return _read_here(path, template, lang)
    try:
        lines = delimited.lines(path)
    except Refused as refused:
        return Table(file_errors=(refused.problem,))
    known = _known(template)
    headers = [_as_header(at, cells, known) for at, cells in enumerate(lines[:HEADER_WITHIN])]
    header = max(headers, key=lambda one: len(one.columns), default=None)
    if header is None or len(header.columns) < min(2, len(template.columns)):
        return Table(file_errors=(_no_header(template, lang),))
    errors = _header_errors(header, template, lang)
    return _table(lines, header, Book(), template, errors, "")


def _known(template: Template) -> dict[str, Column]:
    return {name: column for column in template.columns for name in column.names()}


def _no_header(template: Template, lang: str) -> Problem:
    titles = "、".join(column.title(lang) for column in template.columns)
    return Problem("no_header", {"rows": HEADER_WITHIN, "titles": titles})


def _find_header(
    workbook: CalamineWorkbook, template: Template, lang: str
) -> tuple[CalamineSheet, _Header]:
    """The sheet and row that hold the most of the table's titles."""
    visible = [
        meta.name
        for meta in workbook.sheets_metadata
        if meta.typ == SheetTypeEnum.WorkSheet and meta.visible == SheetVisibleEnum.Visible
    ]
    if not visible:
        raise Refused("no_sheet")
    named = template.titles()
    visible.sort(key=lambda name: fold_title(name) not in named)
    known = _known(template)
    best: tuple[CalamineSheet, _Header] | None = None
    for name in visible[:_MAX_SHEETS]:
        sheet = workbook.get_sheet_by_name(name)
        for number, cells in enumerate(islice(_cells(sheet), HEADER_WITHIN)):
            header = _as_header(number, cells, known)
            if best is None or len(header.columns) > len(best[1].columns):
                best = sheet, header
        if best and len(best[1].columns) >= len(template.columns) / 2:
            return best
    needed = min(2, len(template.columns))
    if best is None or len(best[1].columns) < needed:
        problem = _no_header(template, lang)
        raise Refused(problem.code, **problem.params)
    return best


def _as_header(number: int, cells: Sequence[Cell], known: dict[str, Column]) -> _Header:
    titles = {
        index: shown(cell)
        for index, cell in enumerate(cells)
        if isinstance(cell, str) and not blank(cell)
    }
    columns = {}
    for index in titles:
        column = known.get(fold_title(str(cells[index])))
        if column is not None:
            columns[index] = column
    return _Header(number, columns, titles)


def _header_errors(header: _Header, template: Template, lang: str) -> list[Problem]:
    """Columns that are missing, doubled or unknown."""
    problems: list[Problem] = []
    places: dict[str, list[int]] = {}
    for index, column in header.columns.items():
        places.setdefault(column.key, []).append(index)
    for indexes in places.values():
        if len(indexes) > 1:
            letters = ", ".join(letter(index) for index in indexes)
            title = header.titles[indexes[0]]
            problems.append(Problem("duplicate_column", {"title": title, "letters": letters}))
    absent = [column for column in template.columns if column.key not in places]
    guesses = {fold_title(column.title(lang)): column.title(lang) for column in absent}
    for index, title in header.titles.items():
        if index not in header.columns and not template.others_ignored:
            params = {"letter": letter(index), "title": title}
            close = difflib.get_close_matches(fold_title(title), guesses, 1, 0.5)
            if close:
                params["meant"] = guesses[close[0]]
            problems.append(Problem("renamed_column" if close else "unknown_column", {**params}))
    missing = [column.title(lang) for column in absent if column.required]
    if missing:
        problems.append(Problem("missing_columns", {"titles": "、".join(missing)}))
    return problems


def _merged(sheet: CalamineSheet, header: _Header) -> Problem | None:
    """Merged cells that touch the table, its titles included."""
    first, last = min(header.columns), max(header.columns)
    ranges = [
        f"{letter(left)}{top + 1}:{letter(right)}{bottom + 1}"
        for (top, left), (bottom, right) in sheet.merged_cell_ranges or ()
        if bottom >= header.row and left <= last and right >= first
    ]
    if not ranges:
        return None
    more = " …" if len(ranges) > _SHOWN_RANGES else ""
    return Problem("merged_cells", {"ranges": ", ".join(ranges[:_SHOWN_RANGES]) + more})


def _cells(sheet: CalamineSheet) -> Iterator[list[Cell]]:
    """Every row from Excel's row 1 on, every cell from column A on."""
    before: list[Cell] = [""] * (sheet.start[1] if sheet.start else 0)
    for cells in sheet.iter_rows():
        yield before + cells if before else cells


def _rows(
    lines: Iterable[list[Cell]], header: _Header, book: Book, template: Template
) -> Iterator[Row]:
    """The rows below the titles that hold anything; `lines` from the file's first on."""
    reader = _RowReader(header, book)
    example = _example(template, book)
    for number, cells in enumerate(lines, start=1):
        if number <= header.row + 1:
            continue
        row = reader.read(number, cells)
        if row is None:
            continue
        given = {key: value for key, value in row.values.items() if value is not None}
        if example and not row.errors and given == example:
            example = {}  # the template's own example, left in place: only once
            reader.forget(number)
            continue
        yield row


def _example(template: Template, book: Book) -> dict[str, Any]:
    """The template's example row as it would be read."""
    return {
        column.key: column.parser.parse(cell, book)
        for column in template.columns
        if not blank(cell := example_cell(column))
    }


class _RowReader:
    """Turns the cells of one row after the other into a `Row`."""

    def __init__(self, header: _Header, book: Book) -> None:
        self._header = header
        self._book = book
        self._columns = sorted(header.columns.items())
        self._seen: dict[str, dict[Any, int]] = {
            column.key: {} for column in header.columns.values() if column.unique
        }

    def read(self, number: int, cells: Sequence[Cell]) -> Row | None:
        """The row, or None if nothing is in it."""
        wanted = [(i, column, cells[i] if i < len(cells) else "") for i, column in self._columns]
        if all(blank(cell) for _, _, cell in wanted):
            return None
        values: dict[str, Any] = {}
        errors: list[CellError] = []
        for index, column, cell in wanted:
            try:
                values[column.key] = self._value(number, column, cell)
            except Bad as bad:
                title = self._header.titles[index]
                text = "" if column.personal else shown(cell)
                errors.append(CellError(number, letter(index), title, bad.code, bad.params, text))
        return Row(number, values, tuple(errors))

    def forget(self, number: int) -> None:
        """Leave a row out of the search for doubled values."""
        for seen in self._seen.values():
            for value in [value for value, row in seen.items() if row == number]:
                del seen[value]

    def _value(self, number: int, column: Column, cell: Cell) -> Any:
        if blank(cell):
            if column.required:
                raise Bad("required")
            return None
        error = error_value(cell)
        if error is not None:
            raise Bad("formula_error", error=error)
        value = column.parser.parse(cell, self._book)
        if column.unique:
            first = self._seen[column.key].setdefault(value, number)
            if first != number:
                raise Bad("duplicate_value", row=first)
        return value
