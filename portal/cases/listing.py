"""The list of cases: filters, a closed set of sorts, exact search, pages by cursor."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.cases.rules import normal_case_no
from portal.files.cells import normal_phone
from portal.kernel.errors import Invalid
from portal.kernel.paging import PAGE_SIZE, Page, Sort, page_of, page_statement, place_of
from portal.kernel.phrases import phrase
from portal.vendors.models import Group, Member, Project
from tenants.models import Tenant, TenantKind
from tenants.prepared import Asked, Prepared
from tenants.vault import installed

DEFAULT_SORT = "-entrusted"
EXPORT_ROWS = 10_000
FOUND_ROWS = 50
_AFTER_ALL = "\U0010ffff"
_CARD_DIGITS = re.compile(r"\d{8,24}")
# Plain tables, not mapped classes, and each statement built once for its shape: the ORM's and the
# builder's share of a page of fifty rows is more than the database's. What the session would add
# for a vendor is therefore written out: `_own`.
_CASES, _TENANTS = Case.__table__, Tenant.__table__
_PROJECTS, _GROUPS, _MEMBERS = Project.__table__, Group.__table__, Member.__table__
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
    """A case as lists show it: personal data masked, names in place of ids, `amount` in yuan."""

    id: UUID
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


def _narrowed(*conditions: Any, own: bool) -> sa.Select[Any]:
    """Cases with the conditions; a vendor's session (`own`) reads its own rows."""
    if own:
        conditions = (_CASES.c.tenant_id == _OWN, *conditions)
    return sa.select(_CASES).where(*conditions)


def _named(cases: sa.Select[Any], *, own: bool) -> tuple[Any, sa.Select[Any]]:
    """The columns of `CaseLine` for a statement over cases that ends with its LIMIT: first the page
    is found, then its rows get their names. (Joined before the limit, the planner would prepare for
    a million of them.)"""
    of = cases.subquery("page")
    nothing: sa.ColumnElement[str] = sa.literal_column("''")

    def its(table: Any, reference: Any) -> Any:
        return sa.and_(table.c.tenant_id == of.c.tenant_id, table.c.id == reference)

    statement = (
        sa.select(
            of.c.id,
            nothing if own else _TENANTS.c.short_name,
            of.c.case_no,
            _PROJECTS.c.name,
            of.c.entrusting_company,
            of.c.debtor_masked,
            of.c.card_masked,
            of.c.amount,
            of.c.days_past_due,
            of.c.age_band,
            of.c.entrusted_on,
            of.c.due_back_on,
            sa.func.coalesce(_GROUPS.c.name, nothing),
            sa.func.coalesce(_MEMBERS.c.name, nothing),
            of.c.status,
        )
        .select_from(of)
        .outerjoin(_PROJECTS, its(_PROJECTS, of.c.project_id))
        .outerjoin(_GROUPS, its(_GROUPS, of.c.group_id))
        .outerjoin(_MEMBERS, its(_MEMBERS, of.c.member_id))
    )
    if not own:
        statement = statement.outerjoin(_TENANTS, _TENANTS.c.id == of.c.tenant_id)
    return of.c, statement


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
    sort: str, narrowed: frozenset[str], *, own: bool, placed: bool, backwards: bool, size: int
) -> Prepared:
    """The statement of a page, by what its text depends on."""
    chosen = SORTS[sort]
    found = _narrowed(*(_NARROW[name] for name in sorted(narrowed)), own=own)
    page = page_statement(found, chosen, placed=placed, backwards=backwards, size=size)
    of, statement = _named(page, own=own)
    key = of[chosen.column.key]
    down = chosen.descending != backwards
    order = [part.desc() if down else part.asc() for part in (key, of.id)]
    return Prepared(statement.add_columns(key).order_by(*order))


