"""Add vendors, their groups, people, contracts and projects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.vendors.directory import changed
from portal.vendors.models import Contract, Group, Member, Project, VendorProfile
from tenants.models import Tenant, TenantKind, TenantStatus
from tenants.rows import new_id
from tenants.vault import installed


def add_tenant(
    session: Session, *, kind: TenantKind, code: str, name: str, short_name: str, tenant_id: UUID
) -> Tenant:
    """Add a tenant and its data key (company scope)."""
    tenant = Tenant(
        id=tenant_id,
        kind=kind.value,
        status=TenantStatus.ACTIVE.value,
        code=code,
        name=name,
        short_name=short_name,
        created_at=clock.now(),
    )
    session.add(tenant)
    session.flush()
    changed(session)
    installed().add_key(session, tenant.id, clock.now())
    return tenant


def add_vendor(
    session: Session,
    *,
    code: str,
    name: str,
    short_name: str,
    profile: Mapping[str, str],
    actor: Actor,
) -> Tenant:
    """Take a vendor on: the tenant, its key and what stands on papers about it."""
    tenant = add_tenant(
        session,
        kind=TenantKind.VENDOR,
        code=code,
        name=name,
        short_name=short_name,
        tenant_id=new_id(),
    )
    session.add(VendorProfile(tenant_id=tenant.id, legal_name=name, **profile))
    session.flush()
    record(
        session,
        "vendors.vendor.added",
        ("vendor", tenant.id),
        actor=actor,
        tenant_id=tenant.id,
        data={"code": code},
    )
    return tenant


def add_group(session: Session, tenant_id: UUID, name: str) -> Group:
    """Add a collection group (组)."""
    group = Group(tenant_id=tenant_id, name=name)
    session.add(group)
    session.flush()
    changed(session)
    return group


def add_member(
    session: Session,
    tenant_id: UUID,
    *,
    staff_no: str,
    name: str,
    role: Role,
    group_id: UUID | None = None,
    account_id: UUID | None = None,
    since: date | None = None,
) -> Member:
    """Add a vendor's person (A2)."""
    member = Member(
        tenant_id=tenant_id,
        group_id=group_id,
        account_id=account_id,
        staff_no=staff_no,
        name=name,
        role=role.value,
        since=since or clock.today(),
    )
    session.add(member)
    session.flush()
    changed(session)
    return member


def add_contract(
    session: Session,
    tenant_id: UUID,
    *,
    number: str,
    starts_on: date,
    ends_on: date,
    fee_terms: Mapping[str, Any],
    served_if_unopened: bool = True,
    actor: Actor,
) -> Contract:
    """Record the agreement with a vendor (C2.3, C7)."""
    contract = Contract(
        tenant_id=tenant_id,
        number=number,
        starts_on=starts_on,
        ends_on=ends_on,
        fee_terms=dict(fee_terms),
        served_if_unopened=served_if_unopened,
        created_at=clock.now(),
    )
    session.add(contract)
    session.flush()
    record(
        session,
        "vendors.contract.added",
        ("contract", contract.id),
        actor=actor,
        tenant_id=tenant_id,
        data={"number": number},
    )
    return contract


def add_project(
    session: Session, tenant_id: UUID, *, contract_id: UUID, name: str, targets: Mapping[str, str]
) -> Project:
    """Add a project under a contract; `targets`: age band → month's recovery rate in percent."""
    project = Project(
        tenant_id=tenant_id, contract_id=contract_id, name=name, targets=dict(targets)
    )
    session.add(project)
    session.flush()
    changed(session)
    return project
