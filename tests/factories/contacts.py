"""Lists of calls for tests, as diallers write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime

import xlsxwriter

TITLES = (
    "通话ID",
    "案件编号",
    "被叫号码",
    "坐席分机",
    "坐席工号",
    "呼叫时间",
    "通话时长(秒)",
    "呼叫结果",
    "技能组",
)
Line = tuple[object, ...]


def line(
    number: int,
    at: str,
    seconds: object = 205,
    *,
    code: str = "HC",
    call_id: str = "",
    case_no: str | None = None,
    phone: str | None = None,
    result: str = "",
) -> Line:
    """A call of the vendor's case `number` at a Beijing time."""
    case = f"{code}-{number:05d}" if case_no is None else case_no
    called = phone or f"138{number:08d}"
    return (call_id, case, called, "8012", f"{code}004", at, seconds, result, "M1组")


def as_csv(lines: Sequence[Line], *, encoding: str = "gb18030", separator: str = ",") -> bytes:
    """The lines under a dialler's titles, with the tab that keeps Excel from eating numbers."""
    sink = io.StringIO()
    writer = csv.writer(sink, delimiter=separator)
    writer.writerow(TITLES)
    for one in lines:
        writer.writerow([*one[:2], f"\t{one[2]}" if separator != "\t" else one[2], *one[3:]])
    return sink.getvalue().encode(encoding)


def as_xlsx(lines: Sequence[Line], *, date1904: bool = False) -> bytes:
    """The lines as a workbook, with real dates, counted from 1900 or 1904."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True, "date_1904": date1904})
    sheet = book.add_worksheet("Sheet1")
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    sheet.write_row(0, 0, TITLES)
    for row, one in enumerate(lines, start=1):
        for column, value in enumerate(one):
            if column == 5:
                at = datetime.fromisoformat(str(value))
                sheet.write_datetime(row, column, at, moment)
            elif isinstance(value, str):
                sheet.write_string(row, column, value)
            else:
                sheet.write(row, column, value)
    book.close()
    return sink.getvalue()
