"""The request as the portal's views ask it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict


class Given(ImmutableMultiDict[str, Any]):
    """What an address, a form or the cookies give, by name.

    Werkzeug's own makes an error page for each name that is not there and throws it away again:
    a list asks for a dozen filters, and most are not there.
    """

    def get(  # type: ignore[override]
        self, key: str, default: Any = None, type: Callable[[Any], Any] | None = None
    ) -> Any:
        """The first value of `key`, passed through `type`; `default` when there is none, or none
        that `type` takes."""
        if not self.getlist(key):
            return default
        found = self[key]
        return found if type is None else super().get(key, default, type)


class PortalRequest(Request):
    """Flask's request."""

    parameter_storage_class = Given
    dict_storage_class = Given
