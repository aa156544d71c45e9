"""Engines, one per login role, and the session that keeps a scope.

Two walls stand here. The database's row-level policies read `app.tenant_id`, which is set at the
start of every transaction. The session adds the same limits to every ORM statement itself, so
that each wall holds when the other is taken away (the isolation tests take away either).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.pool import NullPool, PoolProxiedConnection

from tenants.driver import KeepingConnection, Query, Rows
from tenants.models import Tenant
from tenants.prepared import Prepared
from tenants.rows import CompanyRow, IssuedRow, PrivateRow, Row, SharedRow, TenantRow
from tenants.scope import Login, Scope, ScopeError, get_scope, session_opened

log = logging.getLogger(__name__)


class WriteRefused(RuntimeError):
    """A session tried to write a row that its scope may not write."""


class ScopedSession(Session):
    """A session of one scope. Knows whether it holds uncommitted writes."""

    scope: Scope
    uncommitted: bool = False

    def read(self, wanted: Sequence[Query]) -> list[Rows]:
        """The rows of every read of `wanted`, in one round trip, as the session's scope sees them.

        Within a transaction they are part of it. Without one they are one of their own, and the
        connection goes back to its pool: a page that only reads holds none while it is drawn.
        Raises SQLAlchemy's errors.
        """
        if not self.in_transaction():
            if get_scope() != self.scope:
                raise ScopeError(f"a session of {self.scope} may not read in {get_scope()}")
            engine = self.get_bind()
            assert isinstance(engine, Engine)  # noqa: S101 - made by `Database.session`
            return _read(engine, wanted, _text_of(self.scope.tenant_id))
        connection = self.connection()
        raw = _driver_of(connection.connection)
        try:
            return raw.fetch(wanted)
        except psycopg.Error as error:
            if raw.closed:
                connection.invalidate(error)
                connection.engine.dispose()
            raise _toolkits(error) from error


def _driver_of(held: PoolProxiedConnection) -> KeepingConnection:
    raw = held.driver_connection
    assert isinstance(raw, KeepingConnection)  # noqa: S101 - the only driver
    return raw


def _text_of(tenant_id: UUID | None) -> str:
    """A tenant's id as the database's setting holds it, "" for none."""
    return "" if tenant_id is None else str(UUID(bytes=tenant_id.bytes))


def _toolkits(error: psycopg.Error) -> Exception:
    return sa.exc.DBAPIError.instance(
        "a read of a page", None, error, psycopg.Error, hide_parameters=True
    )


def _read(engine: Engine, wanted: Sequence[Query], tenant_id: str | None) -> list[Rows]:
    """The rows of every read, as a transaction of their own on a connection of the pool."""
    held = engine.raw_connection()
    try:
        raw = _driver_of(held)
        try:
            return raw.fetch(wanted, tenant_id)
        except psycopg.Error as error:
            if raw.closed:
                # The server went away, and with it the pool's other connections.
                held.invalidate(error)
                engine.dispose()
            raise _toolkits(error) from error
    finally:
        held.close()


@lru_cache(maxsize=512)
def _vendor_options(scope: Scope) -> tuple[Any, ...]:
    """The criteria that the application itself adds to a vendor's queries (wall two)."""
    tenant_id = scope.tenant_id

    def limit(base: type[Any], rule: Any) -> Any:
        return with_loader_criteria(base, rule, include_aliases=True)

    return (
        limit(TenantRow, lambda cls: cls.tenant_id == tenant_id),
        limit(SharedRow, lambda cls: cls.tenant_id == tenant_id),
        limit(
            IssuedRow,
            lambda cls: sa.and_(cls.tenant_id == tenant_id, cls.issued_at.is_not(None)),
        ),
        limit(PrivateRow, lambda cls: sa.false()),
        limit(CompanyRow, lambda cls: sa.false()),
        limit(Tenant, lambda cls: cls.id == tenant_id),
    )


def _limit_statement(state: ORMExecuteState) -> None:
    session = state.session
    options = session.info.get("vendor_options")
    limited = state.is_select or state.is_update or state.is_delete
    # Criteria reach mapped classes only: on a statement over plain tables, which says itself whose
    # rows it wants, they would cost a millisecond and do nothing.
    if options and limited and state.is_orm_statement and not state.is_column_load:
        state.statement = state.statement.options(*options)


def _check_writes(session: Session, _context: object, _instances: object) -> None:
    session.uncommitted = True  # type: ignore[attr-defined]
    tenant_id = session.info.get("vendor_tenant")
    if tenant_id is None:
        return
    for row in session.new:
        _check_own(row, tenant_id)
        if not getattr(row, "vendor_insert", False):
            raise WriteRefused(f"a vendor may not add {type(row).__name__} rows")
    for row in session.dirty:
        if session.is_modified(row):
            _check_own(row, tenant_id)
            changed = {a.key for a in sa.inspect(row).attrs if a.history.has_changes()}
            refused = changed - set(getattr(row, "vendor_update", ()))
            if refused:
                raise WriteRefused(f"a vendor may not change {type(row).__name__}.{refused}")
    for row in session.deleted:
        _check_own(row, tenant_id)
        if not getattr(row, "vendor_delete", False):
            raise WriteRefused(f"a vendor may not delete {type(row).__name__} rows")


