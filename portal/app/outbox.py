"""How a letter gets into the outbox."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.dialects.postgresql import Insert, insert

from portal.app import letters
from portal.identity.mailing import Addressee
from portal.kernel import clock
from portal.kernel.settings import settings
from portal.notifications.kinds import MailState
from portal.notifications.models import Mail
from tenants.rows import new_id


def queued(
    tenant_id: UUID, order_id: UUID, person: Addressee, kind: str, letter: letters.Letter
) -> Insert:
    """The statement that adds a mail to one person, due at once."""
    mail_id, now = new_id(), clock.now()
    return insert(Mail).values(
        tenant_id=tenant_id,
        id=mail_id,
        order_id=order_id,
        account_id=person.account_id,
        kind=kind,
        address=person.email,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=letters.message_id(mail_id, settings().mail_from),
        state=MailState.QUEUED,
        attempts=0,
        created_at=now,
        next_at=now,
        reply="",
    )
