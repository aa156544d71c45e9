"""The list of cases: filters, a closed set of sorts, exact search, pages by cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.cases.rules import normal_case_no
from portal.files.cells import normal_phone
from portal.kernel.errors import Invalid
from portal.kernel.paging import PAGE_SIZE, Page, Sort, page_of, page_statement, place_of
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
    """A case as lists show it: personal data masked, names in place of ids, `amount` in yuan. Its
    own id is text, as addresses hold it."""

    id: str
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


_SHOWN = (
    as_text(_CASES.c.id),
    as_text(_CASES.c.tenant_id),
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
"""The columns of a `CaseLine`, with ids in place of names."""
_REFERENCES = itemgetter(1, 3, 12, 13)


def _narrowed(*conditions: Any, own: bool) -> sa.Select[Any]:
    """Cases with the conditions; a vendor's session (`own`) reads its own rows."""
    if own:
        conditions = (_CASES.c.tenant_id == _OWN, *conditions)
    return sa.select(*_SHOWN).where(*conditions)


def _lines(session: Session, rows: Sequence[Any]) -> list[CaseLine]:
    """Rows of `_SHOWN`, whatever follows in them, with names in place of ids."""
    needed = {one for row in rows for one in _REFERENCES(row)}
    names = directory(session, needed).names
    company = session.info.get("vendor_tenant") is None
    return [
        CaseLine._make(
            (
                row[0],
                names.get(row[1], "") if company else "",
                row[2],
                names.get(row[3], ""),
                *row[4:12],
                names.get(row[12], ""),
                names.get(row[13], ""),
                row[14],
            )
        )
        for row in rows
    ]


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
    found = found.add_columns(chosen.column.label("sort_key"))
    return Prepared(page_statement(found, chosen, placed=placed, backwards=backwards, size=size))


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
    return Page(tuple(_lines(session, page.items)), page.next, page.previous)


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
    return _lines(session, rows)


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
    return _lines(session, session.execute(cases.order_by(_CASES.c.case_no), scope).all())


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
