"""What a message is about: what people choose by whether it also comes as a mail."""

from __future__ import annotations

from enum import StrEnum


class MessageKind(StrEnum):
    """The kinds of message that a person can choose separately (UX 11)."""

    WORK = "work"
    """Something is asked for, returned, extended or cancelled."""
    REMINDER = "reminder"
    """A clock is about to run out."""
    OVERDUE = "overdue"
    """A clock ran out, or a vendor has not delivered a working day later (escalation)."""
    OTHER = "other"


class MailState(StrEnum):
    """A mail waits, is being sent, went out, failed for now, or is given up with the reason."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"


DIGEST = "digest"
"""The kind of a daily digest, beside those of messages."""
FORM_LINK = "form_link"
"""The kind of a mail with a one-time link, to somebody without an account."""
PASSWORD_LINK = "password_link"  # noqa: S105 - a kind of mail
"""The kind of a mail with a one-time link by which a person chooses the password."""
ONE_TIME = (FORM_LINK, PASSWORD_LINK)
"""Kinds whose text is blanked once the mail is sent or given up: the link is kept nowhere."""
