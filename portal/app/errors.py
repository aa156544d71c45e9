"""Error pages for people: what happened, what to do, a reference."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from flask import Flask, g, jsonify, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from portal.kernel.errors import PortalError, Stale
from portal.kernel.web import wants_json

log = logging.getLogger(__name__)
Answer = tuple[str | Response, int]


def install(app: Flask) -> None:
    """One page for every error; JSON for scripts, a fragment is never swapped by accident."""
    app.register_error_handler(PortalError, _portal_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _fault)


def _texts(status: int) -> tuple[str, str]:
    """What happened and what to do, by status."""
    known = {
        400: (_("The request could not be read."), _("Go back, reload the page and try again.")),
        401: (_("You are signed out."), _("Sign in again; what you typed is still on the page.")),
        403: (
            _("Your role does not include this page."),
            _("Ask your administrator if you need it."),
        ),
        404: (
            _("This page does not exist, or it is not yours to see."),
            _("Check the address, or start from the home page."),
        ),
        405: (_("This page cannot be used that way."), _("Go back and use the buttons.")),
        409: (
            _("The state of this has changed."),
            _("Go back and look at the present state, then try again."),
        ),
        410: (_("This is over."), _("Ask whoever sent you here for a new link.")),
        413: (_("The upload is too large."), _("Send a smaller file, or in parts.")),
        422: (_("The input could not be taken."), _("Go back and mend what is named.")),
        429: (_("Too many requests."), _("Wait a little, then try again.")),
        503: (_("The portal is being maintained."), _("Try again in a few minutes.")),
    }
    return known.get(
        status,
        (
            _("Something went wrong on our side."),
            _("Try again. If it stays so, tell us the reference."),
        ),
    )


def _page(status: int, message: str, mend: str, reference: str, *, stale: bool = False) -> Answer:
    if wants_json():
        body: dict[str, Any] = {"error": message, "mend": mend, "reference": reference}
        return jsonify(body), status
    return (
        render_template(
            "errors/error.html",
            status=status,
            message=message,
            mend=mend,
            reference=reference,
            stale=stale,
            back=_back(),
            signed=g.get("signed"),
        ),
        status,
    )


def _back() -> str:
    """The page of ours that a form was sent from, "" when it is not known."""
    sent_from = request.referrer or ""
    if request.method == "GET" or not sent_from.startswith(request.host_url):
        return ""
    return "/" + sent_from.removeprefix(request.host_url).lstrip("/\\")


def _reference() -> str:
    return secrets.token_hex(4).upper()


def _portal_error(error: PortalError) -> Answer:
    message, mend = _texts(error.status)
    if error.status not in (403, 404) and str(error.message):
        message, mend = str(error.message), str(error.mend)
    return _page(error.status, message, mend, _reference(), stale=isinstance(error, Stale))


def _csrf_error(_error: CSRFError) -> Answer:
    return _page(
        400,
        _("This form is too old, or was opened in another sign-in."),
        _("Go back, reload the page and send it again. Nothing was changed."),
        _reference(),
    )


def _http_error(error: HTTPException) -> Answer | HTTPException:
    status = error.code or 500
    if status < 400:
        return error
    return _page(status, *_texts(status), _reference())


def _fault(error: Exception) -> Answer:
    reference = _reference()
    log.exception("fault %s at %s", reference, request.endpoint, exc_info=error)
    return _page(500, *_texts(500), reference)
