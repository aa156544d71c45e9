"""Messages to a person or to the holders of a role, shown in the portal and sent by mail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.notifications.kinds import MessageKind
from tenants.rows import Base, TenantRow, id_index, one_of


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


class NotificationRead(TenantRow, Base):
    """Up to when a person has read the inbox. `id` is the account's id."""

    __tablename__ = "notification_reads"
    vendor_insert = True
    vendor_update = ("read_at",)

    read_at: Mapped[datetime]
