"""Statements for pages that have milliseconds: compiled once, run on the driver's own cursor.

Half of what a small read costs is the toolkit's work around the driver: keys of caches, contexts,
results, rows. A `Prepared` statement does that work once. It is for reads over plain tables only;
the session adds nothing to it, so the statement itself says whose rows it wants, as every one over
plain tables does (the database's policies hold in any case).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class Prepared:
    """A read over plain tables. Its values go by the names of its bind parameters."""

    def __init__(self, statement: sa.sql.Executable) -> None:
        """Compile `statement`. Rows come as the driver reads them: no type of it may need the
        toolkit's own conversion of results."""
        compiled = cast("Any", statement).compile(
            dialect=_DIALECT, compile_kwargs={"render_postcompile": True}
        )
        self.text = cast("LiteralString", compiled.string)
        self._fixed = {name: value for name, value in compiled.params.items() if value is not None}
        self._convert = dict(compiled._bind_processors)

    def rows(self, session: Session, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row, as a tuple in the order of the columns. Errors are SQLAlchemy's."""
        connection = session.connection()
        held = connection.connection.driver_connection
        assert isinstance(held, psycopg.Connection)  # noqa: S101 - the only driver
        bound = {**self._fixed, **values}
        for name, convert in self._convert.items():
            bound[name] = convert(bound[name])
        try:
            return held.execute(self.text, bound).fetchall()
        except psycopg.Error as error:
            if held.closed:
                # The server went away, and with it the pool's other connections.
                connection.invalidate(error)
                connection.engine.dispose()
            raise sa.exc.DBAPIError.instance(
                self.text, None, error, psycopg.Error, hide_parameters=True
            ) from error
