"""Alembic's environment: run as the owner, with time limits on locks and statements."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from portal.app.tables import METADATA
from tenants.scope import Login, Scope, bound

config = context.config


def run() -> None:
    """Migrate the database that the caller's connection or URL names."""
    given = config.attributes.get("connection")
    if given is not None:
        _migrate(given)
        return
    engine = sa.create_engine(config.get_main_option("sqlalchemy.url") or "")
    with bound(Scope(Login.OWNER)), engine.connect() as connection:
        _migrate(connection)
        connection.commit()


def _migrate(connection: sa.Connection) -> None:
    connection.execute(sa.text("SET lock_timeout = '5s'"))
    connection.execute(sa.text("SET statement_timeout = '15min'"))
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        compare_type=True,
        compare_server_default=False,
        include_schemas=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
