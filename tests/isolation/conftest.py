"""Rows of two vendors planted in every table by the owner, with made-up values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from portal.app.provision import driver_url
from portal.app.tables import rows
from tenants.rows import Base, Row, new_id
from tenants.scope import Login, Scope, bound
from tests.conftest import Portal

_MADE_UP: tuple[tuple[tuple[type[Any], ...], Callable[[], Any]], ...] = (
    ((sa.Uuid,), new_id),
    ((sa.ARRAY,), list),
    ((postgresql.JSONB, sa.JSON), lambda: json.dumps({})),
    ((sa.DateTime,), lambda: datetime(2026, 11, 3, tzinfo=UTC)),
    ((sa.Date,), lambda: date(2026, 11, 3)),
    ((sa.Boolean,), lambda: True),
    ((sa.LargeBinary,), lambda: new_id().bytes),
    ((sa.Integer, sa.Numeric), lambda: 1),
)


def _value(column: sa.Column[Any]) -> Any:
    for kinds, make in _MADE_UP:
        if isinstance(column.type, kinds):
            return make()
    return f"canary-{new_id().hex}"


@dataclass(frozen=True)
class Seeded:
    """The ids planted in a table: the attacker's own, the other vendor's, an own unissued one."""

    own: UUID
    foreign: UUID
    unissued: UUID | None


@contextmanager
def owner(portal: Portal) -> Iterator[sa.Connection]:
    """The owner, with checks and references of the tables laid aside for made-up values."""
    engine = sa.create_engine(driver_url(portal.settings.login_urls()["owner"]))
    try:
        with bound(Scope(Login.OWNER)), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def plant(
    connection: sa.Connection,
    row: type[Row],
    tenant_id: UUID,
    *,
    issued: bool,
    row_id: UUID | None = None,
) -> UUID:
    """Write a row of made-up values; return its id, which is a new one unless it is given."""
    table = Base.metadata.tables[row.__tablename__]  # type: ignore[attr-defined]
    values = {column.name: _value(column) for column in table.columns if column.computed is None}
    values |= {"tenant_id": tenant_id, "id": row_id or new_id()}
    if "issued_at" in values and not issued:
        values["issued_at"] = None
    names = ", ".join(f'"{name}"' for name in values)
    binds = ", ".join(
        f"cast(:{name} as jsonb)"
        if isinstance(table.columns[name].type, postgresql.JSONB | sa.JSON)
        else f":{name}"
        for name in values
    )
    connection.execute(sa.text(f"insert into {table.name} ({names}) values ({binds})"), values)
    made: UUID = values["id"]
    return made


def _lay_checks_aside(connection: sa.Connection) -> None:
    for name, table in connection.execute(
        sa.text(
            "select conname, conrelid::regclass::text from pg_constraint"
            " where connamespace = 'public'::regnamespace and contype in ('f', 'c', 'u')"
            " order by contype = 'f' desc"
        )
    ).all():
        connection.execute(sa.text(f'alter table {table} drop constraint "{name}"'))


def sow(portal: Portal, ids: Callable[[type[Row]], Seeded]) -> dict[str, Seeded]:
    """Rows of two vendors in every table, with the ids that `ids` gives for a table's class."""
    mine, other = (vendor.id for vendor in portal.world.vendors[:2])
    found = {}
    with owner(portal) as connection:
        _lay_checks_aside(connection)
        for name, row in rows().items():
            found[name] = given = ids(row)
            plant(connection, row, mine, issued=True, row_id=given.own)
            plant(connection, row, other, issued=True, row_id=given.foreign)
            if given.unissued is not None:
                plant(connection, row, mine, issued=False, row_id=given.unissued)
    return found


def apart(row: type[Row]) -> Seeded:
    """Ids that no other table has."""
    return Seeded(new_id(), new_id(), new_id() if row.row_class == "issued" else None)


@pytest.fixture
def seeded(portal: Portal) -> dict[str, Seeded]:
    """Rows of two vendors in every table, each with an id of its own."""
    return sow(portal, apart)


@dataclass(frozen=True)
class Together:
    """Ids that stand in every table at once: whatever table a view looks in, it meets the row.

    Rows of reference tables, which every vendor may read, have ids of their own.
    """

    foreign: UUID
    unissued: UUID
    withheld: UUID

    def named(self) -> dict[str, UUID]:
        """The ids by what they are in the tables."""
        return {
            "a row of another vendor": self.foreign,
            "a row not issued": self.unissued,
            "a row of the company's": self.withheld,
        }


@pytest.fixture
def together(portal: Portal) -> Together:
    """Rows of two vendors in every table, those of one kind under one id."""
    ids = Together(new_id(), new_id(), new_id())

    def shared(row: type[Row]) -> Seeded:
        if row.row_class == "reference":
            return apart(row)
        own = ids.withheld if row.row_class in ("private", "company") else new_id()
        return Seeded(own, ids.foreign, ids.unissued if row.row_class == "issued" else None)

    sow(portal, shared)
    return ids
