"""Accounts, sign-in and server-side sessions. Everything here runs on the sign-in login."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.identity.models import Account, Appointment, SignInAttempt, SignInSession
from portal.identity.rules import (
    check_password,
    check_roles,
    email_of,
    ground_of,
    name_of,
    normalise_email,
)
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role, system_actor
from portal.kernel.errors import Conflict, Invalid, PortalError
from portal.kernel.phrases import phrase
from tenants.database import Database
from tenants.models import Tenant, TenantKind, TenantStatus
from tenants.prepared import Prepared
from tenants.rows import new_id
from tenants.scope import Login, Scope, bound

IDLE = timedelta(hours=4)
LIFETIME = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
WINDOW = timedelta(minutes=15)
PER_EMAIL = 8
PER_ADDRESS = 60

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _hasher.hash(secrets.token_hex(16))


class SignInRefused(PortalError):
    """Wrong e-mail or password: the answer does not tell which."""

    status = 422


class TooManyAttempts(PortalError):
    """The limit on failed attempts is reached."""

    status = 429


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed-in person: the actor, the session and what its page header needs."""

    actor: Actor
    session_id: UUID
    organisation: str
    email: str


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


class AddressInUse(Conflict):
    """An account has this e-mail address; whose, and where, is not told."""


def _in_use() -> AddressInUse:
    return AddressInUse(
        phrase("This e-mail address is in use already."),
        phrase("Use another address of the person, or look among the people for the account."),
    )


def create_account(
    session: Session,
    *,
    tenant_id: UUID,
    email: str,
    name: str,
    roles: Iterable[Role],
    password: str | None,
    locale: str | None = None,
    ground: str = "",
    actor: Actor | None = None,
) -> Account:
    """Add a person and put the roles on record as appointments (rule A1). The company's roles go to
    the company's people only, and the vendor's to a vendor's. Without a `password` the person
    chooses one by a one-time link. `actor` is None for a command. Raises `Invalid`, `AddressInUse`.
    """
    kind = session.scalar(sa.select(Tenant.kind).where(Tenant.id == tenant_id))
    wanted = check_roles(roles, company=kind == TenantKind.COMPANY)
    if password is not None:
        check_password(password)
    account = Account(
        tenant_id=tenant_id,
        id=new_id(),
        email=email_of(email),
        name=name_of(name),
        roles=sorted(role.value for role in wanted),
        password_hash=_hasher.hash(secrets.token_hex(32) if password is None else password),
        password_set_at=None if password is None else clock.now(),
        status="active",
        locale=locale,
        created_at=clock.now(),
    )
    _store(session, account)
    by = actor or system_actor(company_id_of(session))
    for role in sorted(wanted):
        appoint(session, account, role, ground=ground_of(ground), actor=by)
    record(
        session,
        "identity.account.added",
        ("account", account.id),
        actor=by,
        tenant_id=tenant_id,
        data={"roles": account.roles},
    )
    return account


def _store(session: Session, account: Account) -> None:
    """Write an account with a new address. Raises `AddressInUse`."""
    same = sa.select(Account.id).where(Account.email == account.email, Account.id != account.id)
    with session.no_autoflush:
        if session.scalar(same) is not None:
            raise _in_use()
    try:
        with session.begin_nested():
            session.add(account)
    except IntegrityError as error:  # somebody else took the address at the same moment
        raise _in_use() from error


def correct_address(session: Session, account: Account, *, name: str, email: str) -> None:
    """Mend the name and address of somebody who has not chosen a password yet: whoever has is
    never given another's mailbox. Raises `Conflict`, `Invalid`, `AddressInUse`."""
    if account.password_set_at is not None:
        raise Conflict(
            phrase("This person has chosen a password already."),
            phrase("For another address, disable this account and add the person anew."),
        )
    account.name, account.email = name_of(name), email_of(email)
    _store(session, account)


def company_id_of(session: Session) -> UUID:
    """The company's reserved tenant, on the sign-in login."""
    return session.scalars(sa.select(Tenant.id).where(Tenant.kind == TenantKind.COMPANY)).one()


def appoint(session: Session, account: Account, role: Role, *, ground: str, actor: Actor) -> None:
    """Put on record that a person holds a role from now on, and who named them (rule A1)."""
    session.add(
        Appointment(
            tenant_id=account.tenant_id,
            account_id=account.id,
            role=role.value,
            since=clock.now(),
            named_by=actor.account_id,
            named_by_name=actor.name,
            ground=ground,
        )
    )
    session.flush()


def _check_limits(session: Session, email: str, address: str) -> None:
    since = clock.now() - WINDOW
    counts = session.execute(
        sa.select(
            sa.func.count().filter(SignInAttempt.email_digest == _digest(email)),
            sa.func.count().filter(SignInAttempt.address_digest == _digest(address)),
        ).where(
            SignInAttempt.at > since,
            sa.or_(
                SignInAttempt.email_digest == _digest(email),
                SignInAttempt.address_digest == _digest(address),
            ),
        )
    ).one()
    if counts[0] >= PER_EMAIL or counts[1] >= PER_ADDRESS:
        raise TooManyAttempts(
            phrase("Too many failed attempts."),
            phrase("Wait 15 minutes, then try again."),
        )


