"""From the workbook to the cases: errors by cell, confirmation, repeats, files that are not."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from openpyxl import load_workbook

from portal.cases.imports import service, writing
from portal.cases.imports.sheet import COLUMNS
from portal.cases.models import Batch, Case, CaseImport, CaseStatusChange
from portal.files.models import StoredFile
from portal.jobs.models import JobRun
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role
from tenants.scope import Scope
from tenants.vault import installed
from tests.conftest import Portal
from tests.factories.cases import KEYS, case_values, workbook
from tests.factories.world import MOMENT
from tests.reading import sheet_rows


@pytest.fixture
def client(portal: Portal) -> FlaskClient:
    browser = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    browser.set_cookie("locale", "en")
    return browser


def send(portal: Portal, client: FlaskClient, body: bytes, name: str = "张三 名单.xlsx") -> str:
    """Upload, let the worker check, and return the import's address."""
    with clock.frozen(MOMENT):
        answer = client.post("/cases/imports/", data={"file": (io.BytesIO(body), name)})
        assert answer.status_code == 302, answer.text
        portal.work()
    return answer.location


def page(client: FlaskClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.text)


def version(text: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', text)
    assert found
    return found[1]


def take(portal: Portal, client: FlaskClient, address: str, leave_bad: str = "") -> int:
    data = {"version": version(page(client, address)), "leave_bad": leave_bad}
    with clock.frozen(MOMENT):
        answer = client.post(f"{address}/take", data=data)
        portal.work()
    return answer.status_code


def count(portal: Portal, what: Any) -> int:
    with portal.session(portal.world.scope) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(what)) or 0


def good_rows(portal: Portal, each: int = 4) -> list[dict[str, Any]]:
    return [case_values(v, n) for v in portal.world.vendors for n in range(1, each + 1)]


def test_three_vendors_in_one_file_and_a_second_import_changes_nothing(
    portal: Portal, client: FlaskClient
) -> None:
    body = workbook(good_rows(portal))
    address = send(portal, client, body)
    report = page(client, address)
    assert "Take all 12 rows" in report and count(portal, Case) == 0
    assert take(portal, client, address) == 302
    assert "Cases taken: 12 new" in page(client, address)
    for vendor in portal.world.vendors:
        with portal.session(Scope.vendor(vendor.id)) as session:
            cases = session.scalars(sa.select(Case).order_by(Case.case_no)).all()
            assert [case.case_no for case in cases] == [
                f"{vendor.code}-0000{n}" for n in (1, 2, 3, 4)
            ]
            key, first = installed().key(session, vendor.id), cases[0]
            assert key.open("cases.debtor", first.id, first.debtor_sealed) == "张例1"
            assert (first.debtor_masked, first.phone_masked) == ("张**", "138****0001")
            assert first.card_masked == "622202*********0001"
            assert first.group_id == vendor.group_id
            assert first.member_id == vendor.people[Role.AGENT][1]
            batch = session.scalars(sa.select(Batch)).one()
            assert (batch.entrusted_on, batch.due_back_on) == (
                date(2026, 10, 2),
                date(2026, 12, 31),
            )
        with portal.session(portal.world.scope) as session:
            entry = session.execute(
                sa.select(JournalEntry.actor_name, JournalEntry.data).where(
                    JournalEntry.tenant_id == vendor.id,
                    JournalEntry.action == "cases.cases.entrusted",
                )
            ).one()
            assert entry == ("公司vendor_manager", {"new": 4})

    again = send(portal, client, body)
    report = page(client, again)
    assert "Importing this file changes nothing" in report and "Take all" not in report
    assert "The very same file was taken" in report
    assert take_blindly(client, again) == 409
    assert count(portal, Case) == 12


def take_blindly(client: FlaskClient, address: str) -> int:
    text = client.get(address).text
    found = re.search(r'name="version" value="(\d+)"', text)
    data = {"version": found[1] if found else "3", "leave_bad": "1"}
    return client.post(f"{address}/take", data=data).status_code


