"""Uploaded tables: what is right is read, what is wrong is named by its cell (ux.md, rule 8)."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from portal.files.archive import unpack
from portal.files.columns import Table, letter
from portal.files.problems import Refused, describe
from portal.files.workbook import read_table, template_workbook
from tests.files import samples
from tests.files.samples import CASES, SHEET, TITLES

GOOD = [
    "HC-1",
    "6225880123456789",
    "13800001234",
    1234.5,
    45,
    date(2026, 11, 3),
    None,
    0.125,
    "在案",
]


def row(**changes: object) -> list[object]:
    """A good row with some cells changed, by column key."""
    keys = [column.key for column in CASES.columns]
    return [changes.get(key, value) for key, value in zip(keys, GOOD, strict=True)]


def found(table: Table) -> dict[str, str]:
    """Address and code of each cell error."""
    return {error.cell: error.code for error in table.errors}


def codes(table: Table) -> list[str]:
    for problem in table.file_errors:
        assert str(problem.message)
    return [problem.code for problem in table.file_errors]


def test_every_kind_of_cell_is_read(tmp_path: Path) -> None:
    path = samples.workbook(
        tmp_path / "a.xlsx",
        [
            row(called=datetime(2026, 11, 3, 14, 22, 33)),
            [None] * 9,
            row(
                case_no=20260001,
                card="6225 8801-2345 6789",
                phone=13800001234.0,
                amount="¥1,234.50",
                days="45",
                entrusted="2026年11月3日",
                called="2026/11/3 14:22",
                rate="12.5%",
                status="IN HAND",
            ),
        ],
    )
    table = read_table(path, CASES)
    assert not table.file_errors
    assert not table.errors
    assert [r.number for r in table.rows] == [2, 4]
    assert table.rows[0].values == {
        "case_no": "HC-1",
        "card": "6225880123456789",
        "phone": "13800001234",
        "amount": Decimal("1234.50"),
        "days": 45,
        "entrusted": date(2026, 11, 3),
        "called": datetime(2026, 11, 3, 6, 22, 33, tzinfo=UTC),
        "rate": Decimal("0.125"),
        "status": "in_hand",
    }
    assert table.rows[1].values == {
        **table.rows[0].values,
        "case_no": "20260001",
        "called": datetime(2026, 11, 3, 6, 22, tzinfo=UTC),
    }


def test_errors_are_exact_by_row_and_column(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook, sheet: Worksheet) -> None:
        sheet.insert_rows(1, 3)  # a title above the table
        sheet.insert_cols(1)
        sheet["A1"] = "十一月委案"
        sheet.merge_cells("A1:J1")
        for cell in ("E6", "F6"):
            sheet[cell] = "#REF!"
            sheet[cell].data_type = "e"

    rows = [
        row(case_no=None, card=6.22588012345678e15, amount=10.125, days=1.5),
        row(case_no="HC-2", phone="12345", entrusted="03/11/26", rate=12.5, status="不明"),
        row(case_no="HC-3"),
        row(case_no="HC-3", card="6225x", called="gestern", amount="-5"),
    ]
    table = read_table(samples.workbook(tmp_path / "a.xlsx", rows, change=change), CASES)
    assert codes(table) == []
    assert table.header_row == 4
    assert found(table) == {
        "B5": "required",
        "C5": "card_is_number",
        "E5": "money_decimals",
        "F5": "not_integer",
        "D6": "not_phone",
        "E6": "formula_error",
        "F6": "formula_error",
        "G6": "date_unclear",
        "I6": "percent_unclear",
        "J6": "not_choice",
        "B8": "duplicate_value",
        "C8": "not_card",
        "E8": "too_small",
        "H8": "not_date",
    }
    assert [r.number for r in table.good] == [7]
    by_cell = {error.cell: error for error in table.errors}
    assert by_cell["E5"].title == "委案金额"
    assert by_cell["E5"].shown == "10.125"
    assert by_cell["C5"].shown == ""  # personal data
    assert by_cell["B8"].params == {"row": 7}
    assert by_cell["E6"].params == {"error": "#REF!"}
    assert all(str(describe(error.code, error.params)) for error in table.errors)


def test_dates_of_both_systems_and_all_notations(tmp_path: Path) -> None:
    def mac(book: openpyxl.Workbook, sheet: Worksheet) -> None:
        book.epoch = CALENDAR_MAC_1904

    values = [date(2026, 11, 3), "2026-11-03", "2026/11/3", "2026.11.3", "20261103", 20261103]
    for name, change, serial in (("w", lambda *_: None, 46329), ("m", mac, 44867)):
        rows = [row(case_no=f"{i}", entrusted=v) for i, v in enumerate([*values, serial])]
        path = samples.workbook(tmp_path / f"{name}.xlsx", rows, change=change)
        table = read_table(path, CASES)
        assert not table.errors
        assert {r.values["entrusted"] for r in table.rows} == {date(2026, 11, 3)}


@pytest.mark.parametrize("lang", ["zh_Hans_CN", "zh_Hant_TW", "en"])
def test_the_template_comes_back(tmp_path: Path, lang: str) -> None:
    path = tmp_path / "t.xlsx"
    path.write_bytes(template_workbook(CASES, lang))
    assert codes(read_table(path, CASES)) == ["no_rows"]  # its own example is not data
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    assert sheet["B2"].number_format == "@"
    assert [v.type for v in sheet.data_validations.dataValidation] == ["list"]
    assert sheet.freeze_panes == "A2"
    sheet.append(GOOD)
    book.save(path)
    table = read_table(path, CASES, lang=lang)
    assert codes(table) == []
    assert [r.number for r in table.good] == [3]
    assert table.titles["status"] == CASES.columns[-1].title(lang)


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[A-Z]{2}-[1-9][0-9]{3,6}", fullmatch=True),
            st.from_regex(r"[0-9]{12,19}", fullmatch=True),
            st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
            st.decimals(0, 9_999_999, places=2),
            st.dates(date(2000, 1, 1), date(2090, 1, 1)),
            st.sampled_from(["in_hand", "settled"]),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda r: r[0],
    )
)
def test_what_is_filled_in_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[object, ...]]
) -> None:
    path = tmp_path_factory.mktemp("round") / "t.xlsx"
    path.write_bytes(template_workbook(CASES))
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for case_no, card, phone, amount, day, status in rows:
        label = {"in_hand": "在案", "settled": "结清"}[str(status)]
        sheet.append([case_no, card, phone, amount, 1, day, None, None, label])
    book.save(path)
    table = read_table(path, CASES)
    assert not table.errors
    keys = ("case_no", "card", "phone", "amount", "entrusted", "status")
    assert [tuple(r.values[key] for key in keys) for r in table.rows] == rows


def test_columns_missing_doubled_unknown_and_renamed(tmp_path: Path) -> None:
    titles = ["案号", "卡号", "手机号码", "手机号", "手机号", "逾期天数", "备注"]
    table = read_table(samples.workbook(tmp_path / "a.xlsx", [["x"] * 7], titles=titles), CASES)
    assert [(p.code, p.params) for p in table.file_errors] == [
        ("duplicate_column", {"title": "手机号", "letters": "D, E"}),
        ("unknown_column", {"letter": "C", "title": "手机号码"}),
        ("unknown_column", {"letter": "G", "title": "备注"}),
        ("missing_columns", {"titles": "委案金额"}),
    ]
    titles = [*TITLES[:3], "委托金额", *TITLES[4:]]
    table = read_table(samples.workbook(tmp_path / "b.xlsx", [GOOD], titles=titles), CASES)
    assert table.file_errors[0].params == {"letter": "D", "title": "委托金额", "meant": "委案金额"}
    titles = [
        "案号 *",
        "Card No.",
        "PHONE",
        "amount",
        "逾期 天数",
        "委案日期(必填)",
        *TITLES[6:8],
        "狀態",
    ]
    assert (
        codes(read_table(samples.workbook(tmp_path / "c.xlsx", [GOOD], titles=titles), CASES)) == []
    )


def test_merged_cells_in_the_table_are_named(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook, sheet: Worksheet) -> None:
        sheet.merge_cells("B2:C4")
        sheet.merge_cells("Z1:AA9")  # beside the table

    table = read_table(samples.workbook(tmp_path / "a.xlsx", [GOOD] * 3, change=change), CASES)
    assert [p.params for p in table.file_errors] == [{"ranges": "B2:C4"}]


def test_hidden_sheets_are_not_read(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook, sheet: Worksheet) -> None:
        sheet.sheet_state = "hidden"
        book.create_sheet("Notes")["A1"] = "nothing here"

    table = read_table(samples.workbook(tmp_path / "a.xlsx", [GOOD], change=change), CASES)
    assert codes(table) == ["no_header"]
    assert "委案金额" in str(table.file_errors[0].message)


def test_too_many_rows(tmp_path: Path) -> None:
    few = type(CASES)(CASES.name, CASES.columns, max_rows=3)
    rows = [row(case_no=f"HC-{i}") for i in range(5)]
    table = read_table(samples.workbook(tmp_path / "a.xlsx", rows), few)
    assert codes(table) == ["too_many_rows"]
    assert len(table.rows) == 3


def zip_bomb(path: Path) -> Path:
    """A sheet of 64 MB in 64 kB, its declared size a lie."""
    head = samples.part(path).split(b"<sheetData>")[0] + b"<sheetData>"
    filler = b'<row r="1"><c r="A1" t="inlineStr"><is><t>' + b"0" * (64 << 20)
    samples.rezipped(path, replace={SHEET: head + filler})
    return wrong_size(path, 1000)


def wrong_size(path: Path, size: int) -> Path:
    """The sheet's size in both directories is said to be `size`."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(SHEET)
    struct.pack_into("<I", data, entry.header_offset + 22, size)
    at = data.rfind(SHEET.encode()) - 46
    struct.pack_into("<I", data, at + 24, size)
    path.write_bytes(data)
    return path


