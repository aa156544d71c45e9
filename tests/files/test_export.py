"""Exports hold what was put in, as what it is; nothing in them runs."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.files import export
from portal.files.export import ExportColumn, ExportSheet, TooManyRows, sheet_title, xlsx

COLUMNS = (
    ExportColumn("案号"),
    ExportColumn("金额", "money"),
    ExportColumn("件数", "integer"),
    ExportColumn("日期", "date"),
    ExportColumn("时间", "datetime"),
    ExportColumn("比率", "percent"),
)
ROW = (
    "HC-1",
    Decimal("1234.50"),
    3,
    date(2026, 11, 3),
    datetime(2026, 11, 3, 6, 22, 33, tzinfo=UTC),
    Decimal("0.125"),
)


def opened(data: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data))


def test_each_kind_is_a_real_cell_with_its_format() -> None:
    total = ("合计", Decimal("1234.50"), 3, None, None, None)
    sheet = opened(xlsx([ExportSheet("清单", COLUMNS, [ROW], ["10月"], total)])).worksheets[0]
    assert [cell.value for cell in sheet[2]] == [column.title for column in COLUMNS]
    assert [cell.value for cell in sheet[3]] == [
        "HC-1",
        1234.5,
        3,
        datetime(2026, 11, 3),
        datetime(2026, 11, 3, 14, 22, 33),  # Beijing
        0.125,
    ]
    formats = ["@", "#,##0.00", "#,##0", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "0.00%"]
    assert [cell.number_format for cell in sheet[3]] == formats
    assert sheet["A1"].value == "10月"
    assert sheet["B4"].value == 1234.5
    assert sheet["B4"].font.b
    assert sheet.freeze_panes == "A3"
    assert sheet.auto_filter.ref == "A2:F3"  # the total is not filtered away


@pytest.mark.parametrize(
    "text",
    ["=1+1", "=cmd|' /C calc'!A0", "+86 138", "-5", "@SUM(A1)", "https://example.org", "00123"],
)
def test_text_stays_text(text: str) -> None:
    data = xlsx([ExportSheet("s", [ExportColumn("t")], [(text,)])])
    cell = opened(data).worksheets[0]["A2"]
    assert (cell.value, cell.data_type) == (text, "s")
    assert cell.quotePrefix is text.startswith(("=", "+", "-", "@"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet
    assert b"hyperlink" not in sheet


@settings(max_examples=40)
@given(st.lists(st.lists(st.text(max_size=40), min_size=2, max_size=2), max_size=5))
def test_any_text_survives_but_for_what_xml_cannot_hold(rows: list[list[str]]) -> None:
    columns = [ExportColumn("a"), ExportColumn("b")]
    sheet = opened(xlsx([ExportSheet("s", columns, rows)])).worksheets[0]
    for number, cells in enumerate(rows, start=2):
        for index, text in enumerate(cells, start=1):
            value = sheet.cell(number, index).value or ""
            assert str(value) == export.safe_text(text)


@given(st.lists(st.text(max_size=50), max_size=6))
def test_sheet_titles_are_what_excel_takes(titles: list[str]) -> None:
    taken: set[str] = set()
    made = [sheet_title(title, taken) for title in titles]
    assert len({title.casefold() for title in made}) == len(titles)
    for title in made:
        assert 0 < len(title) <= 31
        assert not set(title) & set("[]:*?/\\")
        assert not title.startswith("'")


def test_many_rows_stream_to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: Any = ((f"HC-{i}",) for i in range(5000))
    with (tmp_path / "a.xlsx").open("wb") as target:
        assert xlsx([ExportSheet("s", [ExportColumn("a")], rows)], target) == b""
    book = openpyxl.load_workbook(tmp_path / "a.xlsx", read_only=True)
    assert sum(1 for _ in book.worksheets[0].iter_rows()) == 5001
    book.close()
    monkeypatch.setattr(export, "MAX_ROWS", 10)
    with pytest.raises(TooManyRows):
        xlsx([ExportSheet("s", [ExportColumn("a")], [("x",)] * 11)])