def list_cases(
    session: Session, wanted: CaseFilter, sort: str = DEFAULT_SORT, cursor: str | None = None
) -> Page[CaseLine]:
    """One page of fifty. Unknown sorts fall back to the first."""
    chosen = wanted.sort or (sort if sort in SORTS else DEFAULT_SORT)
    values = _values(session, wanted)
    backwards, place = place_of(cursor)
    placed = bool(place)
    statement = _listed(
        chosen,
        frozenset(wanted.values),
        own="own" in values,
        placed=placed,
        backwards=backwards,
        size=PAGE_SIZE,
    )
    rows = statement.rows(session, values | place)
    page = page_of(rows, lambda row: (row[-1], row[0]), placed=placed, backwards=backwards)
    return page.map(_line)


def _line(row: Any) -> CaseLine:
    return CaseLine._make(row[: len(CaseLine._fields)])


def export_cases(session: Session, wanted: CaseFilter, sort: str) -> Sequence[CaseLine]:
    """All rows that the list would page through; `Invalid` beyond 10,000."""
    chosen = wanted.sort or (sort if sort in SORTS else DEFAULT_SORT)
    values = _values(session, wanted)
    statement = _listed(
        chosen,
        frozenset(wanted.values),
        own="own" in values,
        placed=False,
        backwards=False,
        size=EXPORT_ROWS,
    )
    rows = statement.rows(session, values)
    if len(rows) > EXPORT_ROWS:
        raise Invalid(
            phrase("The list has more than %(most)s cases: too many to export.", most=EXPORT_ROWS),
            phrase("Narrow it by vendor, project, status or age band, then export again."),
        )
    return [_line(row) for row in rows]


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
    cases = _narrowed(_CASES.c.id.in_(ids), own=bool(scope)).limit(FOUND_ROWS)
    of, statement = _named(cases, own=bool(scope))
    return [_line(row) for row in session.execute(statement.order_by(of.case_no), scope)]


Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (id, name) pairs, ids as text."""

    vendors: Pairs
    projects: Pairs
    groups: Pairs


_CHOSEN: sa.BindParameter[UUID] = sa.bindparam("chosen", None, type_=sa.Uuid())


def _pairs(table: Any, shown: Any, order: Any, condition: Any) -> Any:
    """One text with all (id, name) pairs in order: two hundred rows would be read one by one."""
    pair = sa.func.json_build_array(table.c.id, shown)
    # `aggregate_order_by` of the dialect; the plain function has no such clause.
    listed = sa.func.json_agg(aggregate_order_by(pair, order))
    return sa.select(sa.cast(listed, sa.Text)).where(condition).scalar_subquery()


@cache
def _choices(*, vendors: bool, of_vendor: bool) -> Prepared:
    none: Any = sa.literal_column("null")
    kind = _TENANTS.c.kind == sa.literal_column(f"'{TenantKind.VENDOR.value}'")
    return Prepared(
        sa.select(
            _pairs(_TENANTS, _TENANTS.c.short_name, _TENANTS.c.code, kind) if vendors else none,
            *(
                _pairs(table, table.c.name, table.c.name, table.c.tenant_id == _CHOSEN)
                if of_vendor
                else none
                for table in (_PROJECTS, _GROUPS)
            ),
        )
    )


def ask_choices(session: Session, *, vendor_id: UUID | None) -> Asked:
    """Ask for the vendors (the company), and for the projects and groups of a vendor once one is
    known (a vendor's own); for `choices_of`."""
    own = session.info.get("vendor_tenant")
    vendor = own or vendor_id
    statement = _choices(vendors=own is None, of_vendor=vendor is not None)
    return statement.asked(session, {"chosen": vendor})


def choices_of(asked: Asked) -> Choices:
    """What was asked for."""
    return Choices(*(_read_pairs(text or "[]") for text in asked.rows()[0]))


@lru_cache(maxsize=512)
def _read_pairs(text: str) -> Pairs:
    """Pairs from the database's text; the same ones come with every page."""
    return tuple((str(row_id), str(name)) for row_id, name in json.loads(text))


def prefix_of(text: str) -> str:
    """What a person typed into the search for case numbers, as numbers are kept."""
    plain = re.sub(r"\s", "", text).upper()[:40]
    return normal_case_no(plain) or plain
