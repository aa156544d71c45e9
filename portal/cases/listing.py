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

DEFAULT_SORT = "-entrusted"
# Plain tables, not mapped classes: the ORM's share of a page of fifty rows is more than the
# database's. What the session would add for a vendor is therefore written out: `_own`.
_CASES = Case.__table__.c
_TENANTS = Tenant.__table__.c
_NAMED: tuple[tuple[str, Any, Any], ...] = (
    ("projects", Project.__table__.c, Project.__table__.c.name),
    ("groups", Group.__table__.c, Group.__table__.c.name),
    ("members", Member.__table__.c, Member.__table__.c.name),
)
SORTS: Mapping[str, Sort] = {
    "-entrusted": Sort(_CASES.entrusted_on, _CASES.id, descending=True),
    "entrusted": Sort(_CASES.entrusted_on, _CASES.id),
    "case_no": Sort(_CASES.case_no, _CASES.id),
    "-case_no": Sort(_CASES.case_no, _CASES.id, descending=True),
    "amount": Sort(_CASES.amount_cents, _CASES.id),
    "-amount": Sort(_CASES.amount_cents, _CASES.id, descending=True),
}
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


def _own(session: Session, tenant_id: Any) -> tuple[Any, ...]:
    """A vendor's session reads its own rows; the company's reads all."""
    vendor = session.info.get("vendor_tenant")
    return () if vendor is None else (tenant_id == vendor,)


def _lines(session: Session) -> Any:
    """Columns, not entities: a page of fifty rows has milliseconds. Names come by `names_of`."""
    return sa.select(
        _CASES.id,
        _CASES.tenant_id,
        _CASES.case_no,
        _CASES.entrusting_company,
        _CASES.debtor_masked,
        _CASES.card_masked,
        _CASES.amount,
        _CASES.age_band,
        _CASES.days_past_due,
        _CASES.entrusted_on,
        _CASES.due_back_on,
        _CASES.status,
        _CASES.project_id,
        _CASES.group_id,
        _CASES.member_id,
    ).where(*_own(session, _CASES.tenant_id))


def _narrowed(statement: sa.Select[Any], wanted: CaseFilter) -> sa.Select[Any]:
    conditions: list[Any] = []
    if wanted.vendor_id is not None:
        conditions.append(_CASES.tenant_id == wanted.vendor_id)
    if wanted.project_id is not None:
        conditions.append(_CASES.project_id == wanted.project_id)
    if wanted.group_id is not None:
        conditions.append(_CASES.group_id == wanted.group_id)
    if wanted.status:
        conditions.append(_CASES.status == wanted.status)
    if wanted.age_band:
        conditions.append(_CASES.age_band == wanted.age_band)
    if wanted.case_no:
        # A range, not LIKE: only leak-proof comparisons reach an index under row-level security.
        conditions += [
            _CASES.case_no >= wanted.case_no,
            _CASES.case_no < wanted.case_no + _AFTER_ALL,
        ]
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
    wanted = {
        "projects": {row.project_id for row in rows},
        "groups": {row.group_id for row in rows if row.group_id},
        "members": {row.member_id for row in rows if row.member_id},
    }
    parts: list[Any] = [
        sa.select(sa.literal_column(f"'{kind}'").label("kind"), table.id, name.label("name")).where(
            table.id == sa.func.any(sa.bindparam(kind, type_=sa.ARRAY(sa.Uuid))),
            *_own(session, table.tenant_id),
        )
        for kind, table, name in _NAMED
    ]
    values = {kind: list(ids) for kind, ids in wanted.items()}
    if session.info.get("vendor_tenant") is None:
        values["vendors"] = list({row.tenant_id for row in rows})
        parts.append(
            sa.select(sa.literal_column("'vendors'"), _TENANTS.id, _TENANTS.short_name).where(
                _TENANTS.id == sa.func.any(sa.bindparam("vendors", type_=sa.ARRAY(sa.Uuid)))
            )
        )
    found: dict[str, dict[UUID, str]] = {
        "vendors": {},
        "projects": {},
        "groups": {},
        "members": {},
    }
    for kind, row_id, name in session.execute(sa.union_all(*parts), values):
        found[kind][row_id] = name
    return Names(**found)


def list_cases(
    session: Session, wanted: CaseFilter, sort: str = DEFAULT_SORT, cursor: str | None = None
) -> Page[sa.Row[Any]]:
    """One page of fifty. Unknown sorts fall back to the first."""
    chosen = SORTS.get(wanted.sort or sort, SORTS[DEFAULT_SORT])
    statement = _narrowed(_lines(session).add_columns(chosen.column.label("sort_key")), wanted)
    return paginate(session, statement, chosen, cursor)


def export_cases(session: Session, wanted: CaseFilter, sort: str) -> Sequence[sa.Row[Any]]:
    """All rows that the list would page through; `Invalid` beyond 10,000."""
    chosen = SORTS.get(wanted.sort or sort, SORTS[DEFAULT_SORT])
    parts = (chosen.column, chosen.id)
    order = [part.desc() if chosen.descending else part.asc() for part in parts]
    rows = session.execute(
        _narrowed(_lines(session), wanted).order_by(*order).limit(EXPORT_ROWS + 1)
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
        searched.append((_CASES.card_index, [key.index("card", card) for key in keys]))
    if phone is not None:
        searched.append((_CASES.phone_index, [key.index("phone", phone) for key in keys]))
    ids: set[UUID] = set()
    for column, values in searched:
        ids.update(
            session.scalars(
                sa.select(_CASES.id)
                .where(column.in_(values), *_own(session, _CASES.tenant_id))
                .limit(FOUND_ROWS)
            )
        )
    if not ids:
        return ()
    statement = _lines(session).where(_CASES.id.in_(ids)).order_by(_CASES.case_no).limit(FOUND_ROWS)
    return session.execute(statement).all()


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer: (id, name) pairs."""

    vendors: tuple[tuple[UUID, str], ...]
    projects: tuple[tuple[UUID, str], ...]
    groups: tuple[tuple[UUID, str], ...]


def choices(session: Session, *, vendor_id: UUID | None) -> Choices:
    """The vendors for the company; projects and groups once a vendor is known (a vendor's own)."""
    own = session.info.get("vendor_tenant")
    vendor = own or vendor_id
    kinds: list[Any] = []
    if own is None:
        kinds.append(
            sa.select(
                sa.literal_column("0"), _TENANTS.id, _TENANTS.short_name, _TENANTS.code
            ).where(_TENANTS.kind == TenantKind.VENDOR.value)
        )
    if vendor is not None:
        kinds += [
            sa.select(sa.literal_column(str(number)), table.id, name, name).where(
                table.tenant_id == vendor
            )
            for number, (_kind, table, name) in enumerate(_NAMED[:2], start=1)
        ]
    found: tuple[list[tuple[UUID, str]], ...] = ([], [], [])
    for kind, row_id, name, _order in session.execute(
        sa.union_all(*kinds).order_by(sa.literal_column("4"))
    ):
        found[kind].append((row_id, name))
    return Choices(*(tuple(pairs) for pairs in found))


def prefix_of(text: str) -> str:
    """What a person typed into the search for case numbers, as numbers are kept."""
    plain = re.sub(r"\s", "", text).upper()[:40]
    return normal_case_no(plain) or plain
