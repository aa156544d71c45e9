"""Who is signed in is remembered for seconds, and never longer than it is true."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from psycopg import sql
from werkzeug.test import Cookie

from portal.app.factory import create_app
from portal.identity import remembering, service
from portal.identity.models import Account
from portal.identity.remembering import Remembered
from portal.identity.service import Signed
from portal.kernel import clock
from portal.kernel.access import Role
from portal.kernel.settings import Settings
from tenants.database import Database
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.world import PASSWORD

LANGUAGES = {"zh_Hant_TW": 'lang="zh-Hant"', "en": 'lang="en"', "zh_Hans_CN": 'lang="zh-Hans"'}
NEWS = 20.0
"""Seconds by which whatever is told must have come, on a machine under load."""


class Counting:
    """`find_signed`, counting how often the database was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        monkeypatch.setattr(remembering, "find_signed", self)

    def __call__(self, database: Database, token: str) -> Signed | None:
        self.asked += 1
        return service.find_signed(database, token)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """How often the database was asked."""
    monkeypatch.setattr(remembering, "_RETRY", 0.1)
    return Counting(monkeypatch)


@pytest.fixture
def known(portal: Portal, counting: Counting) -> Iterator[Remembered]:
    """A process that remembers for half a minute, its line standing."""
    assert not counting.asked
    made = Remembered(portal.database, timedelta(seconds=30))
    made.find("nobody's")
    _until(lambda: made.listening)
    counting.asked = 0
    yield made
    made.close()


def _until(told: Callable[[], bool]) -> None:
    end = time.monotonic() + NEWS
    while not told():
        assert time.monotonic() < end, "never told"
        time.sleep(0.005)


def _signed_in(portal: Portal, email: str) -> str:
    with portal.session(Scope(Login.SIGN_IN)) as session:
        token = service.sign_in(session, email, PASSWORD, "127.0.0.1")
        session.commit()
    return token


@contextmanager
def _administrator(portal: Portal, **given: Any) -> Iterator[psycopg.Connection[Any]]:
    """Who sees and changes every row, by whatever program."""
    with psycopg.connect(portal.settings.database_url, autocommit=True, **given) as connection:
        yield connection


@contextmanager
def _no_new_connections(portal: Portal, name: str) -> Iterator[None]:
    """The database takes none until the block's end; those that stand are kept."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with _administrator(portal, dbname="postgres") as connection:
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        try:
            yield
        finally:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def test_the_database_is_asked_once_in_half_a_minute(
    portal: Portal, known: Remembered, counting: Counting
) -> None:
    token = _signed_in(portal, portal.world.email(Role.AUDITOR))
    first = known.find(token)
    assert first is not None and first.actor.roles == {Role.AUDITOR}
    assert [known.find(token) for _ in range(5)] == [first] * 5
    assert counting.asked == 1
    with clock.frozen(clock.now() + timedelta(seconds=31)):
        assert known.find(token) == first and counting.asked == 2
    with clock.frozen(clock.now() + timedelta(hours=5)):
        assert known.find(token) is None, "idle for too long"


@pytest.mark.parametrize(
    ("statement", "seen"),
    [
        ("UPDATE sign_in_sessions SET ended_at = now()", None),
        ("DELETE FROM sign_in_sessions", None),
        ("UPDATE accounts SET status = 'disabled' WHERE email = %(email)s", None),
        ("UPDATE tenants SET status = 'suspended' WHERE kind = 'vendor'", None),
        ("UPDATE accounts SET roles = '[\"agent\"]' WHERE email = %(email)s", {Role.AGENT}),
    ],
)
def test_what_changes_anywhere_is_known_at_once(
    portal: Portal,
    known: Remembered,
    counting: Counting,
    statement: str,
    seen: set[Role] | None,
) -> None:
    email = portal.world.vendors[0].email(Role.MANAGER)
    token = _signed_in(portal, email)
    before = known.find(token)
    assert before is not None and known.find(token) is before and counting.asked == 1
    with _administrator(portal) as connection:
        changed = connection.execute(statement, {"email": email})
        assert changed.rowcount > 0
    _until(lambda: known.find(token) is not before)
    after = known.find(token)
    assert (after.actor.roles if after else None) == seen


def test_a_change_while_the_line_is_down_is_known_at_once(
    portal: Portal, known: Remembered, counting: Counting
) -> None:
    email = portal.world.email(Role.FINANCE)
    token = _signed_in(portal, email)
    assert known.find(token) and known.find(token) and counting.asked == 1
    with _administrator(portal) as connection:
        with _no_new_connections(portal, connection.info.dbname):
            lines = connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query IN (%s, 'SELECT 1')",
                [f'LISTEN "{remembering.CHANNEL}"'],
            )
            assert lines.rowcount == 1
            _until(lambda: not known.listening)
            connection.execute("UPDATE sign_in_sessions SET ended_at = now()")
            assert known.find(token) is None
            connection.execute("UPDATE sign_in_sessions SET ended_at = NULL")
            asked = counting.asked
            assert known.find(token) and known.find(token) and counting.asked == asked + 2
        _until(lambda: known.listening)
        asked = counting.asked
        assert known.find(token) and known.find(token) and counting.asked == asked + 1


def test_what_was_read_before_a_change_is_not_kept_after_it(
    portal: Portal, known: Remembered, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session ends, and that is told, between the answer's reading and its keeping."""
    token = _signed_in(portal, portal.world.email(Role.AUDITOR))
    told = threading.Event()
    begin_anew = known._begin_anew

    def noted(**given: Any) -> None:
        begin_anew(**given)
        told.set()

    monkeypatch.setattr(known, "_begin_anew", noted)

    def slow(database: Database, asked: str) -> Signed | None:
        found = service.find_signed(database, asked)
        with _administrator(portal) as connection:
            connection.execute("UPDATE sign_in_sessions SET ended_at = now()")
        assert told.wait(NEWS)
        return found

    monkeypatch.setattr(remembering, "find_signed", slow)
    assert known.find(token), "it was so when it was asked"
    monkeypatch.setattr(remembering, "find_signed", service.find_signed)
    assert known.find(token) is None


