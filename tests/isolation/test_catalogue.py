"""Every table stands in the catalogue as its class says; an unclassified one fails the build."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from portal.app.tables import METADATA, rows
from tenants.migration import role
from tenants.models import Tenant
from tenants.rows import ROW_CLASSES, Base, Row
from tenants.scope import Login, Scope
from tests.conftest import Portal

NOT_TENANTED = {Tenant.__tablename__, "alembic_version"}
GLOBALLY_UNIQUE = {
    ("password_links", ("token_hash",)): "256 random bits",
    ("accounts", ("email",)): "only the sign-in login inserts accounts",
    ("sign_in_sessions", ("token_hash",)): "256 random bits",
    ("calendar_feeds", ("token_hash",)): "256 random bits",
    ("form_links", ("token_hash",)): "256 random bits, looked up without a tenant",
    ("documents", ("verify_code",)): "80 random bits, looked up without a tenant",
}
"""Unique constraints that do not start with tenant_id, and why they tell nothing."""


def _scope(portal: Portal) -> Scope:
    return portal.world.scope


def test_every_table_declares_one_class(portal: Portal) -> None:
    declared = rows()
    for name in METADATA.tables:
        if name in NOT_TENANTED:
            continue
        classes = [kind for kind in ROW_CLASSES if issubclass(declared[name], kind)]
        assert len(classes) == 1, f"{name} declares {classes}"
    with portal.session(_scope(portal)) as session:
        stored = set(
            session.scalars(sa.text("select tablename from pg_tables where schemaname = 'public'"))
        )
    assert stored == set(METADATA.tables) | {"alembic_version"}


def _policies(portal: Portal) -> dict[str, dict[str, tuple[str, str]]]:
    found: dict[str, dict[str, tuple[str, str]]] = {}
    with portal.session(_scope(portal)) as session:
        for row in session.execute(
            sa.text(
                "select tablename, policyname, roles::text, qual, with_check from pg_policies"
                " where schemaname = 'public'"
            )
        ):
            found.setdefault(row.tablename, {})[row.roles.strip("{}")] = (row.qual, row.with_check)
    return found


def _vendor_rule(row: type[Row]) -> str | None:
    own = "(tenant_id = ( SELECT app.tenant() AS tenant))"
    return {
        "tenant": own,
        "shared": own,
        "issued": f"({own} AND (issued_at IS NOT NULL))",
        "reference": "true",
    }.get(row.row_class)


def test_policies_are_forced_and_as_declared(portal: Portal) -> None:
    policies = _policies(portal)
    with portal.session(_scope(portal)) as session:
        forced = {
            row.relname: row.relrowsecurity and row.relforcerowsecurity
            for row in session.execute(
                sa.text(
                    "select relname, relrowsecurity, relforcerowsecurity from pg_class"
                    " where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
                )
            )
        }
    vendor, owner, company = (role(x) for x in (Login.VENDOR, Login.OWNER, Login.COMPANY))
    for name, row in rows().items():
        assert forced[name], f"{name} is not forced"
        mine = policies[name]
        assert mine[owner] == ("true", "true")
        rule = _vendor_rule(row)
        assert mine.get(vendor) == ((rule, rule) if rule else None), name
        assert (company in mine) == bool(row.company_grants), name
        expected = {owner, *([vendor] if rule else []), *([company] if row.company_grants else [])}
        if row.sign_in_grants:
            expected.add(role(Login.SIGN_IN))
        assert set(mine) == expected, f"{name}: a policy for somebody else"


def _grants(portal: Portal, login: Login) -> dict[str, set[str]]:
    with portal.session(_scope(portal)) as session:
        found: dict[str, set[str]] = {}
        for row in session.execute(
            sa.text(
                "select c.relname, a.privilege_type from pg_class c,"
                " lateral aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee"
                " where c.relnamespace = 'public'::regnamespace and r.rolname = :role"
            ),
            {"role": role(login)},
        ):
            found.setdefault(row.relname, set()).add(row.privilege_type)
    return found


def _column_grants(portal: Portal) -> dict[str, set[str]]:
    with portal.session(_scope(portal)) as session:
        found: dict[str, set[str]] = {}
        for row in session.execute(
            sa.text(
                "select c.relname, t.attname, a.privilege_type from pg_attribute t"
                " join pg_class c on c.oid = t.attrelid, lateral aclexplode(t.attacl) a"
                " join pg_roles r on r.oid = a.grantee"
                " where c.relnamespace = 'public'::regnamespace and r.rolname = :role"
            ),
            {"role": role(Login.VENDOR)},
        ):
            assert row.privilege_type == "UPDATE"
            found.setdefault(row.relname, set()).add(row.attname)
    return found


def test_a_vendor_is_granted_what_the_class_says_and_no_more(portal: Portal) -> None:
    tables, columns = _grants(portal, Login.VENDOR), _column_grants(portal)
    for name, row in rows().items():
        expected = set()
        if row.row_class in ("tenant", "issued", "shared", "reference"):
            expected.add("SELECT")
        if row.vendor_insert:
            expected.add("INSERT")
        if row.vendor_delete:
            expected.add("DELETE")
        assert tables.get(name, set()) == expected, name
        assert columns.get(name, set()) == set(row.vendor_update), name


def test_nobody_but_the_owner_owns_or_truncates(portal: Portal) -> None:
    with portal.session(_scope(portal)) as session:
        owners = set(
            session.scalars(
                sa.text(
                    "select pg_get_userbyid(relowner) from pg_class"
                    " where relnamespace in ('public'::regnamespace, 'queue'::regnamespace)"
                )
            )
        )
        bypass = session.scalars(
            sa.text("select rolname from pg_roles where rolbypassrls and rolname like 'portal%'")
        ).all()
    assert owners == {role(Login.OWNER)}
    assert bypass == []
    for login in Login:
        if login is not Login.OWNER:
            for name, held in _grants(portal, login).items():
                assert not held & {"TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"}, (login, name)


@pytest.mark.parametrize("login", [Login.SIGN_IN, Login.PUBLIC, Login.QUEUE])
def test_the_small_logins_see_their_own_corner_only(portal: Portal, login: Login) -> None:
    allowed = {
        name: {grant.strip() for grant in row.sign_in_grants.split(",")}
        for name, row in rows().items()
        if row.sign_in_grants
    }
    allowed["tenants"] = {"SELECT"}
    expected = allowed if login is Login.SIGN_IN else {}
    assert _grants(portal, login) == expected


def test_keys_and_references_start_with_the_tenant() -> None:
    """A reference across tenants cannot be stored; a unique error cannot tell of another."""
    for name, row in rows().items():
        table = Base.metadata.tables[name]
        assert [c.name for c in table.primary_key.columns] == ["tenant_id", "id"], name
        for foreign in table.foreign_key_constraints:
            target = foreign.referred_table.name
            first = foreign.elements[0]
            assert first.parent.name == "tenant_id", f"{name} → {target}"
            assert target == "tenants" or first.column.name == "tenant_id", f"{name} → {target}"
        for constraint in table.constraints:
            if isinstance(constraint, sa.UniqueConstraint):
                columns = tuple(c.name for c in constraint.columns)
                if (name, columns) in GLOBALLY_UNIQUE:
                    continue
                assert columns[0] == "tenant_id", f"{name} {columns}"
        assert sa.inspect(row).local_table is table
