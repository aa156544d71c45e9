"""The driver's connection as the portal uses it: few round trips, and plans that are kept.

Three things are done below the toolkit, because a page has milliseconds:

- a transaction begins with its first statement, in the same round trip, with its tenant set;
- several reads travel together (`KeepingConnection.fetch`), each prepared once; outside of a
  transaction they are one of their own, which needs neither a beginning nor an end;
- prepared statements outlive a rollback.

Where the tenant were not set, the database's policies would show no row: it fails closed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

Rows = list[tuple[Any, ...]]
_Key = tuple[bytes, tuple[int, ...]]
_Named = dict[_Key, bytes]

_SET = b"select set_config('app.tenant_id', $1, true)"
_SET_NAME = b"set_tenant"
_AT_ONCE = "begin; select set_config('app.tenant_id', '{}', true)"
_SET_KEY: _Key = _SET, ()
# More are not kept on a connection; those of lists with rare filters are then planned each time.
_MOST_NAMES = 400


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, and its values in the order of its `$1`, `$2`, …"""

    text: bytes
    values: Sequence[Any]


class _Ready:
    """A query whose values are written as the server reads them."""

    __slots__ = ("adapter", "formats", "key", "values")

    def __init__(self, adapter: abc.Transformer, query: Query) -> None:
        self.adapter = adapter
        automatic = [PyFormat.AUTO] * len(query.values)
        self.values = adapter.dump_sequence(query.values, automatic)
        self.formats = adapter.formats
        self.key: _Key = query.text, adapter.types or ()

    def rows(self, result: PGresult) -> Rows:
        self.adapter.set_pgresult(result)
        found: Rows = self.adapter.load_rows(0, result.ntuples, tuple)
        # It is kept for the next read of its text, and the rows need not be.
        self.adapter.set_pgresult(None)
        return found


