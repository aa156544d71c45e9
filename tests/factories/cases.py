"""Cases for tests: good workbooks, and many cases of a vendor written by the service."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import xlsxwriter

from portal.cases.imports.service import import_table
from portal.cases.imports.sheet import COLUMNS
from portal.cases.models import Case
from portal.files.columns import Row, Table
from portal.files.export import open_workbook
from portal.kernel.access import Role
from tenants.database import ScopedSession
from tests.factories.world import VendorWorld, World

KEYS = tuple(column.key for column in COLUMNS)
TITLES = {column.key: column.title_zh for column in COLUMNS}
BANDS = (("M1", 20), ("M2", 45), ("M3", 75), ("M4", 100), ("M5", 140), ("M6", 160), ("M6+", 200))


def case_values(vendor: VendorWorld, number: int, /, **changes: Any) -> dict[str, Any]:
    """A good row: the vendor's case `number`, its cells as a parsed row holds them.

    The case number is `<code>-00001`, the phone 138 and the number in eight digits.
    """
    band, days = BANDS[number % len(BANDS)]
    principal = Decimal(1_000 + number * 10).quantize(Decimal("0.01"))
    interest = Decimal(number % 97).quantize(Decimal("0.01"))
    values: dict[str, Any] = {
        "vendor": vendor.code,
        "batch": "2026-10-A",
        "project": vendor.project,
        "case_no": f"{vendor.code}-{number:05d}",
        "entrusting_company": "恒信消费金融",
        "card": f"622202{number:013d}",
        "debtor": f"张例{number}",
        "phone": f"138{number:08d}",
        "principal": principal,
        "interest": interest,
        "fees": Decimal("50.00"),
        "amount": principal + interest + Decimal("50.00"),
        "days_past_due": days,
        "age_band": band,
        "entrusted_on": date(2026, 10, 1 + number % 20),
        "due_back_on": date(2026, 12, 31),
        "group": vendor.group,
        "agent": f"{vendor.code}004",
        "status": "in_hand",
    }
    return {**values, **changes}


def workbook(
    rows: Sequence[Mapping[str, Any]], *, keys: Sequence[str] = KEYS, date1904: bool = False
) -> bytes:
    """An XLSX as a person would fill it in: titles in Chinese, money and dates as Excel's own."""
    sink = io.BytesIO()
    book = (
        xlsxwriter.Workbook(sink, {"in_memory": True, "date_1904": True})
        if date1904
        else open_workbook(sink)
    )
    sheet = book.add_worksheet("委案清单")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for column, key in enumerate(keys):
        sheet.write_string(0, column, TITLES.get(key, key))
    for line, row in enumerate(rows, start=1):
        for column, key in enumerate(keys):
            value = row.get(key)
            if isinstance(value, date):
                sheet.write_datetime(line, column, value, day)
            elif isinstance(value, str):
                sheet.write_string(line, column, value)
            elif value is not None:
                sheet.write_number(line, column, value)
    book.close()
    return sink.getvalue()


def add_cases(
    session: ScopedSession, world: World, vendor: VendorWorld, count: int, *, first: int = 1
) -> list[UUID]:
    """Write `count` good cases of a vendor by the import's own service (company scope), commit,
    and return their ids in the order of their numbers."""
    rows = [
        Row(number - first + 2, case_values(vendor, number))
        for number in range(first, first + count)
    ]
    actor = world.actor(Role.VENDOR_MANAGER)
    outcome = import_table(session, Table(tuple(rows), titles=TITLES), actor=actor)
    assert not outcome.errors, outcome.errors[:3]
    session.commit()
    numbers = [row.values["case_no"] for row in rows]
    ids = session.execute(
        sa.select(Case.case_no, Case.id).where(
            Case.tenant_id == vendor.id, Case.case_no.in_(numbers)
        )
    )
    by_number = {row.case_no: row.id for row in ids}
    return [by_number[number] for number in numbers]
