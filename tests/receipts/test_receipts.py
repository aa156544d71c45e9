"""Receipts (C3.4, C7): row-exact checks, reversals, once and only once, and the month's sums."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.cases.models import Case
from portal.kernel import clock
from portal.kernel.access import Role
from portal.receipts import queries
from portal.receipts.models import Receipt
from portal.receipts.queries import ReceiptFilter
from portal.receipts.rules import Exclusion
from tenants.rows import new_id
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.cases import add_cases
from tests.factories.receipts import add_receipts, checked, receipt, workbook
from tests.factories.world import MOMENT

DAY = date(2026, 11, 2)


@pytest.fixture
def cases(portal: Portal) -> Portal:
    """Ten cases of each vendor, HC-00001…; HC and RX both have a case DUP-1."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        for vendor in portal.world.vendors:
            add_cases(session, portal.world, vendor, 10)
        session.execute(
            sa.update(Case)
            .where(Case.case_no.in_(["HC-00010", "RX-00010"]))
            .values(case_no="DUP-1")
        )
        session.commit()
    return portal


def codes(portal: Portal, rows: Sequence[Mapping[str, Any]]) -> list[tuple[int, str, str]]:
    """Row, column and code of every error."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        return [(one.row, one.letter, one.code) for one in checked(session, rows).errors]


def record(portal: Portal, *rows: Mapping[str, Any]) -> None:
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        add_receipts(session, rows)


def test_cases_are_found_or_the_cell_is_named(cases: Portal) -> None:
    """Numbers are unique per vendor only; the future is refused; signs and reversals fit."""
    assert codes(
        cases,
        [
            receipt("A1", "HC-00001", DAY, "100"),
            receipt("A2", "HC-99999", DAY, "100"),
            receipt("A3", "DUP-1", DAY, "100"),
            receipt("A4", "DUP-1", DAY, "100", vendor="融信"),
            receipt("A5", "HC-00001", DAY, "100", vendor="RX"),
            receipt("A6", "HC-00001", DAY, "100", vendor="无此公司"),
            receipt("A7", "HC-00001", date(2026, 11, 4), "100"),
            receipt("A8", "HC-00001", DAY, "0"),
            receipt("A9", "HC-00001", DAY, "-5"),
            receipt("B1", "HC-00001", DAY, "5", reverses="A1"),
        ],
    ) == [
        (3, "C", "case_unknown"),
        (4, "C", "case_ambiguous"),
        (6, "C", "case_not_there"),
        (7, "B", "vendor_unknown"),
        (8, "D", "credited_future"),
        (9, "E", "amount_zero"),
        (10, "F", "reversal_unnamed"),
        (11, "E", "reversal_positive"),
    ]


def test_reversals_take_back_no_more_than_is_left(cases: Portal) -> None:
    """In the portal or in the file, above or below, in parts; never another case's, never twice."""
    record(
        cases,
        receipt("R1", "HC-00001", DAY, "100.00"),
        receipt("R2", "HC-00001", DAY, "-30.00", reverses="R1"),
    )
    assert codes(
        cases,
        [
            receipt("V1", "HC-00001", DAY, "-60.00", reverses="R1"),
            receipt("V2", "HC-00001", DAY, "-10.01", reverses="R1"),
            receipt("V3", "HC-00001", DAY, "-10.00", reverses="R1"),
            receipt("V4", "HC-00001", DAY, "-1.00", reverses="R2"),
            receipt("V5", "HC-00002", DAY, "-1.00", reverses="R1"),
            receipt("V6", "HC-00001", DAY, "-1.00", reverses="NONE"),
            receipt("V7", "HC-00002", DAY, "-7.00", reverses="N1"),
            receipt("V8", "HC-00002", date(2026, 11, 1), "-7.00", reverses="N1"),
            receipt("N1", "HC-00002", DAY, "7.00"),
            receipt("N2", "HC-00002", date(2026, 12, 1), "7.00"),
            receipt("V9", "HC-00002", DAY, "-7.00", reverses="N2"),
        ],
    ) == [
        (3, "E", "reversal_too_much"),
        (5, "F", "reversal_of_reversal"),
        (6, "F", "reversal_other_case"),
        (7, "F", "reversal_unknown"),
        (9, "D", "reversal_before"),
        (11, "D", "credited_future"),
        (12, "F", "reversal_wrong_row"),
    ]


def test_a_serial_is_recorded_once_whoever_sends_it(cases: Portal) -> None:
    """The same again is there already; other content is a contradiction; the database agrees."""
    rows = [
        receipt("S1", "HC-00001", DAY, "100"),
        receipt("S2", "HC-00001", DAY, "-40", reverses="S1"),
    ]
    record(cases, *rows)
    with clock.frozen(MOMENT), cases.session(cases.world.scope) as session:
        again = checked(session, rows)
        assert (again.unchanged, again.new, again.errors) == (2, [], [])
    assert codes(
        cases,
        [
            receipt("S1", "HC-00001", DAY, "100.01"),
            receipt("S2", "RX-00001", DAY, "-40", reverses="S1"),
        ],
    ) == [(2, "A", "serial_other"), (3, "A", "serial_other")]
    with cases.session(cases.world.scope) as session:
        row = session.scalars(sa.select(Receipt).where(Receipt.serial == "S1")).one()
        same = {c.key: getattr(row, c.key) for c in sa.inspect(Receipt).column_attrs}
        for change in (
            {},
            {"serial": "S9", "amount": Decimal(-1)},
            {"serial": "S9", "reverses": "S8"},
        ):
            with pytest.raises(IntegrityError), session.begin_nested():
                session.execute(sa.insert(Receipt), [{**same, "id": new_id(), **change}])


