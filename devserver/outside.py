"""A PostgreSQL of somebody else's, named by DATABASE_URL: is it one that the portal can use?"""

from __future__ import annotations

import psycopg

from devserver.carrier import ServerError

OLDEST = 160_000
_CONNECT_SECONDS = 5


def check(url: str) -> None:
    """Make sure that the server answers, is new enough, and lets us make logins and a database.

    Raises ServerError with what is in the way.
    """
    try:
        # The database itself may not be there yet; the maintenance database always is.
        connection = psycopg.connect(
            _libpq(url), dbname="postgres", connect_timeout=_CONNECT_SECONDS
        )
    except psycopg.Error as error:
        raise ServerError(
            f"DATABASE_URL names a PostgreSQL that does not let us in: {error}\n"
            "Mend DATABASE_URL, or unset it to use the PostgreSQL that comes along."
        ) from None
    with connection:
        version = connection.info.server_version
        if version < OLDEST:
            raise ServerError(
                f"DATABASE_URL names PostgreSQL {version // 10_000}; "
                f"{OLDEST // 10_000} or newer is needed."
            )
        role = connection.execute(
            "select current_user, rolsuper or (rolcreaterole and rolcreatedb) "
            "from pg_roles where rolname = current_user"
        ).fetchone()
    if role is not None and not role[1]:
        raise ServerError(
            f"The user {role[0]} of DATABASE_URL may not make logins and databases. Name a "
            f"superuser, or: ALTER ROLE {role[0]} CREATEROLE CREATEDB;"
        )


def _libpq(url: str) -> str:
    """Drop a SQLAlchemy driver from the scheme: postgresql+psycopg:// → postgresql://."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"
