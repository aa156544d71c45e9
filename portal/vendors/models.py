"""A vendor's papers and people: profile, groups, members, contracts and projects."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, SharedRow, TenantRow, id_index, one_of, tenant_fk


class VendorProfile(SharedRow, Base):
    """What stands on papers about a vendor: legal name, tax number, bank. One row a vendor."""

    __tablename__ = "vendor_profiles"
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.UniqueConstraint("tenant_id"),
    )

    legal_name: Mapped[str]
    tax_no: Mapped[str]
    bank_name: Mapped[str]
    bank_account: Mapped[str]
    address: Mapped[str]
    contact: Mapped[str]


class Group(TenantRow, Base):
    """A collection group (组)."""

    __tablename__ = "groups"
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.UniqueConstraint("tenant_id", "name"),
        id_index("groups"),
    )

    name: Mapped[str]


class Member(TenantRow, Base):
    """A vendor's person: manager, supervisor, team leader, agent or office staff (A2).

    Most agents have no account. `account_id` is linked when one is made.
    """

    __tablename__ = "members"
    __table_args__ = (
        tenant_fk("group_id", "groups"),
        one_of("role", ("manager", "supervisor", "team_leader", "agent", "office")),
        sa.UniqueConstraint("tenant_id", "staff_no"),
        id_index("members"),
    )

    group_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None]
    staff_no: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    since: Mapped[date]
    until: Mapped[date | None]


class Contract(SharedRow, Base):
    """The agreement with a vendor (C2.3): term and fee terms (C7). `fee_terms` is frozen data in
    the form that `portal.fees.rules` reads."""

    __tablename__ = "contracts"
    __table_args__ = (
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"]),
        sa.UniqueConstraint("tenant_id", "number"),
        id_index("contracts"),
    )

    number: Mapped[str]
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    fee_terms: Mapped[dict[str, Any]] = mapped_column(JSONB)
    served_if_unopened: Mapped[bool]
    created_at: Mapped[datetime]


class Project(SharedRow, Base):
    """What a vendor was entrusted with under one contract; `targets` maps an age band to the
    month's recovery rate wanted, in percent of the amount entrusted ("M3": "4.50")."""

    __tablename__ = "projects"
    __table_args__ = (
        tenant_fk("contract_id", "contracts"),
        sa.UniqueConstraint("tenant_id", "name"),
        id_index("projects"),
    )

    contract_id: Mapped[UUID]
    name: Mapped[str]
    targets: Mapped[dict[str, str]] = mapped_column(JSONB)
