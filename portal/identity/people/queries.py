"""Reads of people, their roles and the audit department's record, on the sign-in login."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.identity.models import Account, Appointment, PasswordLink
from portal.identity.rules import AUDIT_DEPARTMENT, LinkPurpose, Standing, roles_for, standing
from portal.kernel import clock
from portal.kernel.access import SYSTEM_ACCOUNT, Role
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from tenants.models import Tenant, TenantKind, TenantStatus

_NEVER = clock.at_beijing(date(1970, 1, 1))


@dataclass(frozen=True, slots=True)
class Organisation:
    """The company or a vendor, to choose from."""

    id: UUID
    name: str
    is_company: bool
    is_active: bool

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles that its people may hold, in the order of rules.md."""
        fitting = roles_for(company=self.is_company)
        return tuple(role for role in Role if role in fitting)


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """What of an organisation's people a list shows; "" is everything."""

    tenant_id: UUID
    search: str = ""
    role: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """An appointment as pages show it. `named_by` is "" where it is not on record by whom."""

    id: UUID
    person: str
    email: str
    person_status: Standing
    role: Role
    since: datetime
    named_by: str
    by_command: bool
    ground: str
    until: datetime | None
    withdrawn_by: str
    withdrawn_ground: str


@dataclass(frozen=True, slots=True)
class Person:
    """A line of the list."""

    id: UUID
    name: str
    email: str
    status: Standing
    created_at: datetime
    last_sign_in_at: datetime | None
    roles: tuple[tuple[Role, datetime], ...]


@dataclass(frozen=True, slots=True)
class LinkView:
    """The person's newest one-time link: what for, by whom, and what became of it."""

    id: UUID
    purpose: LinkPurpose
    made_at: datetime
    made_by: str
    mailed: bool
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it can still be used."""
        return not self.used_at and not self.revoked_at and self.expires_at > clock.now()


@dataclass(frozen=True, slots=True)
class PersonPage:
    """All that the page of one person shows."""

    id: UUID
    organisation: Organisation
    name: str
    email: str
    locale: str
    status: Standing
    version: int
    created_at: datetime
    last_sign_in_at: datetime | None
    disabled_at: datetime | None
    disabled_by: str
    disabled_ground: str
    appointments: tuple[Named, ...]
    link: LinkView | None

    @property
    def standing_appointments(self) -> tuple[Named, ...]:
        """The roles held now."""
        return tuple(one for one in self.appointments if one.until is None)

    @property
    def past_appointments(self) -> tuple[Named, ...]:
        """The roles that were withdrawn, the last first."""
        ended = [one for one in self.appointments if one.until is not None]
        return tuple(sorted(ended, key=lambda one: one.until or _NEVER, reverse=True))

    @property
    def free_roles(self) -> tuple[Role, ...]:
        """The roles that the person could be named to."""
        held = {one.role for one in self.standing_appointments}
        return tuple(role for role in self.organisation.roles if role not in held)


def organisations(session: Session) -> list[Organisation]:
    """The company first, then its vendors by name."""
    rows = session.execute(
        sa.select(Tenant.id, Tenant.short_name, Tenant.kind, Tenant.status).order_by(
            Tenant.kind, Tenant.short_name, Tenant.id
        )
    )
    return [
        Organisation(
            row.id,
            row.short_name,
            row.kind == TenantKind.COMPANY,
            row.status == TenantStatus.ACTIVE,
        )
        for row in rows
    ]


SORTS = {
    "name": Sort(Account.name, Account.id),
    "added": Sort(Account.created_at, Account.id),
    "seen": Sort(sa.func.coalesce(Account.last_sign_in_at, _NEVER), Account.id),
}
DEFAULT_SORT = "name"


def sort_of(wanted: str) -> tuple[str, Sort]:
    """A list's order by its name, "-" before it for the other way round; else by name."""
    known = SORTS.get(wanted.removeprefix("-"))
    if known is None:
        return DEFAULT_SORT, SORTS[DEFAULT_SORT]
    return wanted, Sort(known.column, known.id, wanted.startswith("-"))


def list_people(
    session: Session, wanted: PeopleFilter, sort: Sort, cursor: str | None
) -> Page[Person]:
    """An organisation's people, one page; the roles that stand, each since when."""
    statement = sa.select(Account, Account.id.label("id"), sort.column.label("sort_key")).where(
        Account.tenant_id == wanted.tenant_id
    )
    if wanted.search:
        statement = statement.where(
            sa.or_(
                Account.name.icontains(wanted.search, autoescape=True),
                Account.email.icontains(wanted.search, autoescape=True),
            )
        )
    if wanted.role:
        statement = statement.where(Account.roles.contains([wanted.role]))
    if wanted.status:
        statement = statement.where(_IN_STANDING[Standing(wanted.status)])
    page = paginate(session, statement, sort, cursor)
    held = _standing_roles(session, wanted.tenant_id, [row.id for row in page.items])
    return page.map(lambda row: _person(row[0], held.get(row.id, ())))


