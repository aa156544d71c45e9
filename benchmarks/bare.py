"""What the portal is compared with: a bare Flask page, and the same with one bare query.

No sessions, no policies, no layout: the floor that Flask, gunicorn and PostgreSQL set.
"""

from __future__ import annotations

import os

import psycopg
from flask import Flask
from psycopg_pool import ConnectionPool

app = Flask("bare")
_TEXT = "<!doctype html><title>bare</title><p>A page.</p>"
_QUERY = (
    "select id, case_no, debtor_masked, card_masked, amount, age_band, entrusted_on, due_back_on,"
    " status from cases where tenant_id = %s order by entrusted_on desc, id desc limit 51"
)
_pool: list[ConnectionPool[psycopg.Connection[tuple[object, ...]]]] = []


@app.get("/")
def page() -> str:
    """A bare page."""
    return _TEXT


@app.get("/query")
def query() -> str:
    """A bare page with one bare query: fifty cases of a vendor, as the owner of the tables."""
    if not _pool:
        _pool.append(ConnectionPool(os.environ["BARE_DATABASE_URL"], min_size=1, max_size=20))
    with _pool[0].connection() as connection:
        rows = connection.execute(_QUERY, (os.environ["BARE_TENANT"],)).fetchall()
    return f"{_TEXT}<p>{len(rows)}</p>"
