"""Flask's own sessions (a form's token, messages): signer made, signatures checked once."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature

_MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class _Known:
    """A cookie whose signature held: its texts, and when it was signed (seconds since 1970)."""

    texts: Mapping[str, str]
    signed: float


class FormSessions(SecureCookieSessionInterface):
    """Flask makes the signer anew for every request, and checks the same cookie on each page.

    The keys never change, and a signature that held holds until the cookie is too old, so cookies
    with nothing but texts (a form's token) are remembered. One with messages serves one page.
    """

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._signer: Any = None
        self._known: dict[str, _Known] = {}

    def get_signing_serializer(self, app: Flask) -> Any:
        """The signer of the one application that this belongs to."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of the request's cookie; an empty one for a bad or an old signature."""
        value = request.cookies.get(self.get_cookie_name(app))
        if not value:
            return self.session_class()
        longest = app.permanent_session_lifetime.total_seconds()
        known = self._known.get(value)
        if known is not None and time.time() - known.signed <= longest:
            return self.session_class(known.texts)
        signer = self.get_signing_serializer(app)
        try:
            data, signed = signer.loads(value, max_age=int(longest), return_timestamp=True)
        except BadSignature:
            return self.session_class()
        if all(isinstance(text, str) for text in data.values()):
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[value] = _Known(data, signed.timestamp())
        return self.session_class(data)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """As Flask's own. A session that nobody changed is only named in `Vary`, without reading
        that header's set first."""
        if not session or session.modified or session.permanent or "Vary" in response.headers:
            super().save_session(app, session, response)
        elif session.accessed:
            response.headers.add("Vary", "Cookie")
