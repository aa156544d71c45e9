"""Reads of vendors: the list, and one with its groups, people, contracts and projects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel.errors import NotFound
from portal.vendors.models import Contract, Group, Member, Project, VendorProfile
from tenants.models import Tenant, TenantKind


@dataclass(frozen=True, slots=True)
class VendorRow:
    """A vendor in the list."""

    id: UUID
    code: str
    name: str
    short_name: str
    status: str
    people: int
    contract_ends_on: date | None


def list_vendors(session: Session) -> list[VendorRow]:
    """Every vendor by code, with the number of its people and the end of its last contract."""
    people = (
        sa.select(sa.func.count())
        .where(Member.tenant_id == Tenant.id, Member.until.is_(None))
        .scalar_subquery()
    )
    ends = (
        sa.select(sa.func.max(Contract.ends_on))
        .where(Contract.tenant_id == Tenant.id)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(
            Tenant.id, Tenant.code, Tenant.name, Tenant.short_name, Tenant.status, people, ends
        )
        .where(Tenant.kind == TenantKind.VENDOR)
        .order_by(Tenant.code)
    )
    return [VendorRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Person:
    """A vendor's person."""

    id: UUID
    staff_no: str
    name: str
    role: str
    group: str | None
    since: date
    has_account: bool


@dataclass(frozen=True, slots=True)
class ProjectView:
    """A project with its contract and its month's targets by age band, in percent."""

    name: str
    contract: str
    targets: dict[str, str]


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract: number and term."""

    number: str
    starts_on: date
    ends_on: date
    served_if_unopened: bool


@dataclass(frozen=True, slots=True)
class VendorView:
    """A vendor's page."""

    id: UUID
    code: str
    name: str
    status: str
    profile: VendorProfile | None
    groups: list[str]
    people: list[Person]
    contracts: list[ContractView]
    projects: list[ProjectView]


def get_vendor(session: Session, tenant_id: UUID) -> VendorView:
    """A vendor that this scope sees; raises `NotFound` (for the company's own row, too)."""
    tenant = session.scalars(
        sa.select(Tenant).where(Tenant.id == tenant_id, Tenant.kind == TenantKind.VENDOR)
    ).first()
    if tenant is None:
        raise NotFound("vendor")
    profile = session.scalars(
        sa.select(VendorProfile).where(VendorProfile.tenant_id == tenant_id)
    ).first()
    groups = session.scalars(
        sa.select(Group.name).where(Group.tenant_id == tenant_id).order_by(Group.name)
    ).all()
    contracts = session.scalars(
        sa.select(Contract).where(Contract.tenant_id == tenant_id).order_by(Contract.number)
    ).all()
    numbers = {contract.id: contract.number for contract in contracts}
    projects = session.scalars(
        sa.select(Project).where(Project.tenant_id == tenant_id).order_by(Project.name)
    ).all()
    return VendorView(
        tenant.id,
        tenant.code,
        tenant.name,
        tenant.status,
        profile,
        list(groups),
        _people(session, tenant_id),
        [ContractView(c.number, c.starts_on, c.ends_on, c.served_if_unopened) for c in contracts],
        [ProjectView(p.name, numbers[p.contract_id], p.targets) for p in projects],
    )


def _people(session: Session, tenant_id: UUID) -> list[Person]:
    rows = session.execute(
        sa.select(
            Member.id,
            Member.staff_no,
            Member.name,
            Member.role,
            Group.name,
            Member.since,
            Member.account_id.is_not(None),
        )
        .outerjoin(Group, sa.and_(Group.tenant_id == Member.tenant_id, Group.id == Member.group_id))
        .where(Member.tenant_id == tenant_id, Member.until.is_(None))
        .order_by(Member.staff_no)
    )
    return [Person(*row) for row in rows]