def sign_in(session: Session, email: str, password: str, address: str) -> str:
    """Check a password and open a session; returns the token for the cookie.

    Raises `SignInRefused` or `TooManyAttempts`. A failed attempt is recorded by the caller's
    commit, so the caller commits in both cases.
    """
    email = normalise_email(email)
    _check_limits(session, email, address)
    account = session.scalars(
        sa.select(Account)
        .join(Tenant, Tenant.id == Account.tenant_id)
        .where(
            Account.email == email,
            Account.status == "active",
            Tenant.status == TenantStatus.ACTIVE,
        )
    ).first()
    if not _password_fits(account, password) or account is None:
        session.add(
            SignInAttempt(
                tenant_id=company_id_of(session),
                email_digest=_digest(email),
                address_digest=_digest(address),
                at=clock.now(),
            )
        )
        session.flush()
        raise SignInRefused(
            phrase("The e-mail address or the password is not right."),
            phrase("Check both, and whether Caps Lock is on."),
        )
    return _open_session(session, account)


def _password_fits(account: Account | None, password: str) -> bool:
    """Verify in the same time whether or not the account exists."""
    try:
        _hasher.verify(account.password_hash if account else _NOBODY, password)
    except VerificationError:
        return False
    if account and _hasher.check_needs_rehash(account.password_hash):
        account.password_hash = _hasher.hash(password)
    return account is not None


def _open_session(session: Session, account: Account) -> str:
    token, at = secrets.token_urlsafe(32), clock.now()
    session.add(
        SignInSession(
            tenant_id=account.tenant_id,
            account_id=account.id,
            token_hash=_digest(token),
            created_at=at,
            last_seen_at=at,
        )
    )
    account.last_sign_in_at = at
    session.flush()
    return token


_SIGNED = Prepared(
    sa.text("""
    select s.id, s.last_seen_at, a.id, a.name, a.tenant_id,
           (select c.id from tenants c where c.kind = 'company'),
           a.roles, a.locale, t.short_name, a.email
      from sign_in_sessions s
      join accounts a on a.tenant_id = s.tenant_id and a.id = s.account_id
      join tenants t on t.id = a.tenant_id
     where s.token_hash = :token and s.ended_at is null
       and s.created_at > :oldest and s.last_seen_at > :idle
       and a.status = 'active' and t.status = 'active'
""")
)


def find_signed(database: Database, token: str) -> Signed | None:
    """The person of a session token, or None when it ended, expired or never was.

    One statement in one round trip: every request begins with it. The session's last use is
    written at most once a minute.
    """
    at = clock.now()
    row = database.lookup(
        Login.SIGN_IN,
        _SIGNED,
        {"token": _digest(token), "oldest": at - LIFETIME, "idle": at - IDLE},
    )
    if row is None:
        return None
    session_id, seen_at, account_id, name, tenant_id, company_id, roles, locale, short, mail = row
    if seen_at < at - SEEN_EVERY:
        _note_use(database, session_id, at)
    held = frozenset(Role(role) for role in roles)
    actor = Actor(account_id, name, tenant_id, company_id, held, locale or "")
    return Signed(actor, session_id, short, mail)


def _note_use(database: Database, session_id: UUID, at: datetime) -> None:
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        session.execute(
            sa.update(SignInSession).where(SignInSession.id == session_id).values(last_seen_at=at)
        )
        session.commit()


def sign_out(session: Session, session_id: UUID) -> None:
    """End a session: its token is worth nothing from now on."""
    session.execute(
        sa.update(SignInSession).where(SignInSession.id == session_id).values(ended_at=clock.now())
    )


def set_locale(session: Session, account_id: UUID, locale: str) -> None:
    """Keep a person's choice of language."""
    session.execute(sa.update(Account).where(Account.id == account_id).values(locale=locale))


def change_password(session: Session, account_id: UUID, old: str, new: str, keep: UUID) -> None:
    """Change the password, and end the person's other sessions than `keep`. Raises `Invalid`."""
    account = session.scalars(sa.select(Account).where(Account.id == account_id)).one()
    if not _password_fits(account, old):
        raise Invalid(phrase("The present password is not right."), phrase("Type it again."))
    choose_password(session, account, new, keep=keep)


def choose_password(
    session: Session, account: Account, new: str, *, keep: UUID | None = None
) -> None:
    """Set a person's password and end the sessions but `keep`. Raises `Invalid`."""
    check_password(new)
    account.password_hash, account.password_set_at = _hasher.hash(new), clock.now()
    end_sessions(session, account.id, keep=keep)


def end_sessions(session: Session, account_id: UUID, *, keep: UUID | None = None) -> None:
    """End a person's sessions but `keep`: their tokens are worth nothing from now on."""
    ended = sa.update(SignInSession).where(
        SignInSession.account_id == account_id, SignInSession.ended_at.is_(None)
    )
    if keep is not None:
        ended = ended.where(SignInSession.id != keep)
    session.execute(ended.values(ended_at=clock.now()))
    session.flush()
