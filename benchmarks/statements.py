"""How many statements a page sends, transaction control apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from flask import Flask
from flask.testing import FlaskClient

from benchmarks.fill import PASSWORD
from benchmarks.place import Place
from portal.app.factory import create_app
from tenants.driver import KeepingConnection, Query, Rows

_CONTROL = ("begin", "commit", "rollback", "set ", "select set_config")


class Counter:
    """Counts every statement that reaches the driver, whoever sent it."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self.sent: list[str] = []

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Listen at the driver for the block: at its cursor, and at reads that travel together."""
        original, together = psycopg.Cursor.execute, KeepingConnection.fetch
        sent = self.sent

        def execute(cursor: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            text = str(query).strip()
            if not text.lower().startswith(_CONTROL):
                sent.append(text)
            return original(cursor, query, *args, **kwargs)

        def fetch(
            connection: KeepingConnection, wanted: Sequence[Query], tenant_id: str | None = None
        ) -> list[Rows]:
            sent.extend(query.text.decode() for query in wanted)
            return together(connection, wanted, tenant_id)

        psycopg.Cursor.execute = execute  # type: ignore[method-assign,assignment]
        KeepingConnection.fetch = fetch  # type: ignore[method-assign,assignment]
        try:
            yield
        finally:
            psycopg.Cursor.execute = original  # type: ignore[method-assign]
            KeepingConnection.fetch = together  # type: ignore[method-assign]


def application(place: Place) -> Flask:
    """The portal in this process; forms need no token here."""
    app = create_app(place.settings)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def signed_in(app: Flask, email: str) -> FlaskClient:
    """A test client of a person."""
    client = app.test_client()
    answer = client.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.status_code
    return client


def count(client: FlaskClient, path: str) -> int:
    """Statements of the page at `path` once it is warm."""
    for _ in range(3):
        assert client.get(path).status_code == 200, path
    counter = Counter()
    with counter.counting():
        client.get(path)
    return len(counter.sent)
