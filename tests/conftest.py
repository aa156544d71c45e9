"""What tests stand on: a real PostgreSQL, a template database with a small world, copies of it.

Tests commit for real (a rolled-back outer transaction cannot show what another login sees), each
in a copy of its own.
"""

from __future__ import annotations

import contextvars
import fcntl
import gc
import hashlib
import itertools
import os
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from devserver.postgres import Cluster
from portal.app import provision
from portal.app.factory import Application, create_app, open_database
from portal.calendar import service as calendar_service
from portal.jobs.worker import drain
from portal.kernel import clock
from portal.kernel import settings as settings_module
from portal.kernel.settings import Settings
from portal.vendors import directory
from tenants.database import Database, ScopedSession
from tenants.scope import Scope, bound
from tests.compiled import Compiled, KnownRule
from tests.factories import world as world_factory
from tests.factories.world import MOMENT, PASSWORD, World
from tests.reading import Reader

ROOT = Path(__file__).resolve().parents[1]
VAR = ROOT / "var" / "test"
_numbers = itertools.count()
KEPT_TEMPLATES = 6


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the garbage collector need not walk through it again."""
    gc.collect()
    gc.freeze()


def environment(url: str, data_dir: Path) -> dict[str, str]:
    """The settings of a test's portal, as a process of its own finds them."""
    return {
        "PORTAL_ENV": "test",
        "DATABASE_URL": url,
        "PORTAL_DB_PASSWORDS": str(VAR / "db-passwords.json"),
        "PORTAL_SECRET_KEY": "a test's secret key, known to all",
        "PORTAL_MASTER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "PORTAL_DATA_DIR": str(data_dir),
        "PORTAL_TRUSTED_HOSTS": "localhost,127.0.0.1",
        "PORTAL_DB_POOL_SIZE": "5",
        "PORTAL_SIGNED_SECONDS": "0",
    }


def _settings(url: str, data_dir: Path) -> Settings:
    return Settings.from_env(environment(url, data_dir))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The tests' own PostgreSQL; shared by the workers, stopped by the last."""
    made = Cluster(VAR / "pg", durable=False)
    with made.running():
        yield made


def _fingerprint() -> str:
    """Changes with whatever the template is made of, so that a stale one is not used."""
    digest = hashlib.sha256()
    sources = [
        *(ROOT / "migrations").rglob("*.py"),
        *(ROOT / "portal").rglob("*.py"),
        *(ROOT / "tenants").rglob("*.py"),
        *(ROOT / "tests" / "factories").rglob("*.py"),
    ]
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _admin(cluster: Cluster) -> sa.Engine:
    return sa.create_engine(
        provision.driver_url(cluster.url("postgres")),
        isolation_level="AUTOCOMMIT",
        poolclass=sa.NullPool,
    )


@dataclass(frozen=True)
class Template:
    """The database that tests copy, and the world in it."""

    name: str
    world: World


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> Template:
    """Build the template once for all workers and runs; kept until the sources change."""
    name = f"template_{_fingerprint()}"
    pickled = VAR / f"{name}.pickle"
    with (VAR / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        admin = _admin(cluster)
        with admin.connect() as connection:
            exists = connection.scalar(
                sa.text("select 1 from pg_database where datname = :name"), {"name": name}
            )
            if not (exists and pickled.exists()):
                _forget_old_templates(connection)
                connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}"'))
                pickled.write_bytes(pickle.dumps(_build_template(cluster, name)))
    return Template(name, pickle.loads(pickled.read_bytes()))  # noqa: S301 - our own file


def _forget_old_templates(connection: sa.Connection) -> None:
    """Drop what nobody uses: copies of runs that are gone, and all but the newest templates."""
    pickles = sorted(VAR.glob("template_*.pickle"), key=lambda path: path.stat().st_mtime)
    kept = {path.stem for path in pickles[-KEPT_TEMPLATES:]}
    for name in connection.scalars(sa.text("select datname from pg_database")).all():
        parts = name.split("_")
        stale_copy = name.startswith("t_") and not Path(f"/proc/{parts[-2]}").exists()
        if stale_copy or (name.startswith("template_") and name not in kept):
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    for path in pickles[:-KEPT_TEMPLATES]:
        path.unlink(missing_ok=True)


def _build_template(cluster: Cluster, name: str) -> World:
    settings = _settings(cluster.url(name), VAR / "template-data")
    settings_module.install(settings)
    provision.bootstrap(settings)
    provision.migrate(settings)
    database = open_database(settings)
    try:
        return world_factory.build(database)
    finally:
        database.dispose()


@dataclass
class Portal:
    """A portal with a database of its own."""

    app: Flask
    database: Database
    settings: Settings
    world: World

    @contextmanager
    def session(self, scope: Scope) -> Iterator[ScopedSession]:
        """A session in a scope; the test commits."""
        with bound(scope), self.database.session() as session:
            yield session

    def client(self, email: str | None = None) -> FlaskClient:
        """A browser; signed in when an e-mail address is given."""
        client = self.app.test_client()
        if email:
            answer = client.post("/sign-in", data={"email": email, "password": PASSWORD})
            assert answer.status_code == 302, answer.text
        return client

    def work(self) -> None:
        """Run every queued job with the real worker.

        In a thread of its own, at this context's clock: a browser of another test may hold an
        event loop in this one.
        """
        queue = self.settings.login_urls()["queue"]
        context = contextvars.copy_context()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(context.run, drain, queue, self.database, self.world.company_id).result()


# Drawn examples are judged by what they show, not by how long a machine under load takes for one.
hypothesis.settings.register_profile(
    "patient",
    hypothesis.settings.default,
    deadline=None,
    suppress_health_check=(hypothesis.HealthCheck.too_slow,),
)
hypothesis.settings.load_profile("patient")

_COMPILED = Compiled()
Application.url_rule_class = KnownRule


@contextmanager
def running_portal(
    cluster: Cluster, template: Template, data_dir: Path, **changes: Any
) -> Iterator[Portal]:
    """A portal on a fresh copy of the template, its files in `data_dir`; `changes` of settings."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"t_{worker}_{os.getpid()}_{next(_numbers)}"
    admin = _admin(cluster)
    settings = replace(_settings(cluster.url(name), data_dir), **changes)
    with admin.connect() as connection:
        connection.execute(
            sa.text(f'CREATE DATABASE "{name}" TEMPLATE "{template.name}" STRATEGY file_copy')
        )
        raw: Any = connection.connection.driver_connection
        provision.grant_database(raw.cursor(), settings, name)
    settings_module.install(settings)
    calendar_service.forget()
    directory.forget()
    app = create_app(settings)
    app.test_client_class = Reader
    app.jinja_env.bytecode_cache = _COMPILED
    database: Database = app.extensions["database"]
    try:
        yield Portal(app, database, settings, template.world)
    finally:
        app.extensions["signed"].close()
        database.dispose()
        with admin.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture
def portal(cluster: Cluster, template: Template, tmp_path: Path) -> Iterator[Portal]:
    """A portal of the test's own. CSRF is off (the journeys have it on)."""
    with running_portal(cluster, template, tmp_path / "data") as made:
        made.app.config["WTF_CSRF_ENABLED"] = False
        yield made


@pytest.fixture
def at_work() -> Iterator[Callable[[], None]]:
    """The clock stands at Tuesday 3 November 2026, 10:00 in Beijing."""
    with clock.frozen(MOMENT):
        yield lambda: None
