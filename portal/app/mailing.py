"""From messages to mails: who is written to, what, and the daily digest. Worker only.

What goes to a vendor's people is read in that vendor's scope; addresses are seen by the sign-in
login alone; mails are written in the company's scope, which no vendor can read. Each step can be
repeated after a crash: a message gives one mail an account.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.dialects.postgresql import insert

from portal.app import digests, letters
from portal.app.outbox import queued
from portal.calendar import service as calendar_service
from portal.identity.mailing import Addressee, addressees
from portal.kernel import clock
from portal.kernel.settings import settings
from portal.kernel.withheld import NOTHING
from portal.notifications.kinds import DIGEST, MessageKind
from portal.notifications.models import DigestRun, MailOrder, Notification
from portal.notifications.sending import send_due
from portal.notifications.service import text_of
from portal.notifications.smtp import Conversation, server_of
from tenants.database import Database, ScopedSession
from tenants.models import Tenant, TenantStatus
from tenants.rows import new_id
from tenants.scope import Login, Scope, bound

BATCH = 200


@dataclass(frozen=True, slots=True)
class Post:
    """Where mails are made: the application (words), the database, the company."""

    app: Flask
    database: Database
    company_id: UUID

    @contextmanager
    def company(self) -> Iterator[ScopedSession]:
        """A session in the company's scope."""
        with bound(Scope.company(self.company_id)), self.database.session() as session:
            yield session

    @contextmanager
    def of(self, tenant_id: UUID) -> Iterator[ScopedSession]:
        """A session in the scope of a vendor, or of the company if it is its id."""
        own = tenant_id == self.company_id
        scope = Scope.company(tenant_id) if own else Scope.vendor(tenant_id)
        with bound(scope), self.database.session() as session:
            yield session

    def people(self, tenant_id: UUID) -> list[Addressee]:
        """Who of an organisation may be written to."""
        with bound(Scope(Login.SIGN_IN)), self.database.session() as session:
            return addressees(session, tenant_id)

    def run(self) -> int:
        """One round: put waiting messages into mails, then send what is due; returns how many
        mails the server took. Without a mail server nothing happens."""
        if not settings().smtp_url:
            return 0
        with self.company() as session:
            tenants = session.scalars(
                sa.select(MailOrder.tenant_id)
                .where(MailOrder.expanded_at.is_(None))
                .distinct()
                .limit(BATCH)
            ).all()
        for tenant_id in tenants:
            self._expand(tenant_id)
        with Conversation(server_of(settings().smtp_url)) as talk:
            return send_due(
                self.company, talk, sender=settings().mail_from, brand=self.app.config["BRAND"]
            )

    def _expand(self, tenant_id: UUID) -> None:
        with self.of(tenant_id) as session:
            waiting = session.scalars(
                sa.select(Notification)
                .join(
                    MailOrder,
                    sa.and_(
                        MailOrder.tenant_id == Notification.tenant_id,
                        MailOrder.id == Notification.id,
                    ),
                )
                .where(MailOrder.tenant_id == tenant_id, MailOrder.expanded_at.is_(None))
                .order_by(Notification.id)
                .limit(BATCH)
            ).all()
        people = self.people(tenant_id)
        with self.company() as session:
            kept = {
                person.account_id: digests.withheld_of(session, tenant_id, person)
                for person in people
                if waiting and tenant_id == self.company_id
            }
            for message in waiting:
                kind = MessageKind(message.kind)
                note = letters.Note(text_of(message), message.path)
                for person in people:
                    held = {role.value for role in person.roles}
                    if kept.get(person.account_id, NOTHING).tells(message.path, message.params):
                        continue
                    if kind in person.choice.at_once and not held.isdisjoint(message.roles):
                        letter = letters.message_letter(self.app, person, note)
                        _write(session, tenant_id, message.id, person, kind.value, letter)
            session.execute(
                sa.update(MailOrder)
                .where(
                    MailOrder.tenant_id == tenant_id,
                    MailOrder.id.in_([message.id for message in waiting]),
                )
                .values(expanded_at=clock.now())
            )
            session.commit()

    def digest(self) -> int:
        """Write the day's digests, once a working day from the set time on; returns how many."""
        today, now = clock.today(), clock.now()
        if not settings().smtp_url or now < _at(today):
            return 0
        with self.company() as session:
            calendar = calendar_service.load(session)
            done = session.scalar(sa.select(DigestRun.id).where(DigestRun.day == today))
            last = session.scalar(sa.select(sa.func.max(DigestRun.day)))
            if done or not calendar.is_worked(today) or now > calendar.close_on(today):
                return 0
            tenants = session.scalars(
                sa.select(Tenant.id).where(Tenant.status == TenantStatus.ACTIVE)
            ).all()
        since = _at(last) if last else now - digests.FIRST
        written = sum(self._digests(tenant_id, today, since) for tenant_id in tenants)
        with self.company() as session:
            session.execute(
                insert(DigestRun)
                .values(tenant_id=self.company_id, id=new_id(), day=today, mails=written)
                .on_conflict_do_nothing()
            )
            session.commit()
        return written

    def _digests(self, tenant_id: UUID, today: date, since: datetime) -> int:
        people = [person for person in self.people(tenant_id) if person.choice.digest]
        if not people:
            return 0
        with self.of(tenant_id) as session:
            company = tenant_id == self.company_id
            found = [
                (person, digests.sections(session, tenant_id, person, since, company=company))
                for person in people
            ]
        written = [(person, made) for person, made in found if not made.empty]
        with self.company() as session:
            for person, made in written:
                order_id = uuid5(person.account_id, today.isoformat())
                letter = letters.digest_letter(self.app, person, made)
                _write(session, tenant_id, order_id, person, DIGEST, letter)
            session.commit()
        return len(written)


def _at(day: date) -> datetime:
    start = settings().digest_at
    return clock.at_beijing(day, start.hour, start.minute)


def _write(
    session: ScopedSession,
    tenant_id: UUID,
    order_id: UUID,
    person: Addressee,
    kind: str,
    letter: letters.Letter,
) -> None:
    """Add a mail unless the account has one of this message already."""
    session.execute(queued(tenant_id, order_id, person, kind, letter).on_conflict_do_nothing())
