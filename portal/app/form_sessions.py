"""Flask's own sessions (a form's token, messages), with the signer made once."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface


class FormSessions(SecureCookieSessionInterface):
    """Flask makes the signer anew for every request; the keys it is made of never change."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._signer: Any = None

    def get_signing_serializer(self, app: Flask) -> Any:
        """The signer of the one application that this belongs to."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer
