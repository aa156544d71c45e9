"""A scope holds: no scope no query, no change under an open session, no reach past the tenant."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal.vendors.models import Group, Member
from tenants.models import Tenant
from tenants.scope import Login, Scope, ScopeError, bound
from tenants.vault import SealBroken, installed
from tests.conftest import Portal


def test_no_scope_no_query(portal: Portal) -> None:
    with pytest.raises(ScopeError), portal.database.session():
        pass
    with pytest.raises(ScopeError), portal.database.engine(Login.COMPANY).connect() as connection:
        connection.execute(sa.text("select 1"))


def test_scope_does_not_change_under_an_open_session(portal: Portal) -> None:
    ours, other = (vendor.id for vendor in portal.world.vendors[:2])
    with portal.session(Scope.vendor(ours)) as session:
        session.execute(sa.select(Group)).all()
        with pytest.raises(ScopeError), bound(Scope.vendor(other)):
            pass


def test_a_vendor_sees_itself_only(portal: Portal) -> None:
    for vendor in portal.world.vendors:
        with portal.session(Scope.vendor(vendor.id)) as session:
            assert session.scalars(sa.select(Tenant.code)).all() == [vendor.code]
            assert set(session.scalars(sa.select(Member.tenant_id))) == {vendor.id}
    with portal.session(portal.world.scope) as session:
        assert set(session.scalars(sa.select(Member.tenant_id))) == {
            vendor.id for vendor in portal.world.vendors
        }


def test_the_setting_leaves_with_the_transaction(portal: Portal) -> None:
    """A pooled connection that changes hands carries nothing of the tenant before."""
    first, second = portal.world.vendors[:2]
    engine = portal.database.engine(Login.VENDOR)
    for vendor in (first, second, first):
        with bound(Scope.vendor(vendor.id)), engine.connect() as connection:
            assert connection.scalars(sa.text("select code from tenants")).all() == [vendor.code]
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("select count(*) from tenants")
        assert cursor.fetchone() == (0,)
    finally:
        raw.rollback()
        raw.close()


def test_an_owner_of_nothing(portal: Portal) -> None:
    """The vendor's login owns nothing, may not truncate, and may not read private tables."""
    vendor = portal.world.vendors[0]
    for statement in (
        "truncate groups",
        "select * from number_series",
        "select * from accounts",
        "alter table groups disable row level security",
        "delete from groups",
        "update groups set name = 'x'",
    ):
        with (
            portal.session(Scope.vendor(vendor.id)) as session,
            pytest.raises(ProgrammingError),
        ):
            session.execute(sa.text(statement))


def test_a_sealed_value_opens_in_its_place_only(portal: Portal) -> None:
    """C4.1: a ciphertext moved to another row, column or tenant does not open."""
    first, second = portal.world.vendors[:2]
    with portal.session(portal.world.scope) as session:
        key, other = (installed().key(session, vendor.id) for vendor in (first, second))
    blob = key.seal("cases.debtor", first.group_id, "张三")
    assert key.open("cases.debtor", first.group_id, blob) == "张三"
    for opener, place, row in (
        (key, "cases.phone", first.group_id),
        (key, "cases.debtor", second.group_id),
        (other, "cases.debtor", first.group_id),
    ):
        with pytest.raises(SealBroken):
            opener.open(place, row, blob)
    assert key.index("phone", "13800001234") != other.index("phone", "13800001234")
    with portal.session(Scope.vendor(first.id)) as session, pytest.raises(LookupError):
        installed().key(session, second.id)
