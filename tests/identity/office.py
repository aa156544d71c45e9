"""What an administrator does with people, for the tests of accounts, roles and links."""

from __future__ import annotations

import re
from uuid import UUID

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.identity.models import Account, Appointment
from portal.identity.service import create_account
from portal.journal.models import JournalEntry
from portal.kernel.access import Role
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.world import PASSWORD

SIGN_IN = Scope(Login.SIGN_IN)
NEW = "lin@company.example.com"
CHOSEN = "a password of my own"
SECOND = "second@company.example.com"


def add(portal: Portal, email: str, *roles: Role, tenant_id: UUID | None = None) -> UUID:
    with portal.session(SIGN_IN) as session:
        account = create_account(
            session,
            tenant_id=tenant_id or portal.world.company_id,
            email=email,
            name="林添",
            roles=roles,
            password=PASSWORD,
        )
        session.commit()
        return account.id


def invite(client: FlaskClient, **changed: object) -> TestResponse:
    data = {
        "name": "林新",
        "email": NEW,
        "roles": ["finance"],
        "locale": "zh_Hans_CN",
        "ground": "",
    }
    org = changed.pop("org", "")
    return client.post(f"/accounts/new?org={org}", data=data | changed)


def account(portal: Portal, email: str) -> Account:
    with portal.session(SIGN_IN) as session:
        return session.scalars(sa.select(Account).where(Account.email == email)).one()


def page_of(portal: Portal, email: str) -> str:
    return f"/accounts/{account(portal, email).id}"


def post(portal: Portal, client: FlaskClient, email: str, act: str, /, **data: str) -> TestResponse:
    """A change of a person, sent from the page as it stands now."""
    row = account(portal, email)
    return client.post(f"/accounts/{row.id}/{act}", data={"version": str(row.version), **data})


def link_in(page: str) -> str:
    """The one-time link that a page shows; "" for none."""
    found = re.search(r"/password/[A-Za-z0-9_-]{43}", page)
    return found.group() if found else ""


def appointment(portal: Portal, email: str, role: Role) -> Appointment:
    with portal.session(SIGN_IN) as session:
        return session.scalars(
            sa.select(Appointment)
            .join(Account, Account.id == Appointment.account_id)
            .where(Account.email == email, Appointment.role == role)
            .order_by(Appointment.since.desc())
        ).all()[0]


def acts(portal: Portal) -> list[tuple[str, str]]:
    with portal.session(portal.world.scope) as session:
        rows = session.execute(
            sa.select(JournalEntry.action, JournalEntry.actor_name)
            .where(JournalEntry.action.like("identity.%"), JournalEntry.actor_name != "系统")
            .order_by(JournalEntry.at, JournalEntry.id)
        )
        return [(row.action, row.actor_name) for row in rows]
