"""The list of cases: filters, a closed set of sorts, exact search, pages by cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.cases.rules import normal_case_no
from portal.files.cells import normal_phone
from portal.kernel.errors import Invalid
from portal.kernel.paging import Page, Sort, page_of, page_statement, place_of
from portal.kernel.phrases import phrase
from portal.vendors.directory import Pairs, as_text, directory
from tenants.models import Tenant, TenantKind
from tenants.prepared import Prepared
from tenants.vault import installed

DEFAULT_SORT = "-entrusted"
EXPORT_ROWS = 10_000
FOUND_ROWS = 50
_AFTER_ALL = "\U0010ffff"
_CARD_DIGITS = re.compile(r"\d{8,24}")
# Plain tables, not mapped classes, and each statement built once for its shape: the ORM's and the
# builder's share of a page of fifty rows is more than the database's. What the session would add
# for a vendor is therefore written out: `_own`.
_CASES = Case.__table__
_OWN: sa.BindParameter[UUID] = sa.bindparam("own", None, type_=sa.Uuid())
SORTS: Mapping[str, Sort] = {
    "-entrusted": Sort(_CASES.c.entrusted_on, _CASES.c.id, descending=True),
    "entrusted": Sort(_CASES.c.entrusted_on, _CASES.c.id),
    "case_no": Sort(_CASES.c.case_no, _CASES.c.id),
    "-case_no": Sort(_CASES.c.case_no, _CASES.c.id, descending=True),
    "amount": Sort(_CASES.c.amount_cents, _CASES.c.id),
    "-amount": Sort(_CASES.c.amount_cents, _CASES.c.id, descending=True),
}


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

    @property
    def values(self) -> dict[str, Any]:
        """What narrows, by the names of `_NARROW`'s conditions."""
        held = {name: getattr(self, name) for name in _NARROW}
        return {name: value for name, value in held.items() if value}


# A range, not LIKE: only leak-proof comparisons reach an index under row-level security.
_NARROW: Mapping[str, Any] = {
    name: _CASES.c[column] == sa.bindparam(name, None, type_=_CASES.c[column].type)
    for name, column in (
        ("vendor_id", "tenant_id"),
        ("project_id", "project_id"),
        ("group_id", "group_id"),
        ("status", "status"),
        ("age_band", "age_band"),
    )
} | {
    "case_no": sa.and_(
        _CASES.c.case_no >= sa.bindparam("case_no", None, type_=sa.Text()),
        _CASES.c.case_no < sa.bindparam("case_no_end", None, type_=sa.Text()),
    )
}


class CaseLine(NamedTuple):
    """A case as lists show it, all text, in the order of the table's cells: personal data masked,
    names in place of ids, yuan with separators, days as 2026-11-20. `who` is group and agent."""

    id: str
    case_no: str
    vendor: str
    project: str
    debtor_masked: str
    card_masked: str
    amount: str
    age_band: str
    entrusted_on: str
    due_back_on: str
    who: str
    status: str


class ExportLine(NamedTuple):
    """A case as an export holds it: values of their own types, `amount` in yuan."""

    vendor: str
    case_no: str
    project: str
    entrusting_company: str
    debtor_masked: str
    card_masked: str
    amount: Decimal
    days_past_due: int
    age_band: str
    entrusted_on: date
    due_back_on: date
    group: str
    member: str
    status: str


def _day(column: Any) -> sa.ColumnElement[str]:
    return sa.func.to_char(column, sa.literal_column("'YYYY-MM-DD'"))


# The database writes the text of a cell: to make values of Python of fifty rows and texts of those
# again takes longer than to find the rows. A page's rows also stay below 8 kB, which the server
# sends at once.
_SHOWN = (
    as_text(_CASES.c.id),
    _CASES.c.case_no,
    as_text(_CASES.c.project_id),
    _CASES.c.debtor_masked,
    _CASES.c.card_masked,
    sa.func.to_char(_CASES.c.amount, sa.literal_column("'FM999,999,999,999,990.00'")),
    _CASES.c.age_band,
    _day(_CASES.c.entrusted_on),
    _day(_CASES.c.due_back_on),
    as_text(_CASES.c.group_id),
    as_text(_CASES.c.member_id),
    _CASES.c.status,
)
"""The columns of a `CaseLine` but for the vendor, with ids in place of names."""
_OF_VENDOR = as_text(_CASES.c.tenant_id)
_EXPORTED = (
    _OF_VENDOR,
    _CASES.c.case_no,
    as_text(_CASES.c.project_id),
    _CASES.c.entrusting_company,
    _CASES.c.debtor_masked,
    _CASES.c.card_masked,
    _CASES.c.amount,
    _CASES.c.days_past_due,
    _CASES.c.age_band,
    _CASES.c.entrusted_on,
    _CASES.c.due_back_on,
    as_text(_CASES.c.group_id),
    as_text(_CASES.c.member_id),
    _CASES.c.status,
)
"""The columns of an `ExportLine`, with ids in place of names."""
_NONE = "—"


def _select(*columns: Any, own: bool) -> sa.Select[Any]:
    """Columns of cases; a vendor's session (`own`) reads its own rows."""
    found = sa.select(*columns)
    return found.where(_CASES.c.tenant_id == _OWN) if own else found


def _lines(session: Session, rows: Sequence[Any], *, own: bool) -> list[CaseLine]:
    """Rows of `_SHOWN`, then the vendor unless it is the reader (`own`)."""
    known = directory(session, _needed(rows, (2, 9, 10) if own else (2, 9, 10, 12))).names.get
    return [
        CaseLine._make(
            (
                row[0],
                row[1],
                "" if own else known(row[12], ""),
                known(row[2], _NONE),
                *row[3:9],
                f"{known(row[9], _NONE)} {known(row[10], '')}",
                row[11],
            )
        )
        for row in rows
    ]


