"""Reads of receipts: the list, and what scores and fees are made of."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from portal.cases.models import Case
from portal.cases.rules import month_bounds
from portal.kernel.money import ZERO
from portal.kernel.paging import Page, Sort, paginate
from portal.receipts.models import Receipt
from portal.receipts.rules import Exclusion, exclusion
from portal.vendors.models import Project
from tenants.models import Tenant, TenantKind

_CHUNK = 1_000
_Original = aliased(Receipt, name="original")
_COUNTED_ON = sa.func.coalesce(_Original.credited_on, Receipt.credited_on)
"""The day that decides whether a receipt counts: of a reversal, its original's."""
_ORIGINAL_IS = sa.and_(
    _Original.tenant_id == Receipt.tenant_id, _Original.serial == Receipt.reverses
)
_CASE_IS = sa.and_(Case.tenant_id == Receipt.tenant_id, Case.id == Receipt.case_id)
_PROJECT_IS = sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id)


@dataclass(frozen=True, slots=True)
class BandReceipts:
    """What was credited in a month on the cases of one project and age band (at entrusting),
    reversals taken off, amounts that do not count left out. `receipts` counts both."""

    project_id: UUID
    project: str
    age_band: str
    credited: Decimal
    receipts: int


def by_project_and_band(session: Session, tenant_id: UUID, period: str) -> tuple[BandReceipts, ...]:
    """A vendor's receipts of the month "YYYY-MM" that count, by project and age band.

    A reversal falls into the month in which it was made, and counts if its original did: a band
    may end below zero.
    """
    first, following = month_bounds(period)
    rows = session.execute(
        sa.select(
            Case.project_id,
            Project.name,
            Case.age_band,
            sa.func.sum(Receipt.amount),
            sa.func.count(),
        )
        .select_from(Receipt)
        .join(Case, _CASE_IS)
        .join(Project, _PROJECT_IS)
        .outerjoin(_Original, _ORIGINAL_IS)
        .where(
            Receipt.tenant_id == tenant_id,
            Receipt.credited_on >= first,
            Receipt.credited_on < following,
            _COUNTED_ON.between(Case.entrusted_on, Case.due_back_on),
        )
        .group_by(Case.project_id, Project.name, Case.age_band)
        .order_by(Project.name, Case.project_id, Case.age_band)
    )
    return tuple(BandReceipts(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class ReceiptFact:
    """A receipt with what fees need of its case. Of a reversal (`amount` below zero, `reverses`
    its original's serial) `original_on` is the day on which the original was credited."""

    id: UUID
    tenant_id: UUID
    vendor: str
    serial: str
    case_id: UUID
    case_no: str
    project_id: UUID
    project: str
    age_band: str
    days_past_due: int
    entrusted_on: date
    due_back_on: date
    credited_on: date
    amount: Decimal
    reverses: str | None
    original_on: date | None

    @property
    def exclusion(self) -> Exclusion | None:
        """Why it does not count for commission, or None."""
        return exclusion(self.original_on or self.credited_on, self.entrusted_on, self.due_back_on)

    @property
    def original_period(self) -> str | None:
        """The month "YYYY-MM" in which a reversal's original was credited."""
        return f"{self.original_on:%Y-%m}" if self.original_on else None


def _facts() -> Any:
    """Names beside the ids. Outer joins, so that the order of an index survives."""
    return (
        sa.select(
            Receipt.id,
            Receipt.tenant_id,
            Tenant.short_name,
            Receipt.serial,
            Receipt.case_id,
            Receipt.case_no,
            Case.project_id,
            Project.name,
            Case.age_band,
            Case.days_past_due,
            Case.entrusted_on,
            Case.due_back_on,
            Receipt.credited_on.label("sort_key"),
            Receipt.amount,
            Receipt.reverses,
            _Original.credited_on,
        )
        .select_from(Receipt)
        .outerjoin(Tenant, Tenant.id == Receipt.tenant_id)
        .outerjoin(Case, _CASE_IS)
        .outerjoin(Project, _PROJECT_IS)
        .outerjoin(_Original, _ORIGINAL_IS)
    )


def receipts_of(session: Session, tenant_id: UUID, period: str) -> tuple[ReceiptFact, ...]:
    """Every receipt and reversal of a vendor credited in the month "YYYY-MM", by day and serial;
    those that do not count say so (`exclusion`)."""
    first, following = month_bounds(period)
    rows = session.execute(
        _facts()
        .where(
            Receipt.tenant_id == tenant_id,
            Receipt.credited_on >= first,
            Receipt.credited_on < following,
        )
        .order_by(Receipt.credited_on, Receipt.serial)
    )
    return tuple(ReceiptFact(*row) for row in rows)


def receipts_by_id(
    session: Session, tenant_id: UUID, ids: Collection[UUID]
) -> tuple[ReceiptFact, ...]:
    """A vendor's receipts and reversals with these ids, by day and serial."""
    rows = session.execute(
        _facts()
        .where(Receipt.tenant_id == tenant_id, Receipt.id.in_(ids))
        .order_by(Receipt.credited_on, Receipt.serial)
    )
    return tuple(ReceiptFact(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class ReceiptFilter:
    """What the list shows: one vendor's, one month's, one case number's, those of one project and
    age band at entrusting; all where empty."""

    vendor_id: UUID | None = None
    period: str = ""
    case_no: str = ""
    project_id: UUID | None = None
    band: str = ""

    def __bool__(self) -> bool:
        """Whether anything is left out."""
        return bool(self.vendor_id or self.period or self.case_no or self.project_id or self.band)


def _filtered(statement: Any, wanted: ReceiptFilter) -> Any:
    if wanted.vendor_id is not None:
        statement = statement.where(Receipt.tenant_id == wanted.vendor_id)
    if wanted.period:
        first, following = month_bounds(wanted.period)
        statement = statement.where(Receipt.credited_on >= first, Receipt.credited_on < following)
    if wanted.case_no:
        statement = statement.where(Receipt.case_no == wanted.case_no)
    if wanted.project_id is not None or wanted.band:
        statement = statement.where(_of_cases(wanted))
    return statement


def _of_cases(wanted: ReceiptFilter) -> sa.ColumnElement[bool]:
    """Whether the receipt's case is of the project and age band asked for."""
    case = aliased(Case)
    found = sa.exists().where(case.tenant_id == Receipt.tenant_id, case.id == Receipt.case_id)
    if wanted.project_id is not None:
        found = found.where(case.project_id == wanted.project_id)
    if wanted.band:
        found = found.where(case.age_band == wanted.band)
    return found


def list_receipts(
    session: Session, wanted: ReceiptFilter, cursor: str | None = None
) -> Page[ReceiptFact]:
    """The receipts, the last credited first."""
    sort = Sort(Receipt.credited_on, Receipt.id, descending=True)
    page = paginate(session, _filtered(_facts(), wanted), sort, cursor)
    return page.map(lambda row: ReceiptFact(*row))


def all_receipts(session: Session, wanted: ReceiptFilter) -> Iterator[ReceiptFact]:
    """What the list shows, whole, for the workbook."""
    rows = session.execute(
        _filtered(_facts(), wanted).order_by(Receipt.credited_on.desc(), Receipt.id.desc()),
        execution_options={"yield_per": _CHUNK},
    )
    return (ReceiptFact(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class Sums:
    """Credited and taken back (below zero) in all."""

    count: int
    credited: Decimal
    reversed: Decimal

    @property
    def net(self) -> Decimal:
        """What stays."""
        return self.credited + self.reversed


def sums(session: Session, wanted: ReceiptFilter) -> Sums:
    """The sums of what the list shows."""
    row = session.execute(
        _filtered(
            sa.select(
                sa.func.count(),
                sa.func.sum(Receipt.amount).filter(Receipt.amount > 0),
                sa.func.sum(Receipt.amount).filter(Receipt.amount < 0),
            ).select_from(Receipt),
            wanted,
        )
    ).one()
    return Sums(row[0], row[1] or ZERO, row[2] or ZERO)


def project_name(session: Session, project_id: UUID) -> str:
    """A project's name, for the filter; "" when there is none."""
    return session.scalar(sa.select(Project.name).where(Project.id == project_id)) or ""


def vendor_choices(session: Session) -> list[tuple[UUID, str]]:
    """Every vendor by short name, for the filter."""
    rows = session.execute(
        sa.select(Tenant.id, Tenant.short_name)
        .where(Tenant.kind == TenantKind.VENDOR.value)
        .order_by(Tenant.short_name)
    )
    return [(row.id, row.short_name) for row in rows]
