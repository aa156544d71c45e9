"""Reads of the import: what a file may name, what is recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.imports.rules import fold
from portal.cases.models import Case
from portal.files.columns import Table
from portal.kernel import clock
from portal.kernel.money import ZERO
from portal.receipts.imports.rules import (
    CaseRef,
    Facts,
    Known,
    Recorded,
    VendorRef,
)
from portal.receipts.models import Receipt
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
