"""Who gets mails, which, and in which language: the choices of an account (UX 11, 14).

Everything here runs on the sign-in login, which alone sees addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.identity.models import Account
from portal.kernel.access import Role
from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase
from portal.notifications.kinds import MessageKind
from tenants.database import Database
from tenants.models import Tenant, TenantStatus
from tenants.prepared import Prepared
from tenants.scope import Login

FALLBACK_LOCALE = "zh_Hans_CN"


@dataclass(frozen=True, slots=True)
class MailChoice:
    """What comes at once (the other kinds only stand in the digest), and whether there is one."""

    at_once: frozenset[MessageKind] = frozenset(MessageKind)
    digest: bool = True

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> MailChoice:
        """As stored; what is not stored is the default: everything at once, and the digest."""
        kinds = stored.get("at_once")
        known = {kind.value for kind in MessageKind}
        return cls(
            frozenset(MessageKind)
            if kinds is None
            else frozenset(MessageKind(kind) for kind in kinds if kind in known),
            bool(stored.get("digest", True)),
        )

    def as_data(self) -> dict[str, Any]:
        """For storing."""
        return {"at_once": sorted(kind.value for kind in self.at_once), "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Addressee:
    """A person who may be written to."""

    account_id: UUID
    email: str
    name: str
    roles: frozenset[Role]
    locale: str
    choice: MailChoice


def addressees(session: Session, tenant_id: UUID) -> list[Addressee]:
    """The people of an active organisation whose accounts are active."""
    rows = session.scalars(
        sa.select(Account)
        .join(Tenant, Tenant.id == Account.tenant_id)
        .where(
            Account.tenant_id == tenant_id,
            Account.status == "active",
            Tenant.status == TenantStatus.ACTIVE,
        )
        .order_by(Account.id)
    )
    return [
        Addressee(
            row.id,
            row.email,
            row.name,
            frozenset(Role(role) for role in row.roles),
            row.locale or FALLBACK_LOCALE,
            MailChoice.of(row.mail_choice),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class OwnMail:
    """What the account's page shows: the choices, and since when there is a calendar feed."""

    choice: MailChoice
    feed_since: Any


_OWN = Prepared(
    sa.text(
        "select a.mail_choice, (select max(f.created_at) from calendar_feeds f"
        " where f.tenant_id = a.tenant_id and f.account_id = a.id and f.revoked_at is null)"
        " from accounts a where a.id = :account"
    )
)


def own(database: Database, account_id: UUID) -> OwnMail:
    """The choices of an account, read without a session beside the request's own."""
    row = database.lookup(Login.SIGN_IN, _OWN, {"account": account_id})
    return OwnMail(MailChoice.of(row[0] if row else {}), row[1] if row else None)


def choose(session: Session, account_id: UUID, choice: MailChoice, locale: str) -> None:
    """Keep a person's choices. Raises `Invalid` when nothing at all would be sent."""
    if not choice.digest and not choice.at_once:
        raise Invalid(
            phrase("You would get no mail at all, and miss deadlines."),
            phrase("Keep the digest, or at least one kind of mail."),
        )
    session.execute(
        sa.update(Account)
        .where(Account.id == account_id)
        .values(mail_choice=choice.as_data(), locale=locale)
    )
