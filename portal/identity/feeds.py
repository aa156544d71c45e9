"""Secret addresses of calendar feeds: made, ended, and looked up without a sign-in (UX 12)."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.identity.mailing import FALLBACK_LOCALE
from portal.identity.models import CalendarFeed
from portal.kernel import clock
from portal.kernel.access import Role
from tenants.database import Database
from tenants.models import TenantKind
from tenants.scope import Login, Scope, bound

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class FeedOwner:
    """Whose feed an address is."""

    account_id: UUID
    tenant_id: UUID
    is_company: bool
    roles: frozenset[Role]
    locale: str

    @property
    def scope(self) -> Scope:
        """The scope in which the feed is read: the owner's own, as if signed in."""
        return Scope.company(self.tenant_id) if self.is_company else Scope.vendor(self.tenant_id)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def renew(session: Session, tenant_id: UUID, account_id: UUID) -> str:
    """Make a new secret address, ending the one there is; returns its token, which is not kept."""
    revoke(session, account_id)
    token = secrets.token_urlsafe(32)
    session.add(
        CalendarFeed(
            tenant_id=tenant_id,
            account_id=account_id,
            token_hash=_digest(token),
            created_at=clock.now(),
        )
    )
    session.flush()
    return token


def revoke(session: Session, account_id: UUID) -> None:
    """End the account's address: it answers like one that never was."""
    session.execute(
        sa.update(CalendarFeed)
        .where(CalendarFeed.account_id == account_id, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )


def find_owner(database: Database, token: str) -> FeedOwner | None:
    """Whose feed this is, by the one function that the public login may call; None for a token
    that ended or never was, and for a person or an organisation that is not active."""
    if not _TOKEN.fullmatch(token):
        return None
    with bound(Scope(Login.PUBLIC)), database.engine(Login.PUBLIC).connect() as connection:
        row = connection.execute(
            sa.text(
                "select account_id, tenant_id, tenant_kind, roles, locale"
                " from app.calendar_feed(:token)"
            ),
            {"token": _digest(token)},
        ).first()
    if row is None:
        return None
    return FeedOwner(
        row.account_id,
        row.tenant_id,
        row.tenant_kind == TenantKind.COMPANY,
        frozenset(Role(role) for role in row.roles),
        row.locale or FALLBACK_LOCALE,
    )
