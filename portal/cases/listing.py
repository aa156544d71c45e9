"""The list of cases: filters, a closed set of sorts, exact search, pages by cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.cases.rules import normal_case_no
from portal.files.cells import normal_phone
from portal.kernel.errors import Invalid
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import phrase
from portal.vendors.models import Group, Member, Project
from tenants.models import Tenant, TenantKind
from tenants.vault import installed

SORTS: Mapping[str, Sort] = {
    "-entrusted": Sort(Case.entrusted_on, Case.id, descending=True),
    "entrusted": Sort(Case.entrusted_on, Case.id),
    "case_no": Sort(Case.case_no, Case.id),
    "-case_no": Sort(Case.case_no, Case.id, descending=True),
    "amount": Sort(Case.amount_cents, Case.id),
    "-amount": Sort(Case.amount_cents, Case.id, descending=True),
}
DEFAULT_SORT = "-entrusted"
EXPORT_ROWS = 10_000
FOUND_ROWS = 50
_AFTER_ALL = "\U0010ffff"
_CARD_DIGITS = re.compile(r"\d{8,24}")


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What the list is narrowed to; empty fields narrow nothing. `case_no` is a prefix."""

    vendor_id: UUID | None = None
    project_id: UUID | None = None
    group_id: UUID | None = None
    status: str = ""
    age_band: str = ""
    case_no: str = ""

    @property
    def sort(self) -> str:
        """The sort that the filter forces: a prefix is a range of the case numbers."""
        return "case_no" if self.case_no else ""


def _lines() -> Any:
    """Columns, not entities: a page of fifty rows has milliseconds. Names come by `names_of`."""
    return sa.select(
        Case.id,
        Case.tenant_id,
        Case.case_no,
        Case.entrusting_company,
        Case.debtor_masked,
        Case.card_masked,
        Case.amount,
        Case.age_band,
        Case.days_past_due,
        Case.entrusted_on,
        Case.due_back_on,
        Case.status,
        Case.project_id,
        Case.group_id,
        Case.member_id,
    )


def _narrowed(statement: sa.Select[Any], wanted: CaseFilter) -> sa.Select[Any]:
    conditions: list[Any] = []
    if wanted.vendor_id is not None:
        conditions.append(Case.tenant_id == wanted.vendor_id)
    if wanted.project_id is not None:
        conditions.append(Case.project_id == wanted.project_id)
    if wanted.group_id is not None:
        conditions.append(Case.group_id == wanted.group_id)
    if wanted.status:
        conditions.append(Case.status == wanted.status)
    if wanted.age_band:
        conditions.append(Case.age_band == wanted.age_band)
    if wanted.case_no:
        # A range, not LIKE: only leak-proof comparisons reach an index under row-level security.
        conditions += [Case.case_no >= wanted.case_no, Case.case_no < wanted.case_no + _AFTER_ALL]
    return statement.where(*conditions) if conditions else statement


@dataclass(frozen=True, slots=True)
class Names:
    """The names that stand in the rows of a page, by id."""

    vendors: Mapping[UUID, str]
    projects: Mapping[UUID, str]
    groups: Mapping[UUID, str]
    members: Mapping[UUID, str]


def names_of(session: Session, rows: Sequence[Any]) -> Names:
    """The names of whatever the rows refer to, in one statement."""
    wanted: tuple[tuple[Any, Any, set[UUID]], ...] = (
        (Tenant, Tenant.short_name, {row.tenant_id for row in rows}),
        (Project, Project.name, {row.project_id for row in rows}),
        (Group, Group.name, {row.group_id for row in rows if row.group_id}),
        (Member, Member.name, {row.member_id for row in rows if row.member_id}),
    )
    parts: list[Any] = [
        sa.select(sa.literal_column(str(number)).label("kind"), table.id, name.label("name")).where(
            table.id == sa.func.any(sa.cast(list(ids), sa.ARRAY(sa.Uuid)))
        )
        for number, (table, name, ids) in enumerate(wanted)
    ]
    found: tuple[dict[UUID, str], ...] = ({}, {}, {}, {})
    for kind, row_id, name in session.execute(sa.union_all(*parts)):
        found[kind][row_id] = name
    return Names(*found)


