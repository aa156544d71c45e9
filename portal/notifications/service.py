"""Put a message into a tenant's inbox, and read the inbox."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.phrases import Phrase, When
from portal.kernel.settings import settings
from portal.kernel.withheld import withheld_from
from portal.notifications.kinds import MessageKind
from portal.notifications.models import MailOrder, Notification, NotificationRead
from tenants.prepared import Asked, Prepared
from tenants.rows import new_id

INBOX = 50


def notify(
    session: Session,
    *,
    tenant_id: UUID,
    roles: Iterable[Role],
    message: Phrase,
    path: str,
    kind: MessageKind = MessageKind.OTHER,
) -> None:
    """Tell the holders of `roles` in a tenant, by mail too where a mail server is set.

    `message` holds numbers and times, never a debtor's data (UX 11); `path` is the page to open,
    `kind` what it is about.
    """
    made = Notification(
        tenant_id=tenant_id,
        id=new_id(),
        at=clock.now(),
        roles=sorted(role.value for role in roles),
        template=message.msgid,
        params=_stored(message),
        path=path,
        kind=kind.value,
    )
    session.add(made)
    session.flush()
    if settings().smtp_url:
        session.add(MailOrder(tenant_id=tenant_id, id=made.id, queued_at=made.at))
        session.flush()


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the inbox shows it."""

    id: UUID
    at: datetime
    text: Phrase
    path: str
    unread: bool


def _for(actor: Actor) -> sa.ColumnElement[bool]:
    return sa.and_(
        Notification.tenant_id == actor.tenant_id,
        Notification.roles.has_any(sa.cast([r.value for r in actor.roles], _TEXTS)),
    )


_TEXTS: Any = sa.ARRAY(sa.Text)


def inbox(session: Session, actor: Actor) -> list[Message]:
    """The newest messages of the actor, without those that tell of what is withheld from them."""
    kept = withheld_from(session, actor)
    read_at = session.scalar(
        sa.select(NotificationRead.read_at).where(
            NotificationRead.tenant_id == actor.tenant_id, NotificationRead.id == actor.account_id
        )
    )
    rows = session.scalars(
        sa.select(Notification).where(_for(actor)).order_by(Notification.at.desc()).limit(INBOX)
    )
    return [
        Message(
            row.id,
            row.at,
            text_of(row),
            row.path,
            read_at is None or row.at > read_at,
        )
        for row in rows
        if not kept.tells(row.path, row.params)
    ]


def _stored(message: Phrase) -> dict[str, str | dict[str, str]]:
    """The parameters as data; the one that the message counts by has the words for one thing."""
    kept = {key: _kept(value) for key, value in message.params.items()}
    if message.one:
        kept[message.by] = {"count": str(message.params[message.by]), "one": message.one}
    return kept


def _kept(value: object) -> str | dict[str, str]:
    """A parameter as it is stored: a day or a moment stays one, for each reader's calendar."""
    if isinstance(value, When):
        moment = isinstance(value.value, datetime)
        return {"moment" if moment else "day": value.value.isoformat()}
    return str(value)


def text_of(row: Notification) -> Phrase:
    """A stored message, to be read in any language: its days and moments as the reader writes
    them. What was stored before as a text stays one."""
    params = {key: _read(value) for key, value in row.params.items()}
    for key, value in row.params.items():
        match value:
            case {"count": str(count), "one": str(one)}:
                return Phrase(row.template, {**params, key: count}, one, key)
    return Phrase(row.template, params)


def _read(value: object) -> object:
    match value:
        case {"moment": str(text)}:
            return When(datetime.fromisoformat(text))
        case {"day": str(text)}:
            return When(date.fromisoformat(text))
    return value


_READ, _SENT = NotificationRead.__table__.c, Notification.__table__.c
_TENANT: sa.BindParameter[UUID] = sa.bindparam("tenant", None, type_=sa.Uuid())
_UNREAD = Prepared(
    sa.select(sa.func.count()).select_from(
        sa.select(_SENT.id)
        .where(
            _SENT.tenant_id == _TENANT,
            _SENT.roles.has_any(sa.bindparam("roles", None, type_=_TEXTS)),
            _SENT.at
            > sa.func.coalesce(
                sa.select(_READ.read_at)
                .where(
                    _READ.tenant_id == _TENANT,
                    _READ.id == sa.bindparam("person", None, type_=sa.Uuid()),
                )
                .scalar_subquery(),
                sa.text("'-infinity'::timestamptz"),
            ),
        )
        .limit(100)
        .subquery()
    )
)
"""Over tables, not entities, and built once: every page asks it. It names its tenant itself."""


def unread(session: Session, actor: Actor) -> Asked:
    """How many messages came since the inbox was last opened (`count_of`; at most 100 are counted).

    Only asked for: the number travels with what else the page reads.
    """
    values = {
        "tenant": actor.tenant_id,
        "person": actor.account_id,
        "roles": [role.value for role in actor.roles],
    }
    return _UNREAD.asked(session, values)


def count_of(unread: Asked) -> int:
    """The number that was asked for."""
    return int(unread.rows()[0][0])


def mark_read(session: Session, actor: Actor) -> None:
    """Note that the actor has seen the inbox now."""
    row = session.get(NotificationRead, (actor.tenant_id, actor.account_id))
    if row is None:
        session.add(
            NotificationRead(tenant_id=actor.tenant_id, id=actor.account_id, read_at=clock.now())
        )
    else:
        row.read_at = clock.now()
    session.flush()