def _needed(rows: Sequence[Any], places: tuple[int, ...]) -> set[str | None]:
    """The ids at `places` of the rows."""
    columns = list(zip(*rows, strict=True))
    return {one for place in places for one in set(columns[place])} if rows else set()


def _scope(session: Session) -> dict[str, Any]:
    """The value of `_OWN` for a vendor's session; the company's reads all."""
    vendor = session.info.get("vendor_tenant")
    return {} if vendor is None else {"own": vendor}


def _values(session: Session, wanted: CaseFilter) -> dict[str, Any]:
    found = _scope(session) | wanted.values
    if wanted.case_no:
        found["case_no_end"] = wanted.case_no + _AFTER_ALL
    return found


@lru_cache(maxsize=512)
def _listed(
    sort: str, narrowed: frozenset[str], *, own: bool, placed: bool, backwards: bool
) -> Prepared:
    """The statement of a page, by what its text depends on."""
    chosen = SORTS[sort]
    columns = _SHOWN if own else (*_SHOWN, _OF_VENDOR)
    found = _select(*columns, chosen.column.label("sort_key"), own=own)
    found = found.where(*(_NARROW[name] for name in sorted(narrowed)))
    return Prepared(page_statement(found, chosen, placed=placed, backwards=backwards))


@lru_cache(maxsize=512)
def _exported(sort: str, narrowed: frozenset[str], size: int, *, own: bool) -> Prepared:
    """The statement of an export, by what its text depends on."""
    found = _select(*_EXPORTED, own=own)
    found = found.where(*(_NARROW[name] for name in sorted(narrowed)))
    return Prepared(page_statement(found, SORTS[sort], placed=False, backwards=False, size=size))


def _chosen(wanted: CaseFilter, sort: str) -> str:
    return wanted.sort or (sort if sort in SORTS else DEFAULT_SORT)


def list_cases(
    session: Session, wanted: CaseFilter, sort: str = DEFAULT_SORT, cursor: str | None = None
) -> Page[CaseLine]:
    """One page of fifty. Unknown sorts fall back to the first."""
    values, own = _values(session, wanted), bool(_scope(session))
    backwards, place = place_of(cursor)
    placed = bool(place)
    statement = _listed(
        _chosen(wanted, sort),
        frozenset(wanted.values),
        own=own,
        placed=placed,
        backwards=backwards,
    )
    rows = statement.rows(session, values | place)
    page = page_of(rows, lambda row: (row[-1], row[0]), placed=placed, backwards=backwards)
    return Page(tuple(_lines(session, page.items, own=own)), page.next, page.previous)


def export_cases(session: Session, wanted: CaseFilter, sort: str) -> Sequence[ExportLine]:
    """All rows that the list would page through; `Invalid` beyond 10,000."""
    values, own = _values(session, wanted), bool(_scope(session))
    statement = _exported(_chosen(wanted, sort), frozenset(wanted.values), EXPORT_ROWS, own=own)
    rows = statement.rows(session, values)
    if len(rows) > EXPORT_ROWS:
        raise Invalid(
            phrase("The list has more than %(most)s cases: too many to export.", most=EXPORT_ROWS),
            phrase("Narrow it by vendor, project, status or age band, then export again."),
        )
    known = directory(session, _needed(rows, (0, 2, 11, 12))).names.get
    return [
        ExportLine._make(
            (
                known(vendor, ""),
                number,
                known(project, ""),
                *rest,
                known(group, ""),
                known(member, ""),
                status,
            )
        )
        for vendor, number, project, *rest, group, member, status in rows
    ]


def find_personal(session: Session, text: str) -> Sequence[CaseLine]:
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
        searched.append((_CASES.c.card_index, [key.index("card", card) for key in keys]))
    if phone is not None:
        searched.append((_CASES.c.phone_index, [key.index("phone", phone) for key in keys]))
    scope = _scope(session)
    own = [_CASES.c.tenant_id == tenant_id for tenant_id in scope.values()]
    ids: set[UUID] = set()
    for column, values in searched:
        ids.update(
            session.scalars(
                sa.select(_CASES.c.id).where(column.in_(values), *own).limit(FOUND_ROWS)
            )
        )
    if not ids:
        return ()
    cases = _select(*_SHOWN, _OF_VENDOR, own=bool(scope)).where(_CASES.c.id.in_(ids))
    rows = session.execute(cases.order_by(_CASES.c.case_no).limit(FOUND_ROWS), scope).all()
    return _lines(session, rows, own=bool(scope))


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (id, name) pairs, ids as text."""

    vendors: Pairs
    projects: Pairs
    groups: Pairs


def choices(session: Session, *, vendor_id: UUID | None) -> Choices:
    """The vendors for the company; projects and groups once a vendor is known (a vendor's own)."""
    own: UUID | None = session.info.get("vendor_tenant")
    known, vendor = directory(session), own or vendor_id
    if vendor is None:
        return Choices(known.vendors, (), ())
    return Choices(
        known.vendors if own is None else (),
        known.projects.get(vendor, ()),
        known.groups.get(vendor, ()),
    )


def prefix_of(text: str) -> str:
    """What a person typed into the search for case numbers, as numbers are kept."""
    plain = re.sub(r"\s", "", text).upper()[:40]
    return normal_case_no(plain) or plain