def test_who_commits_a_change_sees_it_at_once(portal: Portal, known: Remembered) -> None:
    token = _signed_in(portal, portal.world.email(Role.AUDITOR))
    for number in range(30):
        assert known.find(token) and known.find(token)
        with portal.session(Scope(Login.SIGN_IN)) as session:
            session.execute(sa.update(Account).values(name=f"第{number}个名字"))
            known.commit(session)
        found = known.find(token)
        assert found is not None and found.actor.name == f"第{number}个名字"


def _cookies(client: FlaskClient) -> dict[tuple[str, str, str], Cookie]:
    assert client._cookies is not None
    return client._cookies


def test_two_processes_and_one_person(
    portal: Portal, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one process changes shows on the next page of either: language, end of the session."""
    settings = replace(portal.settings, signed_seconds=30)
    with ExitStack() as stack:
        here, there = (_process(settings, stack) for _ in range(2))
        _signs_in(here, portal.world.email(Role.AUDITOR))
        _cookies(there).update(_cookies(here))
        for one in (here, there):
            one.get("/account")
            known: Remembered = one.application.extensions["signed"]
            _until(lambda known=known: known.listening)  # type: ignore[misc]
            asked = [one.get("/account").status_code and counting.asked for _ in range(3)]
            assert asked[1] == asked[2]
        for locale, word in LANGUAGES.items():
            here.post("/language", data={"locale": locale})
            assert word in here.get("/account").text
            _until(lambda word=word: word in there.get("/account").text)  # type: ignore[misc]
        cookies = dict(_cookies(here))
        assert here.post("/sign-out").status_code == 302
        _cookies(here).update(cookies)
        assert here.get("/account").status_code == 302, "the old cookie is worth nothing"
        _until(lambda: there.get("/account").status_code == 302)


def _signs_in(client: FlaskClient, email: str) -> None:
    answer = client.post("/sign-in", data={"email": email, "password": PASSWORD})
    assert answer.status_code == 302


def _process(settings: Settings, stack: ExitStack) -> FlaskClient:
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    stack.callback(app.extensions["database"].dispose)
    stack.callback(app.extensions["signed"].close)
    return app.test_client()


def test_behind_a_pooler_nothing_is_remembered(portal: Portal, counting: Counting) -> None:
    """In transaction mode no connection is the process's own: it would not be told."""
    with ExitStack() as stack:
        client = _process(replace(portal.settings, signed_seconds=30, db_prepare=False), stack)
        _signs_in(client, portal.world.email(Role.AUDITOR))
        client.get("/account")
        assert not client.application.extensions["signed"].listening
