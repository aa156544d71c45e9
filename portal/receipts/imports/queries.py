"""Reads of the import: what a file may name, what is recorded, and the pages' models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.imports.rules import fold
from portal.cases.models import Case
from portal.files.columns import Table
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.kernel.money import ZERO
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import Phrase
from portal.receipts.imports.rules import (
    CaseRef,
    Facts,
    Known,
    Recorded,
    VendorRef,
    describe,
)
from portal.receipts.models import Receipt, ReceiptImport, ReceiptImportRemark
from tenants.models import Tenant, TenantKind

CHUNK = 1_000


def known_for(session: Session, table: Table) -> Known:
    """All that the rows of `table` are checked against."""
    rows = [row.values for row in table.rows]
    numbers = {values["case_no"] for values in rows if values.get("case_no")}
    serials = {values[key] for values in rows for key in ("serial", "reverses") if values.get(key)}
    by_id, by_name = _vendors(session)
    return Known(
        clock.today(), by_name, _cases(session, by_id, numbers), _recorded(session, serials)
    )


def _vendors(session: Session) -> tuple[dict[UUID, VendorRef], dict[str, VendorRef]]:
    by_id: dict[UUID, VendorRef] = {}
    by_name: dict[str, VendorRef] = {}
    rows = session.execute(
        sa.select(Tenant.id, Tenant.code, Tenant.short_name, Tenant.name).where(
            Tenant.kind == TenantKind.VENDOR.value
        )
    )
    for row in rows:
        by_id[row.id] = vendor = VendorRef(row.id, row.short_name)
        by_name |= {fold(row.name): vendor, fold(row.short_name): vendor}
        by_name[fold(row.code)] = vendor
    return by_id, by_name


def _parts(values: set[str]) -> Iterator[list[str]]:
    ordered = sorted(values)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def _cases(
    session: Session, vendors: Mapping[UUID, VendorRef], numbers: set[str]
) -> dict[str, list[CaseRef]]:
    found: dict[str, list[CaseRef]] = {}
    for part in _parts(numbers):
        rows = session.execute(
            sa.select(
                Case.tenant_id, Case.id, Case.case_no, Case.entrusted_on, Case.due_back_on
            ).where(Case.case_no.in_(part))
        )
        for row in rows:
            found.setdefault(row.case_no, []).append(CaseRef(vendors[row.tenant_id], *row[1:]))
    return found


def _recorded(session: Session, serials: set[str]) -> dict[str, Recorded]:
    found: dict[str, Recorded] = {}
    for part in _parts(serials):
        taken = (
            sa.select(Receipt.tenant_id, Receipt.reverses, sa.func.sum(Receipt.amount).label("sum"))
            .where(Receipt.reverses.in_(part))
            .group_by(Receipt.tenant_id, Receipt.reverses)
            .subquery()
        )
        rows = session.execute(
            sa.select(
                Receipt.serial,
                Receipt.tenant_id,
                Receipt.case_id,
                Receipt.case_no,
                Receipt.credited_on,
                Receipt.amount,
                Receipt.reverses,
                taken.c.sum,
            )
            .outerjoin(
                taken,
                sa.and_(taken.c.tenant_id == Receipt.tenant_id, taken.c.reverses == Receipt.serial),
            )
            .where(Receipt.serial.in_(part))
        )
        for row in rows:
            found[row.serial] = Recorded(Facts(*row[:7]), row.amount + (row.sum or ZERO))
    return found


def get_import(session: Session, import_id: UUID, *, lock: bool = False) -> ReceiptImport:
    """An import; raises `NotFound`. `lock` holds its row until the transaction ends."""
    statement = sa.select(ReceiptImport).where(ReceiptImport.id == import_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("receipt import")
    return row


@dataclass(frozen=True, slots=True)
class ImportLine:
    """An import in the list of imports."""

    id: UUID
    name: str
    state: str
    at: datetime
    by: str
    counts: Mapping[str, int]


def list_imports(
    session: Session, cursor: str | None = None, *, size: int = 20
) -> Page[ImportLine]:
    """The imports, newest first."""
    statement = sa.select(
        ReceiptImport.id,
        ReceiptImport.uploaded_at.label("sort_key"),
        ReceiptImport.safe_name,
        ReceiptImport.state,
        ReceiptImport.uploaded_by_name,
        ReceiptImport.report,
    )
    sort = Sort(ReceiptImport.uploaded_at, ReceiptImport.id, descending=True)
    page = paginate(session, statement, sort, cursor, size=size)
    return page.map(
        lambda row: ImportLine(
            row.id,
            row.safe_name,
            row.state,
            row.sort_key,
            row.uploaded_by_name,
            row.report.get("counts", {}),
        )
    )


def find_same_file(session: Session, row: ReceiptImport) -> ReceiptImport | None:
    """An earlier import of the very same bytes that was taken."""
    return session.scalars(
        sa.select(ReceiptImport)
        .where(
            ReceiptImport.sha256 == row.sha256,
            ReceiptImport.id != row.id,
            ReceiptImport.state == "taken",
            ReceiptImport.uploaded_at <= row.uploaded_at,
        )
        .order_by(ReceiptImport.uploaded_at.desc())
        .limit(1)
    ).first()


@dataclass(frozen=True, slots=True)
class RemarkLine:
    """A remark on a cell, as the page and the workbook of errors show it."""

    row: int
    letter: str
    title: str
    shown: str
    message: Phrase


def _remark_line(row: Any) -> RemarkLine:
    message = describe(row.code, row.params)
    return RemarkLine(row.row_number, row.letter, row.title, row.shown, message)


def _remarks_of(import_id: UUID, *, notes: bool) -> sa.Select[Any]:
    return sa.select(
        ReceiptImportRemark.id,
        ReceiptImportRemark.position.label("sort_key"),
        ReceiptImportRemark.row_number,
        ReceiptImportRemark.letter,
        ReceiptImportRemark.title,
        ReceiptImportRemark.shown,
        ReceiptImportRemark.code,
        ReceiptImportRemark.params,
    ).where(ReceiptImportRemark.import_id == import_id, ReceiptImportRemark.note.is_(notes))


def remark_page(
    session: Session, import_id: UUID, cursor: str | None = None, *, notes: bool = False
) -> Page[RemarkLine]:
    """The wrong cells, or the notes, in the order of the sheet, fifty a page."""
    sort = Sort(ReceiptImportRemark.position, ReceiptImportRemark.id)
    statement = _remarks_of(import_id, notes=notes)
    return paginate(session, statement, sort, cursor).map(_remark_line)


def all_remarks(session: Session, import_id: UUID, *, notes: bool) -> Sequence[RemarkLine]:
    """Every remark that is kept, for the workbook."""
    rows = session.execute(
        _remarks_of(import_id, notes=notes).order_by(ReceiptImportRemark.position)
    )
    return [_remark_line(row) for row in rows]