def test_bad_rows_are_named_by_cell_and_good_ones_wait_for_a_word(
    portal: Portal, client: FlaskClient
) -> None:
    hc, rx = portal.world.vendors[:2]
    secret = {"card": 6222021234567890.0, "debtor": "李机密", "phone": "13912345678x"}
    rows = [
        case_values(hc, 1),
        case_values(hc, 2, vendor="无此家"),
        case_values(hc, 3, project=rx.project),
        case_values(hc, 4, group="九组"),
        case_values(hc, 5, agent="RX004"),
        case_values(hc, 6, amount=Decimal("1.00")),
        case_values(hc, 7, age_band="M1", days_past_due=75),
        case_values(hc, 8, due_back_on=date(2026, 9, 1)),
        case_values(hc, 9, entrusted_on=date(2026, 11, 4)),
        case_values(hc, 1),
        case_values(hc, 10, **secret),
        case_values(hc, 11, entrusted_on="03/11/26", case_no=""),
        case_values(rx, 1),
    ]
    address = send(portal, client, workbook(rows))
    text = page(client, address)
    assert "Take good rows (2), leave bad ones (11)" in text
    lines = sheet_rows(client.get(f"{address}/errors.xlsx").data, 2)
    places = [(row[0], row[1]) for row in lines]
    letters = {key: chr(65 + index) for index, key in enumerate(KEYS)}
    assert places == [
        (3, letters["vendor"]),
        (4, letters["project"]),
        (5, letters["group"]),
        (6, letters["agent"]),
        (7, letters["amount"]),
        (8, letters["age_band"]),
        (9, letters["due_back_on"]),
        (10, letters["entrusted_on"]),
        (11, letters["case_no"]),
        (12, letters["card"]),
        (12, letters["phone"]),
        (13, letters["case_no"]),
        (13, letters["entrusted_on"]),
    ]
    said = {row[:2]: str(row[4]) for row in lines}
    assert "= 1116.00" in said[7, letters["amount"]]
    assert "row 2 already" in said[11, letters["case_no"]]
    assert "61 to 90" not in text and "M1 means 1 to 30 days" in said[8, letters["age_band"]]
    assert rx.project not in said[4, letters["project"]]
    everything = text + str(lines)
    for leak in ("李机密", "13912345678", "622202123456", "张三"):
        assert leak not in everything
    assert take(portal, client, address) == 409
    assert count(portal, Case) == 0
    assert take(portal, client, address, leave_bad="1") == 302
    assert count(portal, Case) == 2
    assert "rows left out as wrong: 11" in page(client, address)


def test_changes_are_counted_by_column_and_status_follows_its_table(
    portal: Portal, client: FlaskClient
) -> None:
    hc = portal.world.vendors[0]
    rows = [case_values(hc, number) for number in (1, 2, 3)]
    take(portal, client, send(portal, client, workbook(rows)))
    rows[0] |= {"debtor": "王改名", "phone": "13900000009"}
    rows[1] |= {"status": "returned"}
    rows[2] |= {"group": "", "agent": "", "status": ""}
    address = send(portal, client, workbook(rows))
    text = page(client, address)
    assert "Which columns change" in text and "王改名" not in text
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(CaseImport).order_by(CaseImport.id.desc())).first()
        assert row is not None
        assert row.report["fields"] == {"debtor": 1, "phone": 1, "status": 1}
        assert (row.report["counts"]["changed"], row.report["counts"]["unchanged"]) == (2, 1)
    take(portal, client, address)
    with portal.session(Scope.vendor(hc.id)) as session:
        one, two, three = session.scalars(sa.select(Case).order_by(Case.case_no)).all()
        assert (one.debtor_masked, one.version) == ("王**", 2)
        assert one.phone_index == installed().key(session, hc.id).index("phone", "13900000009")
        assert (two.status, two.closed_on) == ("returned", date(2026, 11, 3))
        assert (three.version, three.group_id) == (1, hc.group_id)
        step = session.scalars(sa.select(CaseStatusChange)).one()
        assert (step.case_id, step.new_status) == (two.id, "returned")
    address = send(portal, client, workbook([case_values(hc, 2)]))
    assert "cannot become" in page(client, address)


