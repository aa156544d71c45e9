"""Pure checks of an imported case: what the columns alone cannot tell."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from portal.cases.rules import STATUS_NAMES, TRANSITIONS, CaseStatus
from portal.files import problems
from portal.files.columns import Row, Table
from portal.files.problems import CellError, Param
from portal.kernel.phrases import Phrase, phrase

_SHOWN = 60
PERSONAL = frozenset({"card", "debtor", "phone"})

_MESSAGES: Mapping[str, Phrase] = MappingProxyType(
    {
        "not_case_no": phrase(
            "This is not a case number. Use 3 to 40 letters, digits, Chinese characters, hyphens, "
            "dots or underlines."
        ),
        "vendor_unknown": phrase(
            "There is no such vendor. Write its code, short name or full name as on the page "
            "“Vendors”."
        ),
        "vendor_inactive": phrase(
            "This vendor takes no cases at present. Choose another one, or have it made active "
            "again first."
        ),
        "project_unknown": phrase(
            "%(vendor)s has no such project. Its projects: %(known)s. Correct the name, or add the "
            "project first."
        ),
        "group_unknown": phrase(
            "%(vendor)s has no such group. Correct the name, leave it empty, or add the group "
            "first."
        ),
        "agent_unknown": phrase(
            "%(vendor)s has no such person. Write the staff number, or leave it empty."
        ),
        "agent_ambiguous": phrase(
            "%(vendor)s has several persons of this name. Write the staff number."
        ),
        "amount_sum": phrase(
            "The amount must be principal + interest + fees = %(sum)s. Correct the one that is "
            "wrong."
        ),
        "band_days": phrase(
            "%(band)s means %(first)s to %(last)s days past due, but the row says %(days)s. "
            "Correct the band or the days."
        ),
        "entrusted_future": phrase(
            "The date entrusted lies in the future. Import the case on that day, or correct the "
            "date."
        ),
        "due_not_after": phrase(
            "The case is due back on or before the day it is entrusted. Correct one of the dates."
        ),
        "case_twice": phrase(
            "The same case number of this vendor stands in row %(row)s already. Delete one of the "
            "rows, or correct it."
        ),
        "status_step": phrase(
            "The case is “%(old)s” in the portal and cannot become “%(new)s”. Correct the status, "
            "or leave it empty."
        ),
    }
)


def describe(code: str, params: Mapping[str, Param]) -> Phrase:
    """The sentence for an error of the import, its own codes or those of any file."""
    if code not in _MESSAGES:
        return problems.describe(code, params)
    shown: dict[str, object] = dict(params)
    if code == "status_step":
        shown = {name: STATUS_NAMES[CaseStatus(str(value))] for name, value in params.items()}
    return _MESSAGES[code].filled(shown)


class Days(Protocol):
    """First and last day past due of an age band."""

    @property
    def first(self) -> int:
        """The first day, included."""
        ...

    @property
    def last(self) -> int:
        """The last day, included."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """A vendor's person, with the group that the case gets when the row names none."""

    id: UUID
    group_id: UUID | None


