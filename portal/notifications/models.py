"""Messages to a person or to the holders of a role, shown in the portal and sent by mail."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.notifications.kinds import MailState, MessageKind
from tenants.rows import Base, CompanyRow, TenantRow, id_index, one_of, tenant_fk


class Notification(TenantRow, Base):
    """A message in a tenant's inbox. Holds a number and a link, never a debtor's data (UX 11).

    `roles` says who of the tenant is meant; `template` and `params` are translated for the reader.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        one_of("kind", MessageKind),
        sa.Index("ix_notifications_tenant_at", "tenant_id", "at", "id"),
        id_index("notifications"),
    )
    vendor_insert = True

    at: Mapped[datetime]
    roles: Mapped[list[str]] = mapped_column(JSONB)
    template: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    path: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default=MessageKind.OTHER.value)


class MailOrder(TenantRow, Base):
    """The outbox: a message that is to go out by mail as well. Written with the message; `id` is
    the message's. The worker finds out to whom, and in which language (`expanded_at`)."""

    __tablename__ = "mail_orders"
    __table_args__ = (
        tenant_fk("id", "notifications"),
        sa.Index(
            "ix_mail_orders_waiting",
            "tenant_id",
            "id",
            postgresql_where=sa.text("expanded_at IS NULL"),
        ),
        id_index("mail_orders"),
    )
    vendor_insert = True

    queued_at: Mapped[datetime]
    expanded_at: Mapped[datetime | None]


class Mail(CompanyRow, Base):
    """One mail to one person, as it is sent; no vendor sees it. `tenant_id` is the person's.

    `order_id` is the message, or the digest's day and person made an id: one mail of each goes to
    an account. The Message-ID never changes, so that a mail that is sent twice (the worker died
    between sending and noting it) is known as the same. `reply` is the server's last answer.
    """

    __tablename__ = "mails"
    __table_args__ = (
        one_of("state", MailState),
        sa.UniqueConstraint("tenant_id", "order_id", "account_id"),
        sa.Index(
            "ix_mails_due",
            "next_at",
            "id",
            postgresql_where=sa.text("state IN ('queued', 'sending', 'failed')"),
        ),
        sa.Index("ix_mails_created", "created_at", "id"),
        id_index("mails"),
    )
    company_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    order_id: Mapped[UUID]
    account_id: Mapped[UUID]
    kind: Mapped[str]
    address: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    message_id: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    reply: Mapped[str] = mapped_column(default="")


class DigestRun(CompanyRow, Base):
    """A day whose digests are written. `tenant_id` is the company's."""

    __tablename__ = "digest_runs"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "day"),)

    day: Mapped[date]
    mails: Mapped[int]


class NotificationRead(TenantRow, Base):
    """Up to when a person has read the inbox. `id` is the account's id."""

    __tablename__ = "notification_reads"
    vendor_insert = True
    vendor_update = ("read_at",)

    read_at: Mapped[datetime]
