"""Send the mails that wait (company scope): claim, converse, note. Loaded by the worker only.

A mail is claimed and committed before a byte is sent, so that two workers never send the same one.
A worker that dies between the server's "250" and the note leaves the claim; after `LEASE` the mail
is sent once more, with the same Message-ID: at least once, never silently lost.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.notifications.kinds import ONE_TIME, MailState
from portal.notifications.models import Mail
from portal.notifications.smtp import Answer, Conversation, Outcome

LEASE = timedelta(minutes=10)
BATCH = 20
WAITS = tuple(timedelta(minutes=m) for m in (1, 5, 15, 60, 180, 360, 720))
"""How long is waited after each failure; after the last wait's failure the mail is given up."""

Sessions = Callable[[], AbstractContextManager[Session]]


def claim(session: Session, limit: int = BATCH) -> list[Mail]:
    """Take mails that are due, oldest first; those of a worker that died are taken again."""
    now = clock.now()
    waiting = sa.and_(Mail.state.in_((MailState.QUEUED, MailState.FAILED)), Mail.next_at <= now)
    abandoned = sa.and_(Mail.state == MailState.SENDING, Mail.claimed_at < now - LEASE)
    rows = session.scalars(
        sa.select(Mail)
        .where(sa.or_(waiting, abandoned))
        .order_by(Mail.next_at, Mail.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.state, row.claimed_at, row.attempts = MailState.SENDING, now, row.attempts + 1
    session.flush()
    return list(rows)


def note(session: Session, mail_id: UUID, claimed_at: datetime, outcome: Outcome) -> None:
    """Write down what became of a claimed mail; a claim that another worker took since is left."""
    row = session.scalars(
        sa.select(Mail)
        .where(Mail.id == mail_id, Mail.claimed_at == claimed_at, Mail.state == MailState.SENDING)
        .with_for_update()
    ).first()
    if row is None:
        return
    now = clock.now()
    row.reply = outcome.reply
    if outcome.answer is Answer.TAKEN:
        row.state, row.sent_at = MailState.SENT, now
    elif outcome.answer is Answer.NEVER or row.attempts > len(WAITS):
        row.state = MailState.DEAD
    else:
        row.state, row.next_at = MailState.FAILED, now + WAITS[row.attempts - 1]
    if row.kind in ONE_TIME and row.state in (MailState.SENT, MailState.DEAD):
        row.text = row.html = ""  # the secret address is kept nowhere
    session.flush()


def composed(mail: Mail, *, sender: str, brand: str) -> EmailMessage:
    """The mail as it goes over the wire: text and HTML, no tracking, no attachment."""
    message = EmailMessage()
    message["From"] = formataddr((brand, sender))
    message["To"] = mail.address
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text, cte="base64")
    message.add_alternative(mail.html, subtype="html", cte="base64")
    return message


def send_due(sessions: Sessions, talk: Conversation, *, sender: str, brand: str) -> int:
    """Send one batch of mails that are due; returns how many the server took."""
    with sessions() as session:
        mails = claim(session)
        session.commit()
    taken = 0
    for mail in mails:
        outcome = talk.send(composed(mail, sender=sender, brand=brand), sender, mail.address)
        taken += outcome.answer is Answer.TAKEN
        with sessions() as session:
            note(session, mail.id, mail.claimed_at or clock.now(), outcome)
            session.commit()
    return taken