def _check_own(row: object, tenant_id: UUID) -> None:
    if isinstance(row, Row) and sa.inspect(row).dict.get("tenant_id") is None:
        row.tenant_id = tenant_id
    if not isinstance(row, Row) or row.tenant_id != tenant_id:
        raise WriteRefused(f"{type(row).__name__} belongs to another tenant")


def _committed(session: Session) -> None:
    session.uncommitted = False  # type: ignore[attr-defined]


def _connect(_dialect: object, _record: object, args: list[Any], given: dict[str, Any]) -> Any:
    return KeepingConnection.connect(*args, **given)


class Database:
    """The engines of one installation, and sessions in the bound scope."""

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        pool_size: int = 8,
        pooled: bool = True,
        prepare: bool = True,
    ) -> None:
        """`urls`: login role → SQLAlchemy URL. `prepare=False` behind pgbouncer."""
        self._urls = dict(urls)
        self._engines: dict[Login, Engine] = {}
        self._pool: dict[str, Any] = (
            # No overflow: its connections are closed after each use, so that a crowd would pay for
            # a new one with every page. The last one used is taken first: its plans are made.
            {"pool_size": pool_size, "max_overflow": 0, "pool_use_lifo": True}
            if pooled
            else {"poolclass": NullPool}
        )
        self._connect_args: dict[str, Any] = {"application_name": "portal"}
        if not prepare:
            self._connect_args["prepare_threshold"] = None
        self.on_session: list[Callable[[ScopedSession], None]] = []

    def engine(self, login: Login) -> Engine:
        """The engine of a login role, made on first use."""
        engine = self._engines.get(login)
        if engine is None:
            url = sa.make_url(self._urls[login.value]).set(drivername="postgresql+psycopg")
            engine = sa.create_engine(url, connect_args=self._connect_args, **self._pool)
            event.listen(engine, "do_connect", _connect)
            self._guard(engine, login)
            self._engines[login] = engine
        return engine

    def _guard(self, engine: Engine, login: Login) -> None:
        @event.listens_for(engine, "begin")
        def set_tenant(connection: Connection) -> None:
            scope = get_scope()
            if scope.login is not login:
                raise ScopeError(f"a {scope.login} scope may not use the {login} login")
            raw = _driver_of(connection.connection)
            if raw.autocommit:
                raise ScopeError("AUTOCOMMIT would lose the tenant setting")
            raw.begin(_text_of(scope.tenant_id))

    def lookup(
        self, login: Login, statement: Prepared, values: Mapping[str, Any]
    ) -> tuple[Any, ...] | None:
        """The first row of one statement, read in one round trip without a session.

        Only for logins that see no tenant's rows: there is no transaction that could carry a
        tenant. Raises `ScopeError` for the others.
        """
        if login in (Login.VENDOR, Login.COMPANY, Login.OWNER):
            raise ScopeError(f"the {login} login reads in a session of its scope only")
        (rows,) = _read(self.engine(login), [statement.query(values)], None)
        return rows[0] if rows else None

    def line(self, login: Login) -> psycopg.Connection[Any]:
        """A connection of its own, outside of the pool, on which the database can tell of changes.

        Only for logins that see no tenant's rows. Raises `ScopeError` for the others, and the
        driver's errors.
        """
        if login in (Login.VENDOR, Login.COMPANY, Login.OWNER):
            raise ScopeError(f"the {login} login reads in a session of its scope only")
        url = sa.make_url(self._urls[login.value]).set(drivername="postgresql")
        return psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            **(self._connect_args | {"prepare_threshold": None}),
        )

    @contextmanager
    def session(self) -> Iterator[ScopedSession]:
        """The one session of the bound scope; rolled back unless the caller commits."""
        with session_opened() as scope:
            session = ScopedSession(self.engine(scope.login), expire_on_commit=False)
            session.scope = scope
            if scope.login is Login.VENDOR:
                session.info["vendor_tenant"] = scope.tenant_id
                session.info["vendor_options"] = _vendor_options(scope)
            for hook in self.on_session:
                hook(session)
            try:
                yield session
            finally:
                session.close()

    def dispose(self) -> None:
        """Close every pooled connection."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()


event.listen(ScopedSession, "do_orm_execute", _limit_statement)
event.listen(ScopedSession, "before_flush", _check_writes)
event.listen(ScopedSession, "after_commit", _committed)
event.listen(ScopedSession, "after_rollback", _committed)
