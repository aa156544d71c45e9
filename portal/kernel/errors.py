"""Errors that are for people: what happened, and how to mend it.

A message is a lazy or plain translated string. Views and the error pages show both parts with a
reference number; jobs store them on their run.
"""

from __future__ import annotations

from typing import Any


class PortalError(Exception):
    """A refusal that a person can understand. `mend` says what to do about it."""

    status = 400

    def __init__(self, message: Any, mend: Any = "", **data: Any) -> None:
        """`message` and `mend` are translated strings; `data` is for the caller, never shown."""
        super().__init__(str(message))
        self.message = message
        self.mend = mend
        self.data = data


class Invalid(PortalError):
    """The input cannot be taken as it is."""

    status = 422


class NotFound(PortalError):
    """Not there, or not visible in this scope: the two look alike on purpose."""

    status = 404

    def __init__(self, what: Any = "") -> None:
        """`what` is for the log only; the page is the same for every missing thing."""
        super().__init__(what)


class Forbidden(PortalError):
    """The person's role does not include this."""

    status = 403


class Conflict(PortalError):
    """The state of the thing does not allow this now."""

    status = 409


class Stale(Conflict):
    """Somebody else changed the thing since the page was opened."""
