"""Add people, name them to roles, withdraw roles, disable and enable accounts (rules A1, A2).

Everything here runs on the sign-in login, which alone sees accounts; the journal's entry stands or
falls with the change. Each change raises the account's version: who changes a person on a page that
is older is told so.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.identity.feeds import revoke as revoke_feed
from portal.identity.models import Account, Appointment
from portal.identity.people import links
from portal.identity.rules import (
    check_administrators_left,
    check_not_oneself,
    check_roles,
    ground_of,
)
from portal.identity.service import appoint, correct_address, create_account, end_sessions
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Invalid, NotFound, Stale
from portal.kernel.phrases import phrase
from tenants.models import Tenant, TenantKind, TenantStatus

_ADMINISTRATORS = 7305002
"""The advisory lock under which the number of administrators may shrink."""


def add_person(
    session: Session,
    *,
    tenant_id: UUID,
    email: str,
    name: str,
    roles: Iterable[Role],
    locale: str,
    ground: str,
    mailed: bool,
    actor: Actor,
) -> tuple[Account, str]:
    """Add a person and make the invitation; returns the account and the link's token.

    Raises `Invalid` for an organisation that does not work here (any more), roles that do not fit,
    a name or address that is none; `AddressInUse`.
    """
    status = session.scalar(sa.select(Tenant.status).where(Tenant.id == tenant_id))
    if status != TenantStatus.ACTIVE:
        raise Invalid(
            phrase("People of this organisation cannot sign in at present."),
            phrase("Choose an organisation whose cooperation is active."),
        )
    account = create_account(
        session,
        tenant_id=tenant_id,
        email=email,
        name=name,
        roles=roles,
        password=None,
        locale=locale,
        ground=ground,
        actor=actor,
    )
    return account, links.make(session, account, mailed=mailed, actor=actor)


def _locked(session: Session, account_id: UUID, seen_version: str) -> Account:
    """The account for a change that was asked on a page of this version."""
    account = session.scalars(
        sa.select(Account)
        .where(Account.id == account_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if account is None:
        raise NotFound("account")
    if str(account.version) != seen_version:
        raise Stale(
            phrase("Somebody changed this since you opened the page."),
            phrase("Look at the present state below, then send your change again."),
        )
    account.version += 1
    return account


def _is_company(session: Session, account: Account) -> bool:
    kind = session.scalar(sa.select(Tenant.kind).where(Tenant.id == account.tenant_id))
    return kind == TenantKind.COMPANY


def _keep_an_administrator(session: Session, account: Account, actor: Actor) -> None:
    """An administrator may go (disabled, or the role withdrawn) while another can sign in."""
    if Role.ADMINISTRATOR not in account.roles:
        return
    check_not_oneself(oneself=account.id == actor.account_id)
    others = session.scalar(
        sa.select(sa.func.count()).where(
            Account.tenant_id == account.tenant_id,
            Account.id != account.id,
            Account.status == "active",
            Account.password_set_at.is_not(None),
            Account.roles.contains([Role.ADMINISTRATOR.value]),
        )
    )
    check_administrators_left(others or 0)


def _one_at_a_time(session: Session) -> None:
    """Two administrators who end each other's office at once: the second waits, and sees."""
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADMINISTRATORS)))


def name_to_role(
    session: Session, account_id: UUID, role: Role, *, ground: str, seen_version: str, actor: Actor
) -> Account:
    """Name a person to a role, from now on (rule A1). Raises `NotFound`, `Stale`, `Invalid` for a
    role of the other kind of organisation, `Conflict` for one held already or a disabled account.
    """
    account = _locked(session, account_id, seen_version)
    check_roles([role], company=_is_company(session, account))
    if role in account.roles:
        raise Conflict(phrase("This person holds the role already."))
    if account.status != "active":
        raise Conflict(
            phrase("This account is disabled."), phrase("Enable it first, then name to the role.")
        )
    appoint(session, account, role, ground=ground_of(ground), actor=actor)
    account.roles = sorted([*account.roles, role.value])
    session.flush()
    _record(session, "role.named", account, actor, role=role.value)
    return account


