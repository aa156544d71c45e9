"""One-time links by which people choose their own password: made, sent, revoked, used.

Nobody else ever types or sees a password. The token is known to the mail (or, without a mail
server, to the page that shows it once); the database keeps its SHA-256. Everything here runs on the
sign-in login.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.identity.models import Account, PasswordLink
from portal.identity.rules import LINKS_AN_HOUR, VALID_FOR, LinkPurpose
from portal.identity.service import choose_password, company_id_of
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, NotFound, PortalError
from portal.kernel.events import Event, publish
from portal.kernel.phrases import When, phrase
from tenants.models import Tenant, TenantStatus
from tenants.rows import new_id

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class LinkOver(PortalError):
    """A link that was good once. Told only to who holds its token, so that they know what to do."""

    status = 410


class TooManyLinks(PortalError):
    """So many links are not made for one person."""

    status = 429


@dataclass(frozen=True, slots=True)
class PasswordLinkMailed(Event):
    """A link (`subject_id`) is to go out by mail: the one moment at which its token is known."""

    account: Account
    purpose: LinkPurpose
    token: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """An open link and whose it is."""

    link: PasswordLink
    account: Account
    organisation: str


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def make(session: Session, account: Account, *, mailed: bool, actor: Actor) -> str:
    """Make a link for a person, ending the one there is; returns its token, which is not kept.

    An invitation until a password is chosen, a link for a new password afterwards. `mailed`: it
    goes out by mail in this transaction. The caller holds the account locked. Raises `Conflict` for
    an account that is disabled, `TooManyLinks` beyond five in an hour.
    """
    if account.status != "active":
        raise Conflict(
            phrase("This account is disabled."), phrase("Enable it first, then send a link.")
        )
    _check_limit(session, account)
    end_open(session, account)
    purpose = LinkPurpose.RESET if account.password_set_at else LinkPurpose.INVITATION
    token, at = secrets.token_urlsafe(32), clock.now()
    row = PasswordLink(
        tenant_id=account.tenant_id,
        id=new_id(),
        account_id=account.id,
        purpose=purpose.value,
        token_hash=_digest(token),
        made_at=at,
        made_by=actor.account_id,
        made_by_name=actor.name,
        mailed=mailed,
        expires_at=at + VALID_FOR[purpose],
    )
    session.add(row)
    session.flush()
    _record(session, "made", row, actor, mailed=mailed)
    if mailed:
        event = PasswordLinkMailed(row.tenant_id, row.id, account, purpose, token, row.expires_at)
        publish(session, event, actor)
    return token


def _check_limit(session: Session, account: Account) -> None:
    made = session.scalar(
        sa.select(sa.func.count()).where(
            PasswordLink.tenant_id == account.tenant_id,
            PasswordLink.account_id == account.id,
            PasswordLink.made_at > clock.now() - timedelta(hours=1),
        )
    )
    if (made or 0) >= LINKS_AN_HOUR:
        raise TooManyLinks(
            phrase("Too many links were made for this person within an hour."),
            phrase("Ask the person to look for the last mail, or wait an hour."),
        )


def end_open(session: Session, account: Account) -> PasswordLink | None:
    """Revoke the person's open link and return it; None when there is none."""
    row = session.scalars(
        sa.select(PasswordLink).where(
            PasswordLink.tenant_id == account.tenant_id,
            PasswordLink.account_id == account.id,
            PasswordLink.used_at.is_(None),
            PasswordLink.revoked_at.is_(None),
        )
    ).first()
    if row is not None:
        row.revoked_at = clock.now()
        session.flush()
    return row


def revoke(session: Session, account: Account, *, actor: Actor) -> None:
    """End the person's open link by hand. Raises `Conflict` when there is none."""
    row = end_open(session, account)
    if row is None:
        raise Conflict(
            phrase("There is no open link."), phrase("It was used, replaced or revoked already.")
        )
    _record(session, "revoked", row, actor)


def find(session: Session, token: str) -> Found:
    """The open link of a token. Raises `NotFound` for one that never was, `LinkOver` for one that
    was used, replaced or revoked, ran out, or whose account is disabled."""
    if not _TOKEN.fullmatch(token):
        raise NotFound("password link")
    row = session.execute(
        sa.select(PasswordLink, Account, Tenant)
        .join(
            Account,
            sa.and_(
                Account.tenant_id == PasswordLink.tenant_id, Account.id == PasswordLink.account_id
            ),
        )
        .join(Tenant, Tenant.id == PasswordLink.tenant_id)
        .where(PasswordLink.token_hash == _digest(token))
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound("password link")
    link, account, tenant = row
    _check_open(link, account, tenant)
    return Found(link, account, tenant.short_name)


def owner_locale(session: Session, token: str) -> str:
    """The language of the person whose link this is or was; "" for none."""
    found = session.scalar(
        sa.select(Account.locale)
        .join(
            PasswordLink,
            sa.and_(
                Account.tenant_id == PasswordLink.tenant_id, Account.id == PasswordLink.account_id
            ),
        )
        .where(PasswordLink.token_hash == _digest(token))
    )
    return found or ""


def _check_open(link: PasswordLink, account: Account, tenant: Tenant) -> None:
    if link.used_at is not None:
        raise LinkOver(
            phrase("This link was used already: a password was chosen with it."),
            phrase(
                "Sign in with that password. If it was not you who chose it, tell your"
                " administrator at once."
            ),
        )
    if account.status != "active" or tenant.status != TenantStatus.ACTIVE:
        raise LinkOver(
            phrase("This account is disabled."), phrase("Ask the company's administrator.")
        )
    if link.revoked_at is not None:
        raise LinkOver(
            phrase("This link was replaced by a later one, or taken back."),
            phrase("Open the later mail, or ask the company's administrator for a new link."),
        )
    if link.expires_at <= clock.now():
        raise LinkOver(
            phrase("This link could be used until %(until)s.", until=When(link.expires_at)),
            phrase("Ask the company's administrator for a new link."),
        )


def use(session: Session, token: str, password: str) -> None:
    """Choose the password by a link, once; the person's sessions end. Raises as `find`, and
    `Invalid` for a password that is too short."""
    waiting = find(session, token).account
    session.execute(sa.select(Account.id).where(Account.id == waiting.id).with_for_update())
    # Once more: whoever held the account locked until now may have used or ended the link.
    found = find(session, token)
    account, company_id = found.account, company_id_of(session)
    choose_password(session, account, password)
    found.link.used_at = clock.now()
    account.version += 1
    session.flush()
    roles = frozenset(Role(role) for role in account.roles)
    person = Actor(account.id, account.name, account.tenant_id, company_id, roles)
    _record(session, "used", found.link, person)


def _record(session: Session, verb: str, row: PasswordLink, actor: Actor, **data: bool) -> None:
    record(
        session,
        f"identity.link.{verb}",
        ("account", row.account_id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"purpose": row.purpose, **data},
    )