def test_double_click_and_a_killed_worker_have_one_effect(
    portal: Portal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = send(portal, client, workbook(good_rows(portal)))
    data = {"version": version(page(client, address))}
    written = writing.add_cases

    def die(*args: Any, **kwargs: Any) -> None:
        written(*args, **kwargs)
        raise KeyboardInterrupt

    with clock.frozen(MOMENT):
        assert client.post(f"{address}/take", data=data).status_code == 302
        assert client.post(f"{address}/take", data=data).status_code == 302
        with portal.session(portal.world.scope) as session:
            imported = session.scalars(sa.select(CaseImport)).one()
            runs = session.scalars(
                sa.select(JobRun).where(JobRun.task == "cases.take_import")
            ).all()
            assert len(runs) == 1
        with portal.session(portal.world.scope) as session, monkeypatch.context() as patch:
            patch.setattr(writing, "add_cases", die)
            with pytest.raises(KeyboardInterrupt):
                service.FLOW.take(session, imported.id, lambda _done, _total: None)
        assert count(portal, Case) == 0
        portal.work()
    assert count(portal, Case) == 12
    with portal.session(portal.world.scope) as session:
        before = session.scalars(sa.select(CaseImport)).one().report["taken"]
        assert service.FLOW.take(session, imported.id, lambda _done, _total: None) == before
        session.commit()
    assert count(portal, Case) == 12


def zip_of(names: dict[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in names.items():
            archive.writestr(name, body)
    return sink.getvalue()


def bomb(body: bytes) -> bytes:
    """The workbook with a sheet that unpacks to 400 MB of nothing."""
    names = {}
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        for name in archive.namelist():
            names[name] = archive.read(name)
    sheet = names["xl/worksheets/sheet1.xml"]
    names["xl/worksheets/sheet1.xml"] = sheet.replace(
        b"<sheetData>", b"<sheetData>" + b" " * (400 << 20), 1
    )
    return zip_of(names)


def merged(rows: list[dict[str, Any]]) -> bytes:
    book = load_workbook(io.BytesIO(workbook(rows)))
    book.worksheets[0].merge_cells("A2:A4")
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda rows: b"PK not at all", "This is a text or CSV file, not a workbook"),
        (lambda rows: "供应商,批次\n华诚,1\n".encode(), "CSV"),
        (lambda rows: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2048, "xls"),
        (lambda rows: zip_of({"readme.txt": b"hello"}), "not an Excel workbook"),
        (lambda rows: workbook(rows)[:-700], "is damaged"),
        (lambda rows: workbook([]), "no rows below"),
        (lambda rows: workbook(rows, keys=KEYS[1:]), "Columns are missing: 供应商"),
        (lambda rows: workbook(rows, keys=(*KEYS, "住址")), "“住址”, is not part of the table"),
        (lambda rows: workbook(rows, keys=("甲", "乙")), "No row of column titles"),
        (merged, "A2:A4"),
        (lambda rows: bomb(workbook(rows)), "far larger"),
    ],
)
def test_a_file_that_is_no_list_of_cases_gets_a_clear_answer(
    portal: Portal, client: FlaskClient, make: Any, said: str
) -> None:
    address = send(portal, client, make(good_rows(portal)))
    text = page(client, address)
    assert "The file cannot be read as a list of cases" in text
    assert said in text
    assert take_blindly(client, address) == 409
    assert count(portal, Case) == 0


def test_when_every_row_is_wrong_that_is_what_is_said(portal: Portal, client: FlaskClient) -> None:
    """Not that nothing is new: there is no good row."""
    rows = [{**row, "card": 6.2220212345678e18} for row in good_rows(portal)]
    text = page(client, send(portal, client, workbook(rows)))
    assert "Every row is wrong: there is nothing to take." in text
    assert "anything new" not in text and "/take" not in text
    assert "Nothing to take" in page(client, "/cases/imports/")


def test_empty_and_oversized_uploads_are_refused_at_once(
    portal: Portal, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for data in ({}, {"file": (io.BytesIO(b""), "a.xlsx")}):
        assert client.post("/cases/imports/", data=data).status_code == 422
    small = replace(service.FLOW.kind, max_bytes=1024)
    monkeypatch.setattr(service.FLOW, "kind", small)
    data = {"file": (io.BytesIO(b"x" * 1025), "a.xlsx")}
    assert client.post("/cases/imports/", data=data).status_code == 422
    assert count(portal, StoredFile) == 0


def test_dates_of_1904_and_as_text_are_read_right(portal: Portal, client: FlaskClient) -> None:
    hc = portal.world.vendors[0]
    body = workbook([case_values(hc, 1, entrusted_on=date(2026, 10, 15))], date1904=True)
    take(portal, client, send(portal, client, body))
    text = workbook([case_values(hc, 2, entrusted_on="2026年10月15日", due_back_on="2026-12-31")])
    take(portal, client, send(portal, client, text))
    with portal.session(portal.world.scope) as session:
        assert session.scalars(sa.select(Case.entrusted_on)).all() == [date(2026, 10, 15)] * 2


@pytest.mark.parametrize("locale", ["zh_Hans_CN", "zh_Hant_TW", "en"])
def test_the_template_comes_back_filled_in(portal: Portal, locale: str) -> None:
    client = portal.client(portal.world.email(Role.ADMINISTRATOR))
    client.post("/language", data={"locale": locale, "next": "/"})
    answer = client.get("/cases/imports/template.xlsx")
    book = load_workbook(io.BytesIO(answer.data))
    sheet = book.worksheets[0]
    values = case_values(portal.world.vendors[0], 1)
    for index, column in enumerate(COLUMNS, start=1):
        sheet.cell(3, index).value = values[column.key]
    sink = io.BytesIO()
    book.save(sink)
    address = send(portal, client, sink.getvalue())
    assert take(portal, client, address) == 302
    assert count(portal, Case) == 1


def test_only_those_who_entrust_may_import(portal: Portal) -> None:
    vendor = portal.world.vendors[0]
    for email in (portal.world.email(Role.AUDITOR), vendor.email(Role.MANAGER)):
        browser = portal.client(email)
        for path in ("/cases/imports/", "/cases/imports/template.xlsx"):
            assert browser.get(path).status_code in (403, 404)
        assert "case_imports" not in browser.get("/cases/").text