def withdraw_role(
    session: Session,
    account_id: UUID,
    appointment_id: UUID,
    *,
    ground: str,
    seen_version: str,
    actor: Actor,
) -> Account:
    """End a person's appointment, from the next request on (rule A1). Raises `NotFound`, `Stale`,
    `Conflict` for the only role, the own administrator's role, or the last administrator."""
    _one_at_a_time(session)
    account = _locked(session, account_id, seen_version)
    held = session.scalars(
        sa.select(Appointment).where(
            Appointment.tenant_id == account.tenant_id,
            Appointment.account_id == account.id,
            Appointment.id == appointment_id,
        )
    ).first()
    if held is None:
        raise NotFound("appointment")
    if held.until is not None:
        raise Conflict(phrase("This appointment has ended already."))
    if held.role == Role.ADMINISTRATOR:
        _keep_an_administrator(session, account, actor)
    if account.roles == [held.role]:
        raise Conflict(
            phrase("This is the person's only role."),
            phrase("Name the person to another role first, or disable the account."),
        )
    held.until, held.withdrawn_by, held.withdrawn_by_name = (
        clock.now(),
        actor.account_id,
        actor.name,
    )
    held.withdrawn_ground = ground_of(ground)
    account.roles = [role for role in account.roles if role != held.role]
    session.flush()
    _record(session, "role.withdrawn", account, actor, role=held.role)
    return account


def disable(
    session: Session, account_id: UUID, *, ground: str, seen_version: str, actor: Actor
) -> Account:
    """End an account: its sessions, its link and its calendar feed end at once; appointments and
    everything done stay on record. Raises `NotFound`, `Stale`, `Conflict`."""
    _one_at_a_time(session)
    account = _locked(session, account_id, seen_version)
    if account.status != "active":
        raise Conflict(phrase("This account is disabled already."))
    check_not_oneself(oneself=account.id == actor.account_id)
    _keep_an_administrator(session, account, actor)
    account.status, account.disabled_at = "disabled", clock.now()
    account.disabled_by_name, account.disabled_ground = actor.name, ground_of(ground)
    end_sessions(session, account.id)
    links.end_open(session, account)
    revoke_feed(session, account.id)
    session.flush()
    _record(session, "account.disabled", account, actor)
    return account


def enable(session: Session, account_id: UUID, *, seen_version: str, actor: Actor) -> Account:
    """Let a person sign in again, with the roles and the password from before. Raises `NotFound`,
    `Stale`, `Conflict`."""
    account = _locked(session, account_id, seen_version)
    if account.status == "active":
        raise Conflict(phrase("This account is enabled already."))
    account.status, account.disabled_at = "active", None
    account.disabled_by_name = account.disabled_ground = None
    session.flush()
    _record(session, "account.enabled", account, actor)
    return account


def correct(
    session: Session, account_id: UUID, *, name: str, email: str, seen_version: str, actor: Actor
) -> Account:
    """Mend what was typed wrongly of an invited person; the link that went to the wrong address
    ends. Raises `NotFound`, `Stale`, and as `correct_address`."""
    account = _locked(session, account_id, seen_version)
    correct_address(session, account, name=name, email=email)
    links.end_open(session, account)
    _record(session, "account.corrected", account, actor)
    return account


def send_link(
    session: Session, account_id: UUID, *, mailed: bool, seen_version: str, actor: Actor
) -> tuple[Account, str]:
    """Make a new one-time link, ending the one there is; returns the account and the token.
    Raises `NotFound`, `Stale` (a double click, too), and as `links.make`."""
    account = _locked(session, account_id, seen_version)
    return account, links.make(session, account, mailed=mailed, actor=actor)


def revoke_link(session: Session, account_id: UUID, *, seen_version: str, actor: Actor) -> Account:
    """Take the open link back. Raises `NotFound`, `Stale`, `Conflict` when there is none."""
    account = _locked(session, account_id, seen_version)
    links.revoke(session, account, actor=actor)
    return account


def note_export(session: Session, *, actor: Actor) -> None:
    """Put on record that the audit department's record was taken as a workbook."""
    record(session, "identity.department.exported", ("appointments", None), actor=actor)


def _record(session: Session, act: str, account: Account, actor: Actor, **data: str) -> None:
    record(
        session,
        f"identity.{act}",
        ("account", account.id),
        actor=actor,
        tenant_id=account.tenant_id,
        data=data,
    )
