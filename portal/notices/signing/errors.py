"""What hinders a signature."""

from __future__ import annotations

from portal.kernel.errors import PortalError
from portal.kernel.phrases import phrase


class SigningError(PortalError):
    """The paper cannot be signed; it stays unissued to readers until it can. `reason` is
    technical English for the log, the terminal and the administrator."""

    status = 503

    def __init__(self, reason: str) -> None:
        """`reason` holds no personal data and no secret."""
        super().__init__(
            phrase("The paper cannot be signed: %(reason)s", reason=reason),
            phrase("It is tried again every few minutes; nothing has to be issued anew."),
        )
        self.reason = reason


class TimeStampError(SigningError):
    """The time stamp server gave no usable answer in time."""
