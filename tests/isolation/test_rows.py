"""Two walls, attacked one at a time, on every table.

Each table gets rows of two vendors (and, where the class has it, an unissued one) by the owner,
with made-up values in every column. Then a vendor reads and writes: through the ORM with the
policies replaced by `true`, and by plain SQL with the application's criteria left out.
"""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from portal.app.tables import rows
from tenants.migration import OWN, VENDOR_POLICY, role
from tenants.rows import Row, new_id
from tenants.scope import Login, Scope, bound
from tests.conftest import Portal
from tests.isolation.conftest import Seeded, owner, plant

TABLES = sorted(rows())
READABLE = ("tenant", "issued", "shared")


def _open_policies(portal: Portal) -> None:
    """Take the database's wall away: every vendor policy becomes `true`, every grant is given."""
    with owner(portal) as connection:
        for name in rows():
            vendor = role(Login.VENDOR)
            connection.execute(sa.text(f"drop policy if exists vendor_own on {name}"))
            connection.execute(
                sa.text(f"create policy vendor_own on {name} to {vendor} using (true)")
            )
            connection.execute(
                sa.text(f"grant select, insert, update, delete on {name} to {vendor}")
            )


def _leaks(portal: Portal, seeded: dict[str, Seeded]) -> list[str]:
    """What a vendor sees through the ORM that it should not, table by table."""
    found = []
    vendor = portal.world.vendors[0]
    for name, row in rows().items():
        ids = seeded[name]
        with portal.session(Scope.vendor(vendor.id)) as session:
            try:
                seen = set(session.scalars(sa.select(row.id)))
            except DBAPIError:
                seen = set()
        if row.row_class != "reference" and ids.foreign in seen:
            found.append(f"{name}: another vendor's row")
        if ids.unissued in seen and ids.unissued is not None:
            found.append(f"{name}: an unissued row")
        if row.row_class in ("private", "company") and ids.own in seen:
            found.append(f"{name}: a {row.row_class} row")
        if row.row_class in READABLE and ids.own not in seen:
            found.append(f"{name}: the own row is hidden")
    return found


def test_the_application_alone_holds(portal: Portal, seeded: dict[str, Seeded]) -> None:
    _open_policies(portal)
    assert _leaks(portal, seeded) == []


def test_the_application_alone_holds_for_writes(portal: Portal, seeded: dict[str, Seeded]) -> None:
    _open_policies(portal)
    vendor = portal.world.vendors[0]
    for name, row in rows().items():
        if row.row_class == "reference":
            continue
        with portal.session(Scope.vendor(vendor.id)) as session:
            changed = session.execute(
                sa.update(row).where(row.id == seeded[name].foreign).values(id=new_id())
            )
            assert changed.rowcount == 0, name  # type: ignore[attr-defined]
            gone = session.execute(sa.delete(row).where(row.id == seeded[name].foreign))
            assert gone.rowcount == 0, name  # type: ignore[attr-defined]


def test_the_database_alone_holds(portal: Portal, seeded: dict[str, Seeded]) -> None:
    """Plain SQL, which the application's criteria do not reach."""
    vendor = portal.world.vendors[0]
    engine = portal.database.engine(Login.VENDOR)
    for name, row in rows().items():
        ids = seeded[name]
        with bound(Scope.vendor(vendor.id)), engine.connect() as connection:
            try:
                seen = set(connection.scalars(sa.text(f"select id from {name}")))
            except DBAPIError:
                assert row.row_class in ("private", "company"), name
                continue
        assert row.row_class not in ("private", "company"), name
        if row.row_class != "reference":
            assert ids.foreign not in seen, name
            assert ids.own in seen, name
        assert ids.unissued is None or ids.unissued not in seen, name


def test_no_scope_sees_nothing(portal: Portal, seeded: dict[str, Seeded]) -> None:
    assert seeded
    raw = portal.database.engine(Login.VENDOR).raw_connection()
    try:
        cursor = raw.cursor()
        for name, row in rows().items():
            if row.row_class in READABLE:
                cursor.execute(f"select count(*) from {name}")
                assert cursor.fetchone() == (0,), name
    finally:
        raw.rollback()
        raw.close()


def test_the_database_refuses_foreign_writes(portal: Portal, seeded: dict[str, Seeded]) -> None:
    vendor = portal.world.vendors[0]
    engine = portal.database.engine(Login.VENDOR)
    for name, row in rows().items():
        ids = seeded[name]
        column = row.vendor_update[0] if row.vendor_update else "tenant_id"
        for statement in (
            f"update {name} set {column} = {column} where id = '{ids.foreign}'",
            f"delete from {name} where id = '{ids.foreign}'",
            f"insert into {name} select * from {name} where id = '{ids.foreign}'",
        ):
            with bound(Scope.vendor(vendor.id)), engine.connect() as connection:
                try:
                    touched = connection.execute(sa.text(statement)).rowcount
                except DBAPIError:
                    continue
                assert touched == 0, statement
        if row.vendor_insert:
            _refuse_insert_for_another(portal, row)


def _refuse_insert_for_another(portal: Portal, row: type[Row]) -> None:
    mine, other = (vendor.id for vendor in portal.world.vendors[:2])
    engine = portal.database.engine(Login.VENDOR)
    with (
        bound(Scope.vendor(mine)),
        engine.connect() as connection,
        pytest.raises(DBAPIError, match="row-level security"),
    ):
        plant(connection, row, other, issued=True)


def test_a_planted_leak_in_the_database_is_seen(portal: Portal, seeded: dict[str, Seeded]) -> None:
    """The check proves itself: one policy turned to `true` is caught."""
    with owner(portal) as connection:
        connection.execute(sa.text("alter policy vendor_own on cases using (true)"))
    with pytest.raises(AssertionError, match="cases"):
        test_the_database_alone_holds(portal, seeded)


def test_a_planted_leak_in_the_application_is_seen(
    portal: Portal, seeded: dict[str, Seeded], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check proves itself: without the application's criteria, open policies leak."""
    _open_policies(portal)
    monkeypatch.setattr("tenants.database._vendor_options", lambda scope: ())
    assert any("another vendor" in leak for leak in _leaks(portal, seeded))


def test_the_policies_are_written_for_an_index() -> None:
    """One policy a role; the sub-select form keeps the index (design: Tenancy 5)."""
    assert OWN == "tenant_id = (select app.tenant())"
    assert all(" OR " not in rule and "ANY" not in rule for rule in VENDOR_POLICY.values())