@dataclass(slots=True)
class Vendor:
    """What an import may name of a vendor; names and staff numbers folded by `fold`."""

    id: UUID
    name: str
    active: bool
    projects: dict[str, UUID] = field(default_factory=dict)
    project_names: list[str] = field(default_factory=list)
    groups: dict[str, UUID] = field(default_factory=dict)
    by_staff_no: dict[str, Person] = field(default_factory=dict)
    by_name: dict[str, list[Person]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """A case as a row tells it. `group_id`, `member_id` and `status` are None where the row is
    empty: a case that is there keeps what it has."""

    tenant_id: UUID
    case_no: str
    project_id: UUID
    batch: str
    entrusting_company: str
    card: str
    debtor: str
    phone: str
    principal: Decimal
    interest: Decimal
    fees: Decimal
    amount: Decimal
    days_past_due: int
    age_band: str
    entrusted_on: date
    due_back_on: date
    group_id: UUID | None
    member_id: UUID | None
    status: str | None

    def __repr__(self) -> str:
        """Only the number: the rest must not reach a log."""
        return f"Facts({self.case_no})"


COLUMN_OF = {"project_id": "project", "group_id": "group", "member_id": "agent"}
"""Facts whose column is named otherwise."""


@dataclass(frozen=True, slots=True)
class Existing:
    """The case that is there."""

    id: UUID
    version: int
    facts: Facts


def fold(text: str) -> str:
    """A name for comparing: width, case and spaces do not count."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def changed_fields(old: Facts, new: Facts) -> tuple[str, ...]:
    """The columns in which a row differs from the case that is there."""
    keys: list[str] = []
    for one in fields(Facts):
        wanted = getattr(new, one.name)
        if wanted is not None and wanted != getattr(old, one.name):
            keys.append(COLUMN_OF.get(one.name, one.name))
    return tuple(keys)


class Checker:
    """Checks the rows of one file, one after the other."""

    def __init__(
        self, table: Table, vendors: Mapping[str, Vendor], bands: Mapping[str, Days], today: date
    ) -> None:
        """`vendors` by folded code, short name and name; `today` in Beijing."""
        self._table = table
        self._vendors = vendors
        self._bands = bands
        self._today = today
        self._seen: dict[tuple[UUID, str], int] = {}

    def error(
        self, row: int, key: str, code: str, text: object = "", /, **params: Param
    ) -> CellError:
        """An error at the cell of a column, which a file may leave out when nothing needs it."""
        shown = "" if key in PERSONAL else str(text)[:_SHOWN]
        titles, letters = self._table.titles, self._table.letters
        return CellError(row, letters.get(key, ""), titles.get(key, key), code, params, shown)

    def check(self, row: Row) -> tuple[Facts | None, tuple[CellError, ...]]:
        """The row's facts, or its errors: the reader's and the ones found here."""
        values = row.values
        vendor, found = self._vendor(row)
        errors = [*row.errors, *found]
        ids: dict[str, UUID | None] = {}
        if vendor is not None:
            ids, more = self._within_vendor(row, vendor)
            errors += more
            errors += self._twice(row, vendor)
        errors += self._figures(row)
        errors += self._dates(row)
        if errors or vendor is None:
            return None, tuple(sorted(errors, key=lambda error: (len(error.letter), error.letter)))
        return _facts(vendor, values, ids), ()

    def step(self, row: int, old: Existing, new: Facts) -> CellError | None:
        """The error of a status that the case's present one does not allow."""
        if new.status is None or new.status == old.facts.status:
            return None
        before = CaseStatus(old.facts.status or "")
        if CaseStatus(new.status) in TRANSITIONS[before]:
            return None
        return self.error(row, "status", "status_step", old=before.value, new=new.status)

    def _vendor(self, row: Row) -> tuple[Vendor | None, list[CellError]]:
        named = row.values.get("vendor")
        if named is None:
            return None, []
        vendor = self._vendors.get(fold(named))
        if vendor is None:
            return None, [self.error(row.number, "vendor", "vendor_unknown", named)]
        if not vendor.active:
            return vendor, [self.error(row.number, "vendor", "vendor_inactive", named)]
        return vendor, []

    def _within_vendor(
        self, row: Row, vendor: Vendor
    ) -> tuple[dict[str, UUID | None], list[CellError]]:
        ids: dict[str, UUID | None] = {"project": None, "group": None, "agent": None}
        errors: list[CellError] = []
        named = {key: row.values.get(key) for key in ids}
        if (project := named["project"]) is not None:
            ids["project"] = vendor.projects.get(fold(project))
            if ids["project"] is None:
                known = "、".join(vendor.project_names[:8]) or "—"
                params: dict[str, Param] = {"vendor": vendor.name, "known": known}
                errors.append(
                    self.error(row.number, "project", "project_unknown", project, **params)
                )
        if (group := named["group"]) is not None:
            ids["group"] = vendor.groups.get(fold(group))
            if ids["group"] is None:
                errors.append(
                    self.error(row.number, "group", "group_unknown", group, vendor=vendor.name)
                )
        if (agent := named["agent"]) is not None:
            person, code = _person(vendor, agent)
            if person is None:
                errors.append(self.error(row.number, "agent", code, agent, vendor=vendor.name))
            else:
                ids["agent"] = person.id
                ids["group"] = ids["group"] or person.group_id
        return ids, errors

    def _twice(self, row: Row, vendor: Vendor) -> Iterator[CellError]:
        number = row.values.get("case_no")
        if number is not None:
            first = self._seen.setdefault((vendor.id, number), row.number)
            if first != row.number:
                yield self.error(row.number, "case_no", "case_twice", number, row=first)

    def _figures(self, row: Row) -> Iterator[CellError]:
        values = row.values
        parts = [values.get(key) for key in ("principal", "interest", "fees", "amount")]
        if None not in parts:
            *summands, amount = parts
            total = sum((part for part in summands if part is not None), Decimal("0.00"))
            if total != amount:
                yield self.error(row.number, "amount", "amount_sum", amount, sum=f"{total:.2f}")
        band, days = values.get("age_band"), values.get("days_past_due")
        if band is not None and days is not None:
            span = self._bands[band]
            if not span.first <= days <= span.last:
                yield self.error(
                    row.number,
                    "age_band",
                    "band_days",
                    band,
                    band=band,
                    first=span.first,
                    last=span.last,
                    days=days,
                )

    def _dates(self, row: Row) -> Iterator[CellError]:
        entrusted, due = row.values.get("entrusted_on"), row.values.get("due_back_on")
        if entrusted is not None and entrusted > self._today:
            yield self.error(row.number, "entrusted_on", "entrusted_future", entrusted)
        if entrusted is not None and due is not None and due <= entrusted:
            yield self.error(row.number, "due_back_on", "due_not_after", due)


def _person(vendor: Vendor, text: str) -> tuple[Person | None, str]:
    """By staff number (工号), or by a name that only one person bears."""
    wanted = fold(text)
    if (person := vendor.by_staff_no.get(wanted)) is not None:
        return person, ""
    named: Sequence[Person] = vendor.by_name.get(wanted, ())
    if len(named) == 1:
        return named[0], ""
    return None, "agent_ambiguous" if named else "agent_unknown"


def _facts(vendor: Vendor, values: Mapping[str, Any], ids: Mapping[str, UUID | None]) -> Facts:
    project_id = ids["project"]
    if project_id is None:
        raise ValueError("a row without errors names a project")
    return Facts(
        tenant_id=vendor.id,
        case_no=values["case_no"],
        project_id=project_id,
        batch=values["batch"],
        entrusting_company=values["entrusting_company"],
        card=values["card"],
        debtor=values["debtor"],
        phone=values["phone"],
        principal=values["principal"],
        interest=values["interest"],
        fees=values["fees"],
        amount=values["amount"],
        days_past_due=values["days_past_due"],
        age_band=values["age_band"],
        entrusted_on=values["entrusted_on"],
        due_back_on=values["due_back_on"],
        group_id=ids["group"],
        member_id=ids["agent"],
        status=values.get("status"),
    )