_IN_STANDING = {
    Standing.INVITED: sa.and_(Account.status == "active", Account.password_set_at.is_(None)),
    Standing.ACTIVE: sa.and_(Account.status == "active", Account.password_set_at.is_not(None)),
    Standing.DISABLED: Account.status == "disabled",
}


def _standing_of(account: Account) -> Standing:
    return standing(account.status, has_password=account.password_set_at is not None)


def _person(account: Account, roles: Sequence[tuple[Role, datetime]]) -> Person:
    return Person(
        account.id,
        account.name,
        account.email,
        _standing_of(account),
        account.created_at,
        account.last_sign_in_at,
        tuple(roles),
    )


def _standing_roles(
    session: Session, tenant_id: UUID, account_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[Role, datetime]]]:
    found: dict[UUID, list[tuple[Role, datetime]]] = {}
    rows = session.execute(
        sa.select(Appointment.account_id, Appointment.role, Appointment.since)
        .where(
            Appointment.tenant_id == tenant_id,
            Appointment.account_id.in_(account_ids),
            Appointment.until.is_(None),
        )
        .order_by(Appointment.since, Appointment.role)
    )
    for row in rows:
        found.setdefault(row.account_id, []).append((Role(row.role), row.since))
    return found


def _named(row: Appointment, account: Account) -> Named:
    return Named(
        row.id,
        account.name,
        account.email,
        _standing_of(account),
        Role(row.role),
        row.since,
        row.named_by_name,
        row.named_by == SYSTEM_ACCOUNT,
        row.ground,
        row.until,
        row.withdrawn_by_name or "",
        row.withdrawn_ground,
    )


def get_person(session: Session, account_id: UUID) -> PersonPage:
    """All about one person's account. Raises `NotFound`."""
    account = session.scalars(
        sa.select(Account).where(Account.id == account_id).execution_options(populate_existing=True)
    ).first()
    if account is None:
        raise NotFound("account")
    (organisation,) = (one for one in organisations(session) if one.id == account.tenant_id)
    appointments = session.scalars(
        sa.select(Appointment)
        .where(Appointment.tenant_id == account.tenant_id, Appointment.account_id == account.id)
        .order_by(Appointment.since, Appointment.role)
        .execution_options(populate_existing=True)
    )
    return PersonPage(
        account.id,
        organisation,
        account.name,
        account.email,
        account.locale or "",
        _standing_of(account),
        account.version,
        account.created_at,
        account.last_sign_in_at,
        account.disabled_at,
        account.disabled_by_name or "",
        account.disabled_ground or "",
        tuple(_named(row, account) for row in appointments),
        _newest_link(session, account),
    )


def _newest_link(session: Session, account: Account) -> LinkView | None:
    row = session.scalars(
        sa.select(PasswordLink)
        .where(PasswordLink.tenant_id == account.tenant_id, PasswordLink.account_id == account.id)
        .order_by(PasswordLink.made_at.desc(), PasswordLink.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        return None
    return LinkView(
        row.id,
        LinkPurpose(row.purpose),
        row.made_at,
        row.made_by_name,
        row.mailed,
        row.expires_at,
        row.used_at,
        row.revoked_at,
    )


def audit_department(session: Session, company_id: UUID, on: date | None = None) -> list[Named]:
    """The audit department's appointments (rule A1), heads first: all there ever were, or those
    that stood at some time of the day `on` (Beijing)."""
    statement = (
        sa.select(Appointment, Account)
        .join(
            Account,
            sa.and_(
                Account.tenant_id == Appointment.tenant_id, Account.id == Appointment.account_id
            ),
        )
        .where(Appointment.tenant_id == company_id, Appointment.role.in_(AUDIT_DEPARTMENT))
        .order_by(Appointment.role, Appointment.since, Appointment.id)
    )
    if on is not None:
        begins = clock.at_beijing(on)
        statement = statement.where(
            Appointment.since < begins + timedelta(days=1),
            sa.or_(Appointment.until.is_(None), Appointment.until >= begins),
        )
    return [_named(row, account) for row, account in session.execute(statement)]
