"""Receipts for tests: workbooks as finance fills them in, and receipts recorded at once."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.cases.models import Case
from portal.files.columns import Row, Table
from portal.files.export import open_workbook
from portal.kernel import clock
from portal.receipts.imports.queries import known_for
from portal.receipts.imports.rules import Findings, examine
from portal.receipts.imports.service import record_receipts
from portal.receipts.imports.sheet import COLUMNS
from portal.receipts.models import Receipt
from tenants.database import ScopedSession
from tenants.rows import new_id

KEYS = tuple(column.key for column in COLUMNS)
TITLES = {column.key: column.title_zh for column in COLUMNS}
LETTERS = dict(zip(KEYS, "ABCDEF", strict=True))


def receipt(
    serial: str,
    case_no: str,
    credited_on: date,
    amount: str,
    reverses: str | None = None,
    vendor: str | None = None,
) -> dict[str, Any]:
    """One row: its cells as a parsed row holds them."""
    return {
        "serial": serial,
        "vendor": vendor,
        "case_no": case_no,
        "credited_on": credited_on,
        "amount": Decimal(amount),
        "reverses": reverses,
    }


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The rows as the reader of workbooks gives them."""
    return Table(
        tuple(Row(number, dict(row)) for number, row in enumerate(rows, start=2)),
        titles=TITLES,
        letters=LETTERS,
    )


def checked(session: ScopedSession, rows: Sequence[Mapping[str, Any]]) -> Findings:
    """What the check finds in these rows (company scope)."""
    read = table(rows)
    return examine(read, known_for(session, read))


def add_receipts(
    session: ScopedSession, rows: Sequence[Mapping[str, Any]], *, import_id: UUID | None = None
) -> None:
    """Check and record good rows as the import does (company scope), and commit."""
    found = checked(session, rows)
    assert not found.errors, found.errors[:3]
    record_receipts(session, [facts for _row, facts in found.new], import_id or new_id())
    session.commit()


def record_receipt(
    session: ScopedSession,
    case: Case,
    serial: str,
    credited_on: date,
    amount: str,
    reverses: str | None = None,
) -> None:
    """Record a receipt of a case now, whatever the check would say (company scope), and commit."""
    session.add(
        Receipt(
            tenant_id=case.tenant_id,
            case_id=case.id,
            case_no=case.case_no,
            serial=serial,
            credited_on=credited_on,
            amount=Decimal(amount),
            reverses=reverses,
            import_id=new_id(),
            confirmed_at=clock.now(),
        )
    )
    session.commit()


def workbook(rows: Sequence[Mapping[str, Any]], keys: Sequence[str] = KEYS) -> bytes:
    """An XLSX as finance fills it in: titles in Chinese, money and dates as Excel's own."""
    sink = io.BytesIO()
    book = open_workbook(sink)
    sheet = book.add_worksheet("回款清单")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for column, key in enumerate(keys):
        sheet.write_string(0, column, TITLES[key])
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
