"""Where the benchmarks run: a private PostgreSQL in var/bench and the settings of its portal.

The server forgoes flushes to disk (`durable=False`): what is measured is CPU and reads, and the
filled database is worth no more than the minutes that filling takes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from devserver.postgres import Cluster
from devserver.surroundings import ROOT, variables
from portal.kernel import settings as settings_module
from portal.kernel.settings import Settings

FOLDER = ROOT / "var" / "bench"
HOST = "127.0.0.1"
_SOURCES = ("migrations/versions/*.py", "benchmarks/fill*.py", "tenants/vault.py")


@dataclass(frozen=True)
class Place:
    """The running server, the settings, and the environment of the portal's processes."""

    admin_url: str
    database: str
    settings: Settings
    environ: Mapping[str, str]

    @property
    def facts(self) -> dict[str, str]:
        """What to call this database in a report."""
        return {"database": self.database}


def fingerprint() -> str:
    """Changes with whatever the filled database is made of."""
    digest = hashlib.sha256()
    for pattern in _SOURCES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def opened(name: str = "") -> Iterator[Place]:
    """Start the server and install the settings; the last one out stops the server. `name` of the
    database: the filled one unless given."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    cluster = Cluster(FOLDER / "postgres", durable=False)
    with cluster.running() as admin_url:
        name = name or f"bench_{fingerprint()}"
        environ = variables(
            "demo",
            FOLDER,
            cluster.url(name),
            os.environ,
            PORTAL_TRUSTED_HOSTS=f"{HOST},localhost",
            PORTAL_BASE_URL=f"http://{HOST}:8000",
        )
        settings = Settings.from_env(environ)
        settings_module.install(settings)
        yield Place(admin_url, name, settings, environ)


def exists(place: Place) -> bool:
    """Whether the database was filled to the end (a half-filled one has another name)."""
    with psycopg.connect(place.admin_url, autocommit=True) as connection:
        found = connection.execute(
            "select 1 from pg_database where datname = %s and exists"
            " (select 1 from pg_shdescription d where d.objoid = pg_database.oid"
            " and d.description = 'filled')",
            (place.database,),
        ).fetchone()
    return found is not None


def forget(place: Place) -> None:
    """Drop what earlier sources had filled, and what was filled by half."""
    with psycopg.connect(place.admin_url, autocommit=True) as connection:
        for (name,) in connection.execute(
            "select datname from pg_database where datname like 'bench\\_%'"
        ).fetchall():
            connection.execute(
                sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            )
    shutil.rmtree(FOLDER / "files", ignore_errors=True)


def mark_filled(place: Place) -> None:
    """Note on the database that it is whole."""
    with psycopg.connect(place.admin_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("comment on database {} is 'filled'").format(sql.Identifier(place.database))
        )
