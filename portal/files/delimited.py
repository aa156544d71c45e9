"""Lines of delimited text (CSV, TSV) as other systems write them. Run this in the sandbox.

Encoding and separator are found, not asked for: UTF-8 with or without a mark, UTF-16 with one, else
GB18030; comma, tab, semicolon or bar, whichever the first lines have most of. What diallers put
around long numbers so that Excel keeps them (`="0138…"`, a tab, an apostrophe) is taken off.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from portal.files.cells import Cell
from portal.files.problems import Refused

MAX_BYTES = 64 << 20
MAX_LINES = 200_000
_MAX_CELL = 10_000
_SEPARATORS = ",\t;|"
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_QUOTED_FORMULA = re.compile(r'="(.*)"')


def is_workbook(start: bytes) -> bool:
    """Whether a file that begins so is a workbook of any kind, not text."""
    return start.startswith(_WORKBOOKS)


def lines(path: Path) -> list[list[Cell]]:
    """The cells of each line. Raises `Refused` for what is no text or is too long."""
    if path.stat().st_size > MAX_BYTES:
        raise Refused("too_large", most=MAX_BYTES >> 20)
    text = _text(path.read_bytes())
    if not text.strip():
        raise Refused("empty")
    head = text[:20_000].splitlines()[:30]
    separator = max(_SEPARATORS, key=lambda mark: sum(line.count(mark) for line in head))
    csv.field_size_limit(_MAX_CELL)
    found: list[list[Cell]] = []
    try:
        for cells in csv.reader(text.splitlines(keepends=True), delimiter=separator):
            found.append([_cell(cell) for cell in cells])
            if len(found) > MAX_LINES:
                raise Refused("too_many_rows", most=MAX_LINES)
    except csv.Error as error:
        raise Refused("unreadable") from error
    return found


def _text(data: bytes) -> str:
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return _decoded(data, encoding)
    if b"\x00" in data:
        raise Refused("unreadable")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _decoded(data, "gb18030")


def _decoded(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused("unreadable") from error


def _cell(text: str) -> str:
    plain = text.strip()
    if found := _QUOTED_FORMULA.fullmatch(plain):
        return found.group(1).strip()
    return plain.removeprefix("'")
