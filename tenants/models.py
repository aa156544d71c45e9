"""The tenants themselves and their wrapped data keys."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, SharedRow, new_id, one_of


class TenantKind(StrEnum):
    """The company's reserved row, or a vendor."""

    COMPANY = "company"
    VENDOR = "vendor"


class TenantStatus(StrEnum):
    """Where a tenant stands. Applicants (C2.2) are tenants before they are vendors."""

    APPLICANT = "applicant"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


class Tenant(Base):
    """A vendor, or the one reserved row of the company.

    A vendor sees its own row only. `code` is the two to four letters that stand in the numbers
    of its papers (ZG-HC-2026-0012).
    """

    __tablename__ = "tenants"
    __table_args__ = (
        one_of("kind", TenantKind),
        one_of("status", TenantStatus),
        sa.CheckConstraint("code ~ '^[A-Z]{2,6}$'", name="code_letters"),
        sa.UniqueConstraint("code"),
        sa.Index(
            "uq_tenants_one_company",
            "kind",
            unique=True,
            postgresql_where=sa.text("kind='company'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True, default=new_id)
    kind: Mapped[str]
    status: Mapped[str]
    code: Mapped[str]
    name: Mapped[str]
    short_name: Mapped[str]
    created_at: Mapped[datetime]


class TenantKey(SharedRow, Base):
    """A tenant's data key, wrapped by the master key; the newest version encrypts."""

    __tablename__ = "tenant_keys"
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.UniqueConstraint("tenant_id", "version"),
    )

    version: Mapped[int]
    wrapped: Mapped[bytes]
    created_at: Mapped[datetime]
