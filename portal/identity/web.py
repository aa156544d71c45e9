"""The session cookie, the reader's language, and the sign-in login's session for a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, g, request
from werkzeug.wrappers import Response

from portal.identity.remembering import Remembered
from tenants.database import Database, ScopedSession
from tenants.scope import Login, Scope, bound

LOCALES = {"zh_Hans_CN": "简体中文", "zh_Hant_TW": "繁體中文", "en": "English"}
DEFAULT_LOCALE = "zh_Hans_CN"


@contextmanager
def sign_in_session(app: Flask) -> Iterator[ScopedSession]:
    """A session on the sign-in login. The request's own session, if open, is closed for good:
    two scopes never stand open beside each other."""
    database: Database = app.extensions["database"]
    if g.get("session") is not None:
        g.stack.close()
        g.session = None
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        yield session


def remembered(app: Flask) -> Remembered:
    """Who is signed in, as this process knows it: what changes that is committed by it."""
    known: Remembered = app.extensions["signed"]
    return known


def cookie_name(app: Flask) -> str:
    """`__Host-` where cookies are secure: bound to this host and path, HTTPS only."""
    return "__Host-portal" if app.config["SESSION_COOKIE_SECURE"] else "portal"


def set_cookie(app: Flask, answer: Response, token: str) -> None:
    """Hand the session token to the browser."""
    answer.set_cookie(
        cookie_name(app),
        token,
        httponly=True,
        samesite="Lax",
        secure=app.config["SESSION_COOKIE_SECURE"],
        path="/",
    )


def clear_cookie(app: Flask, answer: Response) -> None:
    """Take the session token back."""
    answer.delete_cookie(
        cookie_name(app), path="/", secure=app.config["SESSION_COOKIE_SECURE"], httponly=True
    )


def reader_locale() -> str:
    """A person's choice, else the browser's, else Simplified Chinese (UX: languages).

    `zh-HK`, `zh-TW`, `zh-MO` and `zh-Hant-*` mean Traditional.
    """
    signed = g.get("signed")
    chosen = signed.actor.locale if signed else ""
    chosen = chosen or request.cookies.get("locale", "")
    if chosen in LOCALES:
        return str(chosen)
    for tag, _quality in request.accept_languages:
        lower = tag.lower().replace("_", "-")
        if lower.startswith(("zh-hant", "zh-hk", "zh-tw", "zh-mo")):
            return "zh_Hant_TW"
        if lower.startswith("zh"):
            return "zh_Hans_CN"
        if lower.startswith("en"):
            return "en"
    return DEFAULT_LOCALE


def reader_theme() -> str:
    """A reader's choice of `light` or `dark`; `auto` goes by the system."""
    chosen = request.cookies.get("theme", "")
    return chosen if chosen in ("light", "dark") else "auto"
