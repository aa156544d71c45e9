"""What templates call on every line: `_()` and `url_for()`, answered from memory.

A page asks for some seventy texts and a dozen addresses. Looking each up through Flask-Babel and
Werkzeug costs more than the rest of the page, and the answers never change while the process
lives: a translation is fixed by its language, an address without values by its endpoint.
"""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, current_app, g, has_request_context, request, session
from flask_wtf.csrf import generate_csrf
from jinja2 import Template, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup

from portal.kernel import texts
from portal.kernel.phrases import is_one

_ADDRESSES: dict[tuple[str, str], str] = {}


@pass_eval_context
def gettext(context: EvalContext, msgid: str, /, **values: Any) -> str:
    """`_()` of templates, as Jinja's new style has it: values are escaped into a translation that
    is itself trusted, and a literal per cent sign is written twice."""
    return _filled(context, texts.gettext(msgid), values)


@pass_eval_context
def ngettext(context: EvalContext, one: str, many: str, number: object, /, **values: Any) -> str:
    """`ngettext()` of templates: the form for `number` things, filled in as `_()` does it."""
    return _filled(context, texts.counted(one, many, single=is_one(number)), values)


def _filled(context: EvalContext, text: str, values: dict[str, Any]) -> str:
    if not context.autoescape:
        return text % values
    marked = Markup(text)  # noqa: S704 - from our own catalogue
    return marked % values if values or "%" in text else marked


def url_for(endpoint: str, **values: Any) -> str:
    """`url_for()` of templates; without values the address is remembered."""
    if values or endpoint.startswith(".") or not has_request_context():
        return current_app.url_for(endpoint, **values)
    key = (request.script_root, endpoint)
    found = _ADDRESSES.get(key)
    if found is None:
        if len(_ADDRESSES) > 1000:
            _ADDRESSES.clear()
        found = _ADDRESSES[key] = current_app.url_for(endpoint)
    return found


_TOKENS: dict[str, tuple[float, str]] = {}
_SIGNED_SECONDS = 600.0
_MOST_TOKENS = 2_000


def csrf_token() -> str:
    """The token of the request's forms: asked for by every one of a page, made once.

    What is signed is the session's own secret, which lives as long as the session; so a signature
    serves for ten minutes instead of one page.
    """
    token: str | None = g.get("portal_csrf_token")
    if token is None:
        secret = session.get("csrf_token", "")
        signed = _TOKENS.get(secret)
        if signed is None or time.monotonic() - signed[0] > _SIGNED_SECONDS:
            signed = time.monotonic(), generate_csrf()
            if len(_TOKENS) >= _MOST_TOKENS:
                _TOKENS.clear()
            _TOKENS[session["csrf_token"]] = signed
        token = g.portal_csrf_token = signed[1]
    return token


class _Template(Template):
    """A template whose imports are made once. Jinja compares all global names at each import, for
    templates that were loaded with globals of their own; there are none here."""

    def _get_default_module(self, ctx: Context | None = None) -> Any:
        return super()._get_default_module()


def install(app: Flask) -> None:
    """Put both in the place of Flask-Babel's and Flask's; after Flask-Babel is installed."""
    app.jinja_env.template_class = _Template
    app.jinja_env.globals.update(
        _=gettext, gettext=gettext, ngettext=ngettext, url_for=url_for, csrf_token=csrf_token
    )
