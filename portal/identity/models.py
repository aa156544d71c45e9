"""Accounts and sessions: seen by the sign-in login only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.identity.rules import LinkPurpose
from portal.kernel.access import Role
from tenants.rows import Base, CompanyRow, id_index, one_of, tenant_fk


class Account(CompanyRow, Base):
    """A person who can sign in. `tenant_id` is the vendor, or the company's reserved row.

    No vendor and no company page reads this table: rows elsewhere keep the name they need.
    `roles` is what the sign-in reads; since when and by whom stands in `Appointment`. Until the
    person has chosen a password (`password_set_at`) the stored one is nobody's.
    """

    __tablename__ = "accounts"
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        one_of("status", ("active", "disabled")),
        sa.UniqueConstraint("email"),
        sa.CheckConstraint("email = lower(email)", name="email_normalised"),
        id_index("accounts"),
    )
    company_grants: ClassVar[str] = ""
    sign_in_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(default="active")
    locale: Mapped[str | None]
    mail_choice: Mapped[dict[str, Any]] = mapped_column(
        JSONB, default=dict, server_default=sa.text("'{}'::jsonb")
    )
    created_at: Mapped[datetime]
    last_sign_in_at: Mapped[datetime | None]
    password_set_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    disabled_by_name: Mapped[str | None]
    disabled_ground: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1, server_default=sa.text("1"))


class Appointment(CompanyRow, Base):
    """A person's naming to a role, and its end (rules A1, A2). One that stands has no `until`.

    A trigger lets the end be written once, and nothing else change. `named_by` is None where nobody
    is known (accounts older than the record), the portal's own id where a command did it.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        tenant_fk("account_id", "accounts"),
        one_of("role", Role),
        sa.CheckConstraint("until >= since", name="ends_after_it_began"),
        sa.CheckConstraint(
            "(until IS NULL) = (withdrawn_by_name IS NULL)", name="an_end_has_somebody"
        ),
        sa.Index(
            "uq_appointments_one_standing",
            "tenant_id",
            "account_id",
            "role",
            unique=True,
            postgresql_where=sa.text("until IS NULL"),
        ),
        sa.Index("ix_appointments_role", "tenant_id", "role", "since"),
        id_index("appointments"),
    )
    company_grants: ClassVar[str] = ""
    sign_in_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    account_id: Mapped[UUID]
    role: Mapped[str]
    since: Mapped[datetime]
    named_by: Mapped[UUID | None]
    named_by_name: Mapped[str]
    ground: Mapped[str]
    until: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawn_by_name: Mapped[str | None]
    withdrawn_ground: Mapped[str] = mapped_column(default="")


class PasswordLink(CompanyRow, Base):
    """A one-time link by which a person chooses the own password. Only the token's SHA-256 is kept;
    a later link, or the end of the account, revokes it."""

    __tablename__ = "password_links"
    __table_args__ = (
        tenant_fk("account_id", "accounts"),
        one_of("purpose", LinkPurpose),
        sa.UniqueConstraint("token_hash"),
        sa.Index(
            "uq_password_links_one_open",
            "tenant_id",
            "account_id",
            unique=True,
            postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
        ),
        sa.Index("ix_password_links_account", "tenant_id", "account_id", "made_at"),
    )
    company_grants: ClassVar[str] = ""
    sign_in_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    account_id: Mapped[UUID]
    purpose: Mapped[str]
    token_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    made_by: Mapped[UUID]
    made_by_name: Mapped[str]
    mailed: Mapped[bool]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class CalendarFeed(CompanyRow, Base):
    """A person's secret address of a calendar feed (UX 12). Only the token's SHA-256 is stored; a
    new one ends the old one."""

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        tenant_fk("account_id", "accounts"),
        sa.UniqueConstraint("token_hash"),
        sa.Index(
            "uq_calendar_feeds_one_open",
            "tenant_id",
            "account_id",
            unique=True,
            postgresql_where=sa.text("revoked_at IS NULL"),
        ),
    )
    company_grants: ClassVar[str] = ""
    sign_in_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    account_id: Mapped[UUID]
    token_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SignInSession(CompanyRow, Base):
    """A signed-in browser. Only the SHA-256 of its token is stored."""

    __tablename__ = "sign_in_sessions"
    __table_args__ = (
        tenant_fk("account_id", "accounts"),
        sa.UniqueConstraint("token_hash"),
        sa.Index("ix_sign_in_sessions_account", "tenant_id", "account_id"),
    )
    company_grants: ClassVar[str] = ""
    sign_in_grants: ClassVar[str] = "SELECT, INSERT, UPDATE"

    account_id: Mapped[UUID]
    token_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SignInAttempt(CompanyRow, Base):
    """A failed attempt, counted per address and per e-mail (both only as digests); for a minute,
    a request for a one-time link (`throttle.py`)."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        sa.Index("ix_sign_in_attempts_email", "email_digest", "at"),
        sa.Index("ix_sign_in_attempts_address", "address_digest", "at"),
    )
    company_grants: ClassVar[str] = ""
    sign_in_grants: ClassVar[str] = "SELECT, INSERT, DELETE"

    email_digest: Mapped[bytes]
    address_digest: Mapped[bytes]
    at: Mapped[datetime]
