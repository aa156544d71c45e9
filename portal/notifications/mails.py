"""What may be done with a mail by hand: give it another chance."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.phrases import phrase
from portal.notifications.kinds import FORM_LINK, MailState
from portal.notifications.models import Mail


def send_again(session: Session, mail_id: UUID, *, actor: Actor) -> None:
    """Put a mail that was given up, or waits after a failure, into the queue again. Its Message-ID
    stays. Raises `Conflict` for one in any other state."""
    row = session.scalars(sa.select(Mail).where(Mail.id == mail_id).with_for_update()).first()
    if row is None:
        raise NotFound("mail")
    if row.state not in (MailState.DEAD, MailState.FAILED):
        raise Conflict(
            phrase("This mail is sent, or about to be."),
            phrase("Reload the page to see what became of it."),
        )
    if not row.text:
        raise Conflict(
            phrase("A one-time link is not kept: it cannot be sent again."),
            phrase("Make a new link on the form's page.")
            if row.kind == FORM_LINK
            else phrase("Make a new link on the person's page."),
        )
    row.state, row.attempts, row.next_at = MailState.QUEUED, 0, clock.now()
    session.flush()
    record(
        session,
        "notifications.mail.again",
        ("mail", row.id),
        actor=actor,
        data={"kind": row.kind},
    )
