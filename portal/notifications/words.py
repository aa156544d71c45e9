"""What kinds of messages and states of mails are called."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from portal.kernel.phrases import Phrase, phrase
from portal.notifications.kinds import DIGEST, FORM_LINK, PASSWORD_LINK, MailState, MessageKind

KIND_NAMES: Mapping[str, Phrase] = MappingProxyType(
    {
        MessageKind.WORK.value: phrase("New work and changes to it"),
        MessageKind.REMINDER.value: phrase("Reminders before a deadline"),
        MessageKind.OVERDUE.value: phrase("What is overdue"),
        MessageKind.OTHER.value: phrase("Other messages"),
        DIGEST: phrase("Daily digest"),
        FORM_LINK: phrase("One-time link"),
        PASSWORD_LINK: phrase("One-time link for a password"),
    }
)
MAIL_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        MailState.QUEUED.value: (phrase("Waiting to be sent"), "pending"),
        MailState.SENDING.value: (phrase("Being sent"), "info"),
        MailState.SENT.value: (phrase("Taken by the mail server"), "success"),
        MailState.FAILED.value: (phrase("Failed, is tried again"), "warning"),
        MailState.DEAD.value: (phrase("Given up"), "danger"),
    }
)