def list_cases(
    session: Session, wanted: CaseFilter, sort: str = DEFAULT_SORT, cursor: str | None = None
) -> Page[sa.Row[Any]]:
    """One page of fifty. Unknown sorts fall back to the first."""
    chosen = SORTS.get(wanted.sort or sort, SORTS[DEFAULT_SORT])
    statement = _narrowed(_lines().add_columns(chosen.column.label("sort_key")), wanted)
    return paginate(session, statement, chosen, cursor)


def export_cases(session: Session, wanted: CaseFilter, sort: str) -> Sequence[sa.Row[Any]]:
    """All rows that the list would page through; `Invalid` beyond 10,000."""
    chosen = SORTS.get(wanted.sort or sort, SORTS[DEFAULT_SORT])
    parts = (chosen.column, chosen.id)
    order = [part.desc() if chosen.descending else part.asc() for part in parts]
    rows = session.execute(
        _narrowed(_lines(), wanted).order_by(*order).limit(EXPORT_ROWS + 1)
    ).all()
    if len(rows) > EXPORT_ROWS:
        raise Invalid(
            phrase("The list has more than %(most)s cases: too many to export.", most=EXPORT_ROWS),
            phrase("Narrow it by vendor, project, status or age band, then export again."),
        )
    return rows


def find_personal(session: Session, text: str) -> Sequence[sa.Row[Any]]:
    """Cases whose card or phone number is exactly `text`, at most fifty (C4.1).

    By blind index under the keys of every vendor that the scope sees: the number itself never
    reaches the database. `Invalid` when it is neither.
    """
    digits = re.sub(r"[\s-]", "", text)
    card = digits if _CARD_DIGITS.fullmatch(digits) else None
    phone = normal_phone(text)
    if card is None and phone is None:
        raise Invalid(
            phrase("This is neither a card number nor a phone number."),
            phrase("Type it in full: 8 to 24 digits of a card, or a phone number."),
        )
    tenants = session.scalars(
        sa.select(Tenant.id).where(Tenant.kind == TenantKind.VENDOR.value)
    ).all()
    keys = [installed().key(session, tenant_id) for tenant_id in tenants]
    searched: list[tuple[Any, list[bytes]]] = []
    if card is not None:
        searched.append((Case.card_index, [key.index("card", card) for key in keys]))
    if phone is not None:
        searched.append((Case.phone_index, [key.index("phone", phone) for key in keys]))
    ids: set[UUID] = set()
    for column, values in searched:
        ids.update(session.scalars(sa.select(Case.id).where(column.in_(values)).limit(FOUND_ROWS)))
    if not ids:
        return ()
    statement = _lines().where(Case.id.in_(ids)).order_by(Case.case_no).limit(FOUND_ROWS)
    return session.execute(statement).all()


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (id, name) pairs."""

    vendors: tuple[tuple[UUID, str], ...]
    projects: tuple[tuple[UUID, str], ...]
    groups: tuple[tuple[UUID, str], ...]


def choices(session: Session, *, company: bool, vendor_id: UUID | None) -> Choices:
    """The vendors for the company; projects and groups once a vendor is known."""
    vendors: Sequence[Any] = ()
    if company:
        vendors = session.execute(
            sa.select(Tenant.id, Tenant.short_name)
            .where(Tenant.kind == TenantKind.VENDOR.value)
            .order_by(Tenant.code)
        ).all()
    if vendor_id is None:
        return Choices(tuple((row[0], row[1]) for row in vendors), (), ())
    rows: Sequence[Any] = session.execute(
        sa.union_all(
            sa.select(sa.literal_column("0").label("kind"), Project.id, Project.name).where(
                Project.tenant_id == vendor_id
            ),
            sa.select(sa.literal_column("1").label("kind"), Group.id, Group.name).where(
                Group.tenant_id == vendor_id
            ),
        ).order_by(sa.literal_column("3"))
    ).all()
    return Choices(
        tuple((row[0], row[1]) for row in vendors),
        tuple((row[1], row[2]) for row in rows if row[0] == 0),
        tuple((row[1], row[2]) for row in rows if row[0] == 1),
    )


def prefix_of(text: str) -> str:
    """What a person typed into the search for case numbers, as numbers are kept."""
    plain = re.sub(r"\s", "", text).upper()[:40]
    return normal_case_no(plain) or plain
