"""Form sessions: a cookie that held is remembered, for no longer and no more than it said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSession
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from portal.app.form_sessions import FormSessions


@pytest.fixture
def app() -> Flask:
    app = Flask("of a test")
    app.secret_key = "a key of a test"
    app.session_interface = FormSessions()
    return app


def opened(app: Flask, cookie: str) -> SecureCookieSession:
    with EnvironBuilder(headers=Headers({"Cookie": f"session={cookie}"})).get_request() as request:
        found = app.session_interface.open_session(app, app.request_class(request.environ))
    assert isinstance(found, SecureCookieSession)
    return found


def cookie(app: Flask, **data: Any) -> str:
    assert isinstance(app.session_interface, FormSessions)
    return str(app.session_interface.get_signing_serializer(app).dumps(data))


def test_a_page_changes_its_own_copy_only(app: Flask) -> None:
    held = cookie(app, csrf_token="secret")
    first = opened(app, held)
    assert dict(first) == {"csrf_token": "secret"} and not first.modified
    first["csrf_token"] = "other"
    assert dict(opened(app, held)) == {"csrf_token": "secret"}


def test_what_is_remembered_ends_with_its_time(app: Flask) -> None:
    held = cookie(app, csrf_token="secret")
    assert opened(app, held)
    app.permanent_session_lifetime = timedelta(seconds=-1)
    assert dict(opened(app, held)) == {}


def test_a_changed_cookie_is_none_even_beside_a_remembered_one(app: Flask) -> None:
    held = cookie(app, csrf_token="secret")
    assert opened(app, held)
    assert dict(opened(app, f"{held[:-2]}{'A' if held[-2] != 'A' else 'B'}{held[-1]}")) == {}


def test_messages_are_read_anew_each_time(app: Flask) -> None:
    held = cookie(app, csrf_token="secret", _flashes=[("success", "Saved.")])
    opened(app, held)["_flashes"].append("more")
    assert opened(app, held)["_flashes"] == [("success", "Saved.")]


def test_what_is_sent_back_is_what_flask_would_send(app: Flask) -> None:
    plain = Flask("of a test")
    plain.secret_key = app.secret_key
    held = cookie(app, csrf_token="secret")

    def sent(made: Flask, path: str) -> list[tuple[str, str]]:
        client = made.test_client()
        client.set_cookie("session", held)
        answer = client.get(path)
        assert answer.status_code == 200
        return [
            (name, value.partition(";")[0] if name == "Vary" else value.partition(".")[0])
            for name, value in answer.headers
            if name in ("Vary", "Set-Cookie")
        ]

    def written() -> str:
        session.update(more="1")
        return ""

    def emptied() -> str:
        session.clear()
        return ""

    for made in (app, plain):
        made.add_url_rule("/untouched", "untouched", lambda: "")
        made.add_url_rule("/read", "read", lambda: session["csrf_token"])
        made.add_url_rule("/written", "written", written)
        made.add_url_rule("/emptied", "emptied", emptied)
        made.add_url_rule("/varied", "varied", lambda: (session["csrf_token"], {"Vary": "Accept"}))
    for path in ("/untouched", "/read", "/written", "/emptied", "/varied"):
        assert sent(app, path) == sent(plain, path), path
    assert sent(app, "/read") == [("Vary", "Cookie")]
