"""Accounts that are older than the record of appointments: what the migration makes of them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from alembic import command

from portal.app import provision
from portal.identity.models import Account, Appointment
from portal.kernel.access import Role
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.world import MOMENT
from tests.isolation.conftest import owner

BEFORE = "0036"


@pytest.mark.usefixtures("at_work")
def test_roles_of_before_are_on_record_since_the_account_by_nobody_known(portal: Portal) -> None:
    """Down to before the record, and up again over the world's accounts."""
    for step, goal in ((command.downgrade, BEFORE), (command.upgrade, "head")):
        with owner(portal) as connection:
            config = provision.alembic_config()
            config.attributes["connection"] = connection
            step(config, goal)
    assert provision.check_migrations(portal.settings) == []
    with portal.session(Scope(Login.SIGN_IN)) as session:
        accounts = session.scalars(sa.select(Account)).all()
        rows = session.scalars(sa.select(Appointment)).all()
    assert {(a.id, role) for a in accounts for role in a.roles} == {
        (row.account_id, row.role) for row in rows
    }
    assert {(row.since, row.named_by, row.named_by_name, row.until) for row in rows} == {
        (MOMENT, None, "", None)
    }
    assert all(account.password_set_at == account.created_at for account in accounts)
    admin = portal.client(portal.world.email(Role.ADMINISTRATOR))
    assert "无记录" in admin.get("/audit-department/").text
    page = admin.get(f"/accounts/{portal.world.people[Role.AUDITOR]}").text
    assert "无记录" in page