def many_entries(path: Path) -> Path:
    return samples.rezipped(path, add=[(f"xl/media/{i}.png", b"") for i in range(2100)])


def far_cell(path: Path) -> Path:
    data = samples.part(path)
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return samples.rezipped(path, replace={SHEET: data.replace(b"</sheetData>", far)})


def entities(path: Path) -> Path:
    data = samples.part(path)
    dtd = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    at = data.find(b"<worksheet")
    return samples.rezipped(path, replace={SHEET: data[:at] + dtd + data[at:]})


def cut_short(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-400])
    return path


def broken_xml(path: Path) -> Path:
    return samples.rezipped(path, replace={SHEET: samples.part(path)[:300]})


def flipped(path: Path) -> Path:
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo(SHEET).header_offset + 80
    data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)
    return path


def with_text(text: bytes):  # type: ignore[no-untyped-def]
    def make(path: Path) -> Path:
        path.write_bytes(text)
        return path

    return make


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (zip_bomb, {"workbook_bomb"}),
        (lambda p: wrong_size(p, 40), {"workbook_odd"}),
        (lambda p: wrong_size(p, (4 << 30) - 5), {"workbook_odd"}),
        (many_entries, {"workbook_bomb"}),
        (far_cell, {"too_complex"}),
        (entities, {"workbook_odd"}),
        (cut_short, {"unreadable"}),
        (broken_xml, {"unreadable"}),
        (flipped, {"unreadable"}),
        (lambda p: samples.rezipped(p, add=[("xl/vbaProject.bin", b"x")]), {"workbook_macros"}),
        (lambda p: samples.rezipped(p, add=[("XL/Workbook.xml", b"x")]), {"workbook_odd"}),
        (lambda p: samples.rezipped(p, add=[("../evil.xml", b"x")]), {"workbook_odd"}),
        (lambda p: samples.rezipped(p, drop=["xl/workbook.xml"]), {"not_xlsx"}),
        (with_text(b""), {"empty"}),
        (with_text("案号,卡号\r\n1,2\r\n".encode("gb18030")), {"csv_renamed"}),
        (with_text(b"<html><table></table></html>"), {"not_xlsx"}),
        (with_text(samples.pdf()), {"not_xlsx"}),
        (with_text(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(5000)), {"old_xls"}),
        (
            with_text(
                bytes.fromhex("d0cf11e0a1b11ae1")
                + bytes(1000)
                + "EncryptedPackage".encode("utf-16-le")
                + bytes(1000)
            ),
            {"workbook_encrypted"},
        ),
    ],
)
def test_hostile_and_mistaken_files_are_refused_with_a_reason(
    tmp_path: Path,
    make: Callable[[Path], Path],
    code: set[str],
) -> None:
    table = read_table(make(samples.workbook(tmp_path / "a.xlsx", [GOOD])), CASES)
    assert set(codes(table)) <= code
    assert table.file_errors
    assert not table.rows


