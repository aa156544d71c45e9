"""One conversation with a mail server (RFC 5321): what it said to each mail, and what that means.

Loaded by the worker only.
"""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from enum import Enum
from types import TracebackType
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 20
_PORTS = {"smtp": 587, "smtps": 465}


class Answer(Enum):
    """What became of a mail: taken; refused for now; refused for good."""

    TAKEN = "taken"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer, and what the server said."""

    answer: Answer
    reply: str


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server as SMTP_URL names it. The password stays out of `repr`."""

    host: str
    port: int
    implicit_tls: bool
    starttls: bool
    user: str
    password: str

    def __repr__(self) -> str:
        """Host and port only."""
        return f"Server({self.host}:{self.port})"


def server_of(url: str) -> Server:
    """The server of an SMTP_URL (`portal.kernel.setting_values.smtp_url` has checked it)."""
    parts = urlsplit(url)
    return Server(
        parts.hostname or "",
        parts.port or _PORTS[parts.scheme],
        parts.scheme == "smtps",
        parts.query != "starttls=no",
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


class NoTls(smtplib.SMTPException):
    """The server offers no STARTTLS, and the settings do not say that it may go without."""


class Conversation:
    """A connection that is opened for the first mail and opened anew after it was lost."""

    def __init__(self, server: Server) -> None:
        """Nothing is connected yet."""
        self._server = server
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> Conversation:
        """Use it as a block, so that the connection is closed."""
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Say goodbye."""
        self._hang_up()

    def send(self, message: EmailMessage, sender: str, recipient: str) -> Outcome:
        """Hand one mail to the server, and say what became of it. Never raises for what the
        server, the network or the recipient did."""
        try:
            client = self._connected()
            refused = client.sendmail(sender, [recipient], message.as_bytes(policy=SMTP_POLICY))
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return _judged(code, text)
        except smtplib.SMTPDataError as error:
            return _judged(error.smtp_code, error.smtp_error)
        except smtplib.SMTPResponseException as error:
            # The server refuses us (sign-in, sender, greeting), not this mail: mended by people.
            self._hang_up()
            return Outcome(Answer.LATER, _said(error.smtp_code, error.smtp_error))
        except (smtplib.SMTPException, OSError) as error:
            self._hang_up()
            return Outcome(Answer.LATER, f"{type(error).__name__}: {error}"[:500])
        return Outcome(Answer.TAKEN, "" if not refused else str(refused)[:500])

    def _connected(self) -> smtplib.SMTP:
        if self._client is None:
            self._client = self._open()
        return self._client

    def _open(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context()
        client: smtplib.SMTP
        if server.implicit_tls:
            client = smtplib.SMTP_SSL(
                server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
        try:
            client.ehlo_or_helo_if_needed()
            if server.starttls and not server.implicit_tls:
                if not client.has_extn("starttls"):
                    raise NoTls("the server offers no STARTTLS")
                client.starttls(context=context)
                client.ehlo()
            if server.user:
                client.login(server.user, server.password)
        except BaseException:
            client.close()
            raise
        return client

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
            client.close()


def _judged(code: int, text: bytes | str) -> Outcome:
    return Outcome(Answer.NEVER if code >= 500 else Answer.LATER, _said(code, text))


def _said(code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {words}"[:500]
