"""What a view may take from the request: the scoped session, the actor, and stale-form checks.

`flask.g` stops here and in views; services get these things as arguments.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import g, request
from flask_babel import gettext as _

from portal.kernel.access import Actor
from portal.kernel.errors import Stale
from tenants.database import ScopedSession


def db() -> ScopedSession:
    """The request's session, in the scope of the signed-in person."""
    session: ScopedSession = g.session
    return session


def actor() -> Actor:
    """The signed-in person."""
    person: Actor = g.actor
    return person


def is_htmx() -> bool:
    """Whether htmx asked, so that a fragment is enough."""
    return request.headers.get("HX-Request") == "true"


def wants_json() -> bool:
    """Whether a script asked, which reads JSON and no page."""
    accepts = request.headers.get("Accept", "")
    return request.is_json or request.method == "PUT" or accepts == "application/json"


def local_path(target: str | None, default: str = "/") -> str:
    """`target` when it is a path of this site, else `default` (no open redirects)."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return default
    parts = urlsplit(target)
    return default if parts.netloc or parts.scheme else target


def check_version(row: Any, seen: int | str | None) -> None:
    """Refuse a form that was filled in on an older state of `row` (optimistic locking)."""
    if str(row.version) != str(seen):
        raise Stale(
            _("Somebody changed this since you opened the page."),
            _("Look at the present state below, then send your change again."),
        )