def test_a_bomb_that_tells_its_true_size_is_stopped_too(tmp_path: Path) -> None:
    path = samples.workbook(tmp_path / "a.xlsx", [GOOD])
    samples.rezipped(path, replace={SHEET: samples.part(path) + b" " * (64 << 20)})
    assert codes(read_table(path, CASES)) == ["workbook_bomb"]


def test_all_parts_together_are_capped_by_what_they_really_hold(tmp_path: Path) -> None:
    path = samples.workbook(tmp_path / "a.xlsx", [row(case_no=f"HC-{i}") for i in range(2000)])
    most = len(samples.part(path)) + 5000
    assert unpack(path, tmp_path / "plain", most=2 * most).inflated > most
    with pytest.raises(Refused, match="workbook_bomb"):
        unpack(path, tmp_path / "plain", most=most)


def test_pictures_in_a_workbook_are_not_even_unpacked(tmp_path: Path) -> None:
    path = samples.workbook(tmp_path / "a.xlsx", [GOOD])
    samples.rezipped(path, add=[("xl/media/image1.png", bytes(64 << 20))])
    assert codes(read_table(path, CASES)) == []


def test_error_cells_are_found_across_chunks(tmp_path: Path) -> None:
    def change(book: openpyxl.Workbook, sheet: Worksheet) -> None:
        for number in range(2, 1502):
            sheet.cell(number, 4).value = "#N/A"
            sheet.cell(number, 4).data_type = "e"

    rows = [row(case_no=f"HC-{i}") for i in range(1500)]
    table = read_table(samples.workbook(tmp_path / "a.xlsx", rows, change=change), CASES)
    assert len(table.errors) == 1500
    assert {error.letter for error in table.errors} == {"D"}


def test_column_letters() -> None:
    assert [letter(i) for i in (0, 25, 26, 701, 702, 16383)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
    assert io.BytesIO(template_workbook(CASES)).read(2) == b"PK"