def test_sums_leave_out_what_does_not_count(cases: Portal) -> None:
    """C7: credited while entrusted, both end days included; a reversal falls into its own month
    and counts as its original does."""
    with cases.session(cases.world.scope) as session:
        one = session.scalars(sa.select(Case).where(Case.case_no == "HC-00002")).one()
    start = one.entrusted_on
    record(
        cases,
        receipt("P0", "HC-00002", date(2026, 10, 1), "1000"),
        receipt("P1", "HC-00002", start, "300"),
        receipt("P2", "HC-00002", date(2026, 11, 1), "50.50"),
        receipt("P3", "HC-00002", date(2026, 11, 2), "-100", reverses="P1"),
        receipt("P4", "HC-00002", date(2026, 11, 2), "-400", reverses="P0"),
        receipt("P5", "RX-00002", date(2026, 11, 2), "9999"),
    )
    vendor = cases.world.vendors[0]
    with clock.frozen(MOMENT), cases.session(cases.world.scope) as session:
        notes = checked(session, [receipt("P6", "HC-00002", date(2026, 10, 2), "7")]).notes
        assert [(note.row, note.letter, note.code) for note in notes] == [
            (2, "D", "before_entrusting")
        ]
        (october,) = queries.by_project_and_band(session, vendor.id, "2026-10")
        (november,) = queries.by_project_and_band(session, vendor.id, "2026-11")
        assert (october.credited, october.age_band, october.project) == (
            Decimal("300.00"),
            one.age_band,
            vendor.project,
        )
        assert november.credited == Decimal("-49.50")
        facts = {fact.serial: fact for fact in queries.receipts_of(session, vendor.id, "2026-11")}
        assert set(facts) == {"P2", "P3", "P4"}
        assert facts["P3"].exclusion is None and facts["P3"].original_period == "2026-10"
        assert facts["P4"].exclusion is Exclusion.BEFORE_ENTRUSTING
        # What is summed is what is listed as counting.
        assert november.credited == sum(
            fact.amount for fact in facts.values() if fact.exclusion is None
        )
    with cases.session(Scope.vendor(vendor.id)) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Receipt)) == 5


def test_the_list_narrows_to_a_project_and_an_age_band(cases: Portal) -> None:
    """As the lines of scores and statements ask for: the facts behind a commission."""
    record(
        cases,
        receipt("P1", "HC-00002", date(2026, 11, 2), "300"),
        receipt("P2", "HC-00003", date(2026, 11, 2), "50.50"),
        receipt("P3", "RX-00002", date(2026, 11, 2), "9999"),
    )
    finance = cases.client(cases.world.email(Role.FINANCE))
    with cases.session(cases.world.scope) as session:
        case = session.scalars(sa.select(Case).where(Case.case_no == "HC-00002")).one()
        narrowed = ReceiptFilter(project_id=case.project_id, band=case.age_band)
        assert [one.serial for one in queries.list_receipts(session, narrowed).items] == ["P1"]
        project = ReceiptFilter(project_id=case.project_id)
        assert {one.serial for one in queries.list_receipts(session, project).items} == {"P1", "P2"}
        address = f"/receipts/?project={case.project_id}&band={quote(case.age_band)}"
    page = finance.get(address).text
    assert "P1" in page and "P2" not in page and "P3" not in page
    assert cases.world.vendors[0].project in page


def test_finance_imports_a_month(cases: Portal) -> None:
    """Upload, report with rows and columns, confirmation, once; a second file changes nothing."""
    good = [
        receipt("T1", "HC-00001", DAY, "1250.50"),
        receipt("T2", "DUP-1", DAY, "10", vendor="融信"),
        receipt("T3", "HC-00001", DAY, "-0.50", reverses="T1"),
        receipt("T4", "HC-00001", date(2026, 10, 1), "3"),
    ]
    bad = receipt("T5", "HC-00404", DAY, "3")
    with clock.frozen(MOMENT):
        client = cases.client(cases.world.email(Role.FINANCE))
        assert client.get("/receipts/").status_code == 200
        assert client.get("/receipts/imports/template.xlsx").data[:2] == b"PK"

        def upload(rows: Sequence[Mapping[str, Any]]) -> str:
            file = (io.BytesIO(workbook(rows)), "十一月.xlsx")
            answer = client.post("/receipts/imports/", data={"file": file})
            cases.work()
            return str(answer.headers["Location"])

        def take(path: str, version: str, leave_bad: str = "") -> int:
            data = {"version": version, "leave_bad": leave_bad}
            return client.post(f"{path}/take", data=data).status_code

        empty = client.post("/receipts/imports/", data={"file": (io.BytesIO(), "x.xlsx")})
        assert empty.status_code == 422
        path = upload([*good, bad])
        page = client.get(path).text
        assert "HC-00404" in page and 'name="version" value="2"' in page
        assert take(path, "1", "1") == 409 and take(path, "2") == 409
        for _click in range(2):
            assert take(path, "2", "1") == 302
        cases.work()
        again = upload(good)
        assert take(again, "2") == 409
        listed = client.get("/receipts/?q=hc-00001").text
        assert all(serial in listed for serial in ("T1", "T3", "T4")) and "T2" not in listed
        assert client.get("/receipts/export.xlsx?period=2026-11").data[:2] == b"PK"
        assert client.get(f"{path}/errors.xlsx").data[:2] == b"PK"
        with cases.session(cases.world.scope) as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Receipt)) == 4
        vendor = cases.client(cases.world.vendors[0].email(Role.MANAGER))
        for address in ("/receipts/", "/receipts/imports/", path, f"{path}/file.xlsx"):
            assert vendor.get(address).status_code in (403, 404)
