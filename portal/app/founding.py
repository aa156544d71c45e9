"""Commands that found an installation: the company, its vendors, people's accounts."""

from __future__ import annotations

import secrets
import sys
from datetime import date
from uuid import UUID

import click
import sqlalchemy as sa

from portal.calendar.service import confirm_year
from portal.fees.defaults import default_fee_scheme
from portal.identity.service import create_account
from portal.kernel import clock
from portal.kernel.access import COMPANY_ROLES, VENDOR_ROLES, Role, system_actor
from portal.kernel.errors import PortalError
from portal.vendors import service as vendors
from portal.vendors.models import VendorProfile
from tenants.database import Database
from tenants.models import Tenant, TenantKind
from tenants.rows import new_id
from tenants.scope import Login, Scope, bound

PROFILE = ("tax_no", "bank_name", "bank_account", "address", "contact")


def _find_tenant(database: Database, code: str) -> tuple[UUID, str] | None:
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        row = session.execute(sa.select(Tenant.id, Tenant.kind).where(Tenant.code == code)).first()
    return (row.id, row.kind) if row else None


def found_company(
    database: Database, *, code: str, name: str, short_name: str, profile: dict[str, str]
) -> UUID:
    """Make the company's reserved tenant with its data key, and confirm the present year's
    working days. Raises `click.ClickException` when there is a company already."""
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        if session.scalar(sa.select(Tenant.id).where(Tenant.kind == TenantKind.COMPANY)):
            raise click.ClickException("There is a company already; an installation has one.")
    company_id = new_id()
    with bound(Scope.company(company_id)), database.session() as session:
        vendors.add_tenant(
            session,
            kind=TenantKind.COMPANY,
            code=code,
            name=name,
            short_name=short_name,
            tenant_id=company_id,
        )
        session.add(VendorProfile(tenant_id=company_id, legal_name=name, **profile))
        confirm_year(session, clock.today().year, actor=system_actor(company_id))
        session.commit()
    return company_id


def add_account(database: Database, *, code: str, email: str, name: str, roles: list[str]) -> str:
    """Add a person of the organisation `code` and return the password to hand over."""
    found = _find_tenant(database, code)
    if found is None:
        raise click.ClickException(f"No organisation has the code {code}.")
    tenant_id, _kind = found
    password = secrets.token_urlsafe(12)
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        try:
            create_account(
                session,
                tenant_id=tenant_id,
                email=email,
                name=name,
                roles=[Role(role) for role in roles],
                password=password,
            )
        except PortalError as error:
            raise click.ClickException(f"{error.message} {error.mend}") from error
        session.commit()
    return password


def add_vendor(
    database: Database,
    company_id: UUID,
    *,
    code: str,
    name: str,
    short_name: str,
    project: str,
    contract: str,
    starts_on: date,
    ends_on: date,
    profile: dict[str, str],
) -> UUID:
    """Take a vendor on with a first contract at the default fee terms, a project and a group."""
    actor = system_actor(company_id)
    with bound(Scope.company(company_id)), database.session() as session:
        tenant = vendors.add_vendor(
            session, code=code, name=name, short_name=short_name, profile=profile, actor=actor
        )
        signed = vendors.add_contract(
            session,
            tenant.id,
            number=contract,
            starts_on=starts_on,
            ends_on=ends_on,
            fee_terms=default_fee_scheme(),
            actor=actor,
        )
        vendors.add_project(session, tenant.id, contract_id=signed.id, name=project, targets={})
        vendors.add_group(session, tenant.id, f"{short_name}一组")
        session.commit()
        return tenant.id


def role_choice() -> click.Choice[str]:
    """Every role that an account may have."""
    return click.Choice(sorted(role.value for role in COMPANY_ROLES | VENDOR_ROLES))


def tell(email: str, password: str) -> None:
    """Show a new password once, on the terminal only."""
    sys.stdout.write(f"{email}\nPassword, shown this once: {password}\n")
