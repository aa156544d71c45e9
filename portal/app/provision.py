"""Make the database ready: logins, database, migrations, the list of tasks."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql

from portal.app import background
from portal.app.tables import METADATA
from portal.jobs.registry import TASKS
from portal.kernel.settings import LOGINS, Settings
from tenants.scope import Login, Scope, bound

ROOT = Path(__file__).resolve().parents[2]
MINIMUM = 160_000
assert background.TASK_MODULES  # noqa: S101 - importing it registers the tasks


def driver_url(url: str) -> sa.URL:
    """The address with the driver that SQLAlchemy is to use."""
    return sa.make_url(url).set(drivername="postgresql+psycopg")


def bootstrap(settings: Settings) -> None:
    """Create the logins and the database, as the administrator of DATABASE_URL. Repeatable."""
    target = driver_url(settings.database_url)
    passwords = settings.make_passwords()
    admin = sa.create_engine(target.set(database="postgres"), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            version = connection.connection.driver_connection.info.server_version  # type: ignore[union-attr]
            if version < MINIMUM:
                raise RuntimeError(f"PostgreSQL 16 or newer is needed, this one is {version}")
            raw = connection.connection.driver_connection
            cursor = raw.cursor()  # type: ignore[union-attr]
            for login in LOGINS:
                _make_role(cursor, settings.role(login), passwords[login])
            name = target.database or "portal"
            cursor.execute("select 1 from pg_database where datname = %s", (name,))
            if cursor.fetchone() is None:
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(name), sql.Identifier(settings.role("owner"))
                    )
                )
            grant_database(cursor, settings, name)
    finally:
        admin.dispose()
    _own_public_schema(settings, target)


def grant_database(cursor: object, settings: Settings, name: str) -> None:
    """Let the logins, and nobody else, connect to the database."""
    execute = cursor.execute  # type: ignore[attr-defined]
    database = sql.Identifier(name)
    execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for login in LOGINS:
        execute(
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                database, sql.Identifier(settings.role(login))
            )
        )
    execute(
        sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(
            database, sql.Identifier(settings.role("company"))
        )
    )


def _make_role(cursor: object, name: str, password: str) -> None:
    execute = cursor.execute  # type: ignore[attr-defined]
    execute("select 1 from pg_roles where rolname = %s", (name,))
    verb = "ALTER" if cursor.fetchone() else "CREATE"  # type: ignore[attr-defined]
    execute(
        sql.SQL(
            "{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {}"
        ).format(sql.SQL(verb), sql.Identifier(name), sql.Literal(password))
    )


def _own_public_schema(settings: Settings, target: sa.URL) -> None:
    engine = sa.create_engine(target, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
            connection.execute(sa.text(f'ALTER SCHEMA public OWNER TO "{settings.role("owner")}"'))
    finally:
        engine.dispose()


def alembic_config() -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def migrate(settings: Settings) -> None:
    """Bring the database to the newest migration, as the owner, and list the tasks anew."""
    engine = sa.create_engine(driver_url(settings.login_urls()["owner"]))
    try:
        with bound(Scope(Login.OWNER)), engine.begin() as connection:
            config = alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.execute(sa.text("DELETE FROM queue.allowed_tasks"))
            connection.execute(
                sa.text("INSERT INTO queue.allowed_tasks (name, vendor_may) VALUES (:name, :may)"),
                [{"name": task.name, "may": task.vendor_may} for task in TASKS.values()],
            )
    finally:
        engine.dispose()


def check_migrations(settings: Settings) -> list[str]:
    """What is wrong with the migrations: several heads, or a database that differs from the
    models. Empty when all is well."""
    heads = ScriptDirectory.from_config(alembic_config()).get_heads()
    problems = [] if len(heads) == 1 else [f"{len(heads)} heads: {', '.join(heads)}"]
    engine = sa.create_engine(driver_url(settings.login_urls()["owner"]))
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            problems += [str(diff) for diff in compare_metadata(context, METADATA)]
    finally:
        engine.dispose()
    return problems
