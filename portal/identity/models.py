"""Accounts and sessions: seen by the sign-in login only."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, CompanyRow, id_index, one_of, tenant_fk


class Account(CompanyRow, Base):
    """A person who can sign in. `tenant_id` is the vendor, or the company's reserved row.

    No vendor and no company page reads this table: rows elsewhere keep the name they need.
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
    """A failed attempt, counted per address and per e-mail (the e-mail only as a digest)."""

    __tablename__ = "sign_in_attempts"
    __table_args__ = (
        sa.Index("ix_sign_in_attempts_email", "email_digest", "at"),
        sa.Index("ix_sign_in_attempts_address", "address_digest", "at"),
    )
    company_grants: ClassVar[str] = ""
    sign_in_grants: ClassVar[str] = "SELECT, INSERT"

    email_digest: Mapped[bytes]
    address_digest: Mapped[bytes]
    at: Mapped[datetime]