class KeepingConnection(psycopg.Connection[Any]):
    """A connection that begins late, fetches several reads at once and keeps its plans.

    Every request that only reads ends with a rollback. PostgreSQL keeps what was prepared, but
    psycopg forgets all of it, in case the transaction had changed tables; then every page would
    have all its statements planned anew. The portal's logins change no tables.
    """

    def __init__(self, *args: Any, **given: Any) -> None:
        """As the driver's own."""
        super().__init__(*args, **given)
        self._owed: bytes | None = None
        self._names: _Named = {}
        self._numbers = 0
        self._transformers: dict[bytes, abc.Transformer] = {}

    def begin(self, tenant_id: str) -> None:
        """Begin a transaction of the tenant ("" for none) before the next statement, whoever sends
        it. One that is open, or has options of its own, is told at once."""
        plain = self.isolation_level is None and self.read_only is None and self.deferrable is None
        if plain and self.pgconn.transaction_status == TransactionStatus.IDLE:
            self._owed = tenant_id.encode("ascii")
        else:
            self.execute("select set_config('app.tenant_id', %s, true)", (tenant_id,))

    def wait(self, *args: Any, **given: Any) -> Any:
        """As the driver's own, which all its statements pass; what is owed comes first."""
        if self._owed is not None:
            # The id is a UUID's own text, so nothing is quoted.
            text = _AT_ONCE.format(self._owed.decode("ascii"))
            self._owed = None
            done = self.pgconn.exec_(text.encode("ascii"))
            if done.status != ExecStatus.TUPLES_OK:
                # A connection that is lost says so here, in the driver's own words.
                raise error_from_result(done, encoding=self.info.encoding)
        return super().wait(*args, **given)

    def commit(self) -> None:
        """End the transaction; one that never began needs no word."""
        if self._owed is None:
            super().commit()
        self._owed = None

    def rollback(self) -> None:
        """End the transaction; a failed one, or a lost connection, is left to psycopg."""
        if self._owed is not None:
            self._owed = None
            return
        if self.pgconn.transaction_status == TransactionStatus.IDLE:
            return
        if self.pgconn.transaction_status == TransactionStatus.INTRANS:
            with self.lock:
                done = self.pgconn.exec_(b"rollback")
            if done.status == ExecStatus.COMMAND_OK:
                return
        super().rollback()

    def _deallocate(self, name: bytes | None) -> Generator[Any, Any, None]:
        # Where psycopg has the server forget its statements, the server forgets ours, too.
        if name is None:
            self._names.clear()
        return super()._deallocate(name)

    def fetch(self, wanted: Sequence[Query], tenant_id: str | None = None) -> list[Rows]:
        """The rows of every read of `wanted`, all in one round trip.

        A transaction that is owed begins in the same trip. Outside of one, the reads are a
        transaction of their own, of `tenant_id` where that is given: the setting ends with them.
        Raises the driver's error for the first that fails; a transaction is then to be rolled
        back.
        """
        with self.lock:
            ready = [_Ready(self._transformer(query.text), query) for query in wanted]
            owed, self._owed = self._owed, None
            pgconn = self.pgconn
            pgconn.enter_pipeline_mode()
            try:
                sent = self._send(ready, owed, tenant_id)
                found = super().wait(_answers(pgconn, len(sent)))
                pgconn.exit_pipeline_mode()
            except BaseException:
                # What is still on its way could not be told from later answers.
                pgconn.finish()
                raise
        rows: list[Rows] = []
        for what, result in zip(sent, found, strict=True):
            if result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result, encoding=self.info.encoding)
            if isinstance(what, _Ready):
                rows.append(what.rows(result))
            elif what is not None:
                # Kept even when a later statement fails: the server forgets nothing of it.
                self._names.update(what)
        return rows

    def _transformer(self, text: bytes) -> abc.Transformer:
        """What writes the values of a text and reads its rows: made once, as it has to look up
        the kind of every value and column."""
        found = self._transformers.get(text)
        if found is None:
            found = Transformer(self)
            if len(self._transformers) < _MOST_NAMES:
                self._transformers[text] = found
        return found

    def _send(
        self, ready: Sequence[_Ready], owed: bytes | None, tenant_id: str | None
    ) -> list[_Ready | _Named | None]:
        """Put everything into the connection's buffer; what was sent, in order."""
        pgconn = self.pgconn
        sent: list[_Ready | _Named | None] = []
        if owed is not None:
            pgconn.send_query_params(b"begin", None)
            sent.append(None)
        if owed is not None or tenant_id is not None:
            sent += self._send_tenant(owed if tenant_id is None else tenant_id.encode("ascii"))
        for one in ready:
            text, types = one.key
            formats = one.formats
            name = self._names.get(one.key)
            if name is None and self._keeps():
                name = b"read_%d" % self._numbers
                self._numbers += 1
                pgconn.send_prepare(name, text, types)
                sent.append({one.key: name})
            if name is None:
                pgconn.send_query_params(text, one.values, types, formats)
            else:
                pgconn.send_query_prepared(name, one.values, formats)
            sent.append(one)
        pgconn.pipeline_sync()
        return sent

    def _send_tenant(self, tenant_id: bytes | None) -> list[_Named | None]:
        """Set the tenant for what follows in this transaction; what was sent."""
        if _SET_KEY in self._names:
            self.pgconn.send_query_prepared(_SET_NAME, [tenant_id])
            return [None]
        if not self._keeps():
            self.pgconn.send_query_params(_SET, [tenant_id])
            return [None]
        self.pgconn.send_prepare(_SET_NAME, _SET)
        self.pgconn.send_query_prepared(_SET_NAME, [tenant_id])
        return [{_SET_KEY: _SET_NAME}, None]

    def _keeps(self) -> bool:
        """Whether one more statement may be prepared (never behind a pooler of transactions)."""
        return self.prepare_threshold is not None and len(self._names) < _MOST_NAMES


def _answers(pgconn: PGconn, count: int) -> Generator[Any, Any, list[PGresult]]:
    """Send what is in the buffer; one answer to each of `count` statements, without the end's."""
    yield from send(pgconn)
    found = []
    for _ in range(count):
        found.append((yield from fetch_many(pgconn))[0])
    yield from fetch_many(pgconn)
    return found
