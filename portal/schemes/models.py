"""Editable data of the product: versions with a date in force, never changed, only followed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, CompanyRow, ReferenceRow


class _Version:
    """The columns that both kinds of scheme share."""

    kind: Mapped[str]
    version: Mapped[int]
    in_force_from: Mapped[date]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_default: Mapped[bool]
    reason: Mapped[str]
    created_at: Mapped[datetime]
    created_by: Mapped[UUID]
    created_by_name: Mapped[str]


class PublishedScheme(_Version, ReferenceRow, Base):
    """Schemes that every vendor may read: penalty clauses, score weights, materials wanted."""

    __tablename__ = "published_schemes"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "kind", "version"),)


class InternalScheme(_Version, CompanyRow, Base):
    """Schemes that are the company's own: default fee rates (a vendor sees its contract's only)."""

    __tablename__ = "internal_schemes"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "kind", "version"),)
