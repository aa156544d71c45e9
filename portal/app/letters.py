"""The words of mails, in the language of who gets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.identity.mailing import Addressee
from portal.kernel.phrases import Phrase
from portal.kernel.settings import settings

MOST_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's three texts."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a digest: what, and the page to open."""

    text: str
    link: str


@dataclass(frozen=True, slots=True)
class Note:
    """A message to be put into words: its text in any language, and the page it opens."""

    message: Phrase
    path: str


@dataclass(frozen=True, slots=True)
class DigestSections:
    """What stands in a digest: lines of what is overdue, due soon, open, and messages."""

    overdue: Sequence[Note] = ()
    soon: Sequence[Note] = ()
    open: Sequence[Note] = ()
    messages: Sequence[Note] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to say."""
        return not (self.overdue or self.soon or self.open or self.messages)


def message_id(mail_id: UUID, sender: str) -> str:
    """The Message-ID of a mail: the same however often it is sent."""
    domain = sender.rpartition("@")[2] or urlsplit(settings().base_url).hostname or "localhost"
    return f"<{mail_id}@{domain}>"


def message_letter(app: Flask, person: Addressee, note: Note) -> Letter:
    """A message as a mail."""
    with app.app_context(), force_locale(person.locale):
        subject = str(note.message)
        return _rendered(
            app,
            "message",
            person,
            subject,
            body=subject,
            link=f"{settings().base_url}{note.path}",
        )


def link_letter(app: Flask, person: Addressee, note: Note) -> Letter:
    """A one-time link as a mail: no name, no number, no account to choose mails in."""
    with force_locale(person.locale):
        subject = str(note.message)
        values = {
            "subject": subject,
            "body": subject,
            "link": f"{settings().base_url}{note.path}",
            "footer": _("Written by the portal; answers are read by nobody."),
            "lang": person.locale.replace("_", "-"),
        }
        environment = app.jinja_env
        return Letter(
            f"[{app.config['BRAND']}] {subject}"[:MOST_SUBJECT],
            environment.get_template("emails/link.txt").render(values),
            environment.get_template("emails/link.html").render(values),
        )


def digest_letter(app: Flask, person: Addressee, found: DigestSections) -> Letter:
    """The daily digest."""
    with app.app_context(), force_locale(person.locale):
        parts = (
            (_("Overdue"), found.overdue),
            (_("Due within a day"), found.soon),
            (_("Open"), found.open),
            (_("Messages since the last digest"), found.messages),
        )
        sections = [
            (str(title), [Line(str(n.message), f"{settings().base_url}{n.path}") for n in notes])
            for title, notes in parts
            if notes
        ]
        subject = _(
            "Today: %(overdue)s overdue, %(soon)s due within a day, %(open)s open",
            overdue=len(found.overdue),
            soon=len(found.soon),
            open=len(found.open),
        )
        return _rendered(app, "digest", person, str(subject), sections=sections, open=_("Open"))


def _rendered(app: Flask, name: str, person: Addressee, subject: str, **more: object) -> Letter:
    values = {
        "subject": subject,
        "greeting": _("Dear %(name)s,", name=person.name),
        "footer": _("Written by the portal; answers are read by nobody. Choose your mails here:"),
        "account": f"{settings().base_url}/account",
        "lang": person.locale.replace("_", "-"),
        **more,
    }
    environment = app.jinja_env
    return Letter(
        f"[{app.config['BRAND']}] {subject}"[:MOST_SUBJECT],
        environment.get_template(f"emails/{name}.txt").render(values),
        environment.get_template(f"emails/{name}.html").render(values),
    )
