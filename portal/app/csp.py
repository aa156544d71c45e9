"""Where browsers report what the content policy refused: one line in the log for each report."""

from __future__ import annotations

import json
import logging
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_wtf import CSRFProtect

from portal.kernel.access import open_to_all

log = logging.getLogger(__name__)
MOST_BYTES = 16 * 1024
_MOST_LETTERS = 200


def install(app: Flask, csrf: CSRFProtect) -> None:
    """Add the address that the policy names; browsers send reports without a form's token."""
    app.add_url_rule("/csp-report", "csp_report", csrf.exempt(report), methods=["POST"])


@open_to_all("a browser reports a refusal of the content policy; it only writes a line of the log")
def report() -> Response:
    """Take a report. What cannot be read is dropped: anybody can send anything here."""
    body = request.stream.read(MOST_BYTES + 1)
    if len(body) <= MOST_BYTES:
        try:
            told = json.loads(body).get("csp-report")
        except (ValueError, AttributeError, RecursionError):
            told = None
        if isinstance(told, dict):
            log.warning(
                "content policy: %s refused %s on %s (%s, line %s)",
                _word(told.get("effective-directive") or told.get("violated-directive")),
                _place(told.get("blocked-uri")),
                _place(told.get("document-uri")),
                _place(told.get("source-file")),
                _word(told.get("line-number")),
            )
    return Response(status=204)


def _word(value: object) -> str:
    """A value as one short word of ASCII, fit for a line of the log."""
    return ascii(str(value)[:_MOST_LETTERS]).strip("'")


def _place(value: object) -> str:
    """An address without its query and fragment, which may hold what somebody searched for."""
    try:
        parts = urlsplit(str(value))
    except ValueError:
        return "?"
    return _word(f"{parts.scheme}:{parts.netloc}{parts.path}" if parts.scheme else parts.path)
