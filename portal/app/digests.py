"""What stands in a person's daily digest; read in the scope of the person's organisation."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.app.feeds import VENDOR_ROLES, kinds_of
from portal.app.letters import DigestSections, Note
from portal.app.reminders import path_of
from portal.audits.reviews.blind import withheld
from portal.deadlines.models import Deadline
from portal.deadlines.rules import SOON, DeadlineState
from portal.identity.mailing import Addressee
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.phrases import When, phrase
from portal.kernel.withheld import NOTHING, Withheld
from portal.notifications.kinds import MessageKind
from portal.notifications.models import Notification
from portal.notifications.service import text_of
from tenants.database import ScopedSession

FIRST = timedelta(days=1)
"""How far back the first digest of an installation looks for messages."""
MOST = 200


def sections(
    session: ScopedSession, tenant_id: UUID, person: Addressee, since: datetime, *, company: bool
) -> DigestSections:
    """A vendor's people: what the vendor owes. The company's: what the company owes, and what
    vendors have not met, of the kinds that the person follows up. Both: the messages since the
    last digest that the person did not get at once. Nothing that is withheld from the person."""
    now = clock.now()
    kept = withheld_of(session, tenant_id, person) if company else NOTHING
    rows = [
        row
        for row in _clocks(session, tenant_id, person, company=company)
        if row.subject_id not in kept.subjects
    ]
    due = [(row, _note(row)) for row in rows]
    return DigestSections(
        [note for row, note in due if row.due_at < now],
        [note for row, note in due if now <= row.due_at <= now + SOON],
        [note for row, note in due if row.due_at > now + SOON],
        _messages(session, tenant_id, person, since, kept),
    )


def withheld_of(session: ScopedSession, company_id: UUID, person: Addressee) -> Withheld:
    """What no mail tells a person of the company of for the time being (company scope)."""
    return withheld(
        session, Actor(person.account_id, person.name, company_id, company_id, person.roles)
    )


def _clocks(
    session: ScopedSession, tenant_id: UUID, person: Addressee, *, company: bool
) -> list[Deadline]:
    statement = sa.select(Deadline).where(
        Deadline.state.in_((DeadlineState.OPEN, DeadlineState.BREACHED)),
        Deadline.met_at.is_(None),
    )
    if company:
        late_or_own = sa.or_(Deadline.owed_by == "company", Deadline.due_at < clock.now())
        statement = statement.where(Deadline.kind.in_(kinds_of(person.roles)), late_or_own)
    elif person.roles & VENDOR_ROLES:
        statement = statement.where(Deadline.tenant_id == tenant_id, Deadline.owed_by == "vendor")
    else:
        return []
    return list(session.scalars(statement.order_by(Deadline.due_at, Deadline.id).limit(MOST)))


def _note(row: Deadline) -> Note:
    message = phrase(
        "%(label)s, due %(due)s",
        label=row.label,
        due=When(row.due_at),
    )
    return Note(message, path_of(row.kind, row.subject_id))


def _messages(
    session: ScopedSession, tenant_id: UUID, person: Addressee, since: datetime, kept: Withheld
) -> list[Note]:
    kinds = [kind.value for kind in MessageKind if kind not in person.choice.at_once]
    if not kinds:
        return []
    roles = sa.cast([role.value for role in person.roles], sa.ARRAY(sa.Text))
    rows = session.scalars(
        sa.select(Notification)
        .where(
            Notification.tenant_id == tenant_id,
            Notification.at > since,
            Notification.kind.in_(kinds),
            Notification.roles.has_any(roles),
        )
        .order_by(Notification.at)
        .limit(MOST)
    )
    return [Note(text_of(row), row.path) for row in rows if not kept.tells(row.path, row.params)]
