"""Statements for pages that have milliseconds: compiled once, sent together by the driver.

Half of what a small read costs is the toolkit's work around the driver: keys of caches, contexts,
results, rows. A `Prepared` statement does that work once. It is for reads over plain tables only;
the session adds nothing to it, so the statement itself says whose rows it wants, as every one over
plain tables does (the database's policies hold in any case).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session

from tenants.driver import Query, Rows

_DIALECT = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_ASKED = "asked"


class _Reader(Protocol):
    """The portal's own session (`tenants.database.ScopedSession`), which stands above this."""

    def read(self, wanted: Sequence[Query]) -> list[Rows]:
        """The rows of every read, in one round trip."""


class Prepared:
    """A read over plain tables. Its values go by the names of its bind parameters."""

    def __init__(self, statement: sa.sql.Executable) -> None:
        """Compile `statement`. Rows come as the driver reads them: no type of it may need the
        toolkit's own conversion of results."""
        compiled = cast("Any", statement).compile(
            dialect=_DIALECT, compile_kwargs={"render_postcompile": True}
        )
        self._text = compiled.string.encode()
        self._names = tuple(compiled.positiontup or ())
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._convert = dict(compiled._bind_processors)

    def query(self, values: Mapping[str, Any]) -> Query:
        """The statement with its values, for the driver."""
        bound = {**self._fixed, **values}
        for name, convert in self._convert.items():
            bound[name] = convert(bound[name])
        return Query(self._text, [bound[name] for name in self._names])

    def asked(self, session: Session, values: Mapping[str, Any]) -> Asked:
        """Note the read: it travels with the next one of the session, at no cost of its own."""
        found = Asked(session, self.query(values))
        session.info.setdefault(_ASKED, []).append(found)
        return found

    def rows(self, session: Session, values: Mapping[str, Any]) -> Rows:
        """Every row, as a tuple in the order of the columns. Errors are SQLAlchemy's."""
        return self.asked(session, values).rows()


class Asked:
    """A read that was asked for, and its rows once it was made."""

    __slots__ = ("_rows", "_session", "query")

    def __init__(self, session: Session, query: Query) -> None:
        """Made by `Prepared.asked`."""
        self._session, self.query = session, query
        self._rows: Rows | None = None

    def rows(self) -> Rows:
        """Every row. What else was asked of the session is read in the same round trip."""
        if self._rows is None:
            asked: list[Asked] = self._session.info.pop(_ASKED, [])
            if self not in asked:
                # The trip that it was to go with failed.
                asked.append(self)
            reader = cast("_Reader", self._session)
            for one, rows in zip(asked, reader.read([one.query for one in asked]), strict=True):
                one._rows = rows
            assert self._rows is not None  # noqa: S101 - it was among them
        return self._rows
