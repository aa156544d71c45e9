"""The scope of a request: who is signed in, what the view needs, whose rows it sees."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from flask import Flask, Request, Response, abort, current_app, g, redirect, request, url_for
from flask_login import UserMixin

from portal.identity.service import Signed
from portal.identity.web import cookie_name
from portal.kernel.access import Actor, Permission
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.texts import gettext as _
from portal.kernel.web import wants_json
from tenants.database import Database
from tenants.scope import Scope, bound

log = logging.getLogger(__name__)
_present_app: Callable[[], Flask] = current_app._get_current_object  # type: ignore[attr-defined]


class User(UserMixin):  # type: ignore[misc]
    """What Flask-Login holds for a request: the signed-in person."""

    def __init__(self, signed: Signed) -> None:
        """`signed` comes from the session's row."""
        self.signed = signed
        self.id = str(signed.actor.account_id)


class UncommittedChanges(RuntimeError):
    """A view answered well and left changes that nobody committed."""


def load_user(_request: Request) -> User | None:
    """Flask-Login's loader: the person whose session was found at the start of the request."""
    signed = g.get("signed")
    return User(signed) if signed else None


def scope_of(actor: Actor) -> Scope:
    """Company people work across vendors; everybody else sees one."""
    if actor.is_company:
        return Scope.company(actor.company_id)
    return Scope.vendor(actor.tenant_id)


def install(app: Flask) -> None:
    """Open the scope before each view and close it when the answer is made."""
    app.before_request(_enter)
    app.before_request(_refuse_nul)
    app.after_request(_check_committed)
    app.teardown_request(_leave)


def _enter() -> Any:
    stack, signed = ExitStack(), None
    g.stack, g.session, g.signed = stack, None, signed
    app, endpoint = _present_app(), request.endpoint
    if endpoint is None:
        access: Any = "open: no such page"
    else:
        access = getattr(app.view_functions[endpoint], "access", None)
    if access is None:
        raise RuntimeError(f"{endpoint} carries no guard")
    is_open = isinstance(access, str) and access.startswith("open")
    token = request.cookies.get(cookie_name(app))
    if token:
        g.signed = signed = app.extensions["signed"].find(token)
    if signed is None:
        return None if is_open else _ask_to_sign_in()
    g.actor = actor = signed.actor
    if isinstance(access, Permission) and not actor.may(access):
        # To a vendor's people the company's pages are as absent as any other.
        raise Forbidden("") if actor.is_company else NotFound("")
    if not is_open:
        database: Database = app.extensions["database"]
        stack.enter_context(bound(scope_of(actor)))
        g.session = stack.enter_context(database.session())
    return None


def _refuse_nul() -> None:
    """No text of the database can hold the character zero, which comes in with what is copied from
    broken files: said here for every form and every address."""
    sent = request.form.values() if request.method == "POST" else ()
    if b"%00" in request.query_string or any("\0" in text for text in sent):
        raise Invalid(
            _("A text holds a character that cannot be stored (NUL)."),
            _("Type the text anew instead of pasting it, then send it again."),
        )


def _ask_to_sign_in() -> Any:
    if request.headers.get("HX-Request") == "true":
        answer = Response(status=401)
        answer.headers["HX-Redirect"] = url_for("identity.sign_in", next=_page_of_htmx())
        return answer
    if wants_json():
        abort(401)
    target = request.full_path.rstrip("?") if request.method == "GET" else _page_of_form()
    return redirect(url_for("identity.sign_in", next=target))


def _page_of_form() -> str:
    """The page that the form stood on (UX 4): posted again, it shows where things stand."""
    referrer = request.referrer or ""
    return "/" + referrer[len(request.host_url) :] if referrer.startswith(request.host_url) else "/"


def _page_of_htmx() -> str:
    current = request.headers.get("HX-Current-URL", "")
    return "/" + current.split("/", 3)[3] if current.count("/") >= 3 else "/"


def _check_committed(answer: Response) -> Response:
    session = g.get("session")
    if session is not None and session.uncommitted and answer.status_code < 400:
        if current_app.testing:
            raise UncommittedChanges(request.endpoint)
        log.error("%s left uncommitted changes", request.endpoint)
    return answer


def _leave(_error: BaseException | None) -> None:
    stack = g.pop("stack", None)
    if stack is not None:
        with contextlib.suppress(Exception):
            stack.close()
    g.pop("session", None)
