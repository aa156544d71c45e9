"""A small world that tests live in: one company, three vendors, their people and contracts.

Built once into a template database with the portal's own services; every test gets a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from portal.calendar.service import confirm_year
from portal.identity.service import create_account
from portal.kernel import clock
from portal.kernel.access import COMPANY_ROLES, Actor, Role, system_actor
from portal.vendors import service as vendors
from portal.vendors.models import VendorProfile
from tenants.database import Database
from tenants.models import TenantKind
from tenants.rows import new_id
from tenants.scope import Login, Scope, bound

PASSWORD = "correct horse battery"
MOMENT = datetime(2026, 11, 3, 2, 0, tzinfo=UTC)
"""Tuesday 3 November 2026, 10:00 in Beijing."""
PROFILE = {
    "tax_no": "91440300MA5EXAMPLE",
    "bank_name": "招商银行深圳分行",
    "bank_account": "755900000010802",
    "address": "深圳市南山区科技园1号",
    "contact": "0755-8600 0000",
}
FEE_TERMS: dict[str, object] = {}
TARGETS = dict.fromkeys(("M1", "M2", "M3", "M4", "M5", "M6", "M6+", "written_off"), "5.00")
VENDORS = (
    ("HC", "华诚信用服务(深圳)有限公司", "华诚"),
    ("RX", "融信资产服务有限公司", "融信"),
    ("ZY", "中远咨询有限公司", "中远"),
)
VENDOR_STAFF = (
    (Role.MANAGER, "manager", "周经理"),
    (Role.SUPERVISOR, "supervisor", "吴主管"),
    (Role.TEAM_LEADER, "leader", "郑组长"),
    (Role.AGENT, "agent", "王催收"),
    (Role.OFFICE, "office", "冯内勤"),
)


@dataclass
class VendorWorld:
    """One vendor's ids. `people`: role → (account id, member id)."""

    id: UUID
    code: str
    name: str
    short_name: str
    group_id: UUID
    contract_id: UUID
    project_id: UUID
    project: str
    group: str
    people: dict[Role, tuple[UUID, UUID]] = field(default_factory=dict)

    def email(self, role: Role) -> str:
        """The address that a role of this vendor signs in with."""
        part = next(part for known, part, _name in VENDOR_STAFF if known is role)
        return f"{part}@{self.code.lower()}.example.com"

    def actor(self, role: Role, company_id: UUID) -> Actor:
        """A person of this vendor, for calling services."""
        name = next(name for known, _part, name in VENDOR_STAFF if known is role)
        return Actor(self.people[role][0], name, self.id, company_id, frozenset({role}))


@dataclass
class World:
    """The company's id, its people's accounts by role, and the vendors."""

    company_id: UUID
    people: dict[Role, UUID] = field(default_factory=dict)
    vendors: list[VendorWorld] = field(default_factory=list)

    def email(self, role: Role) -> str:
        """The address that a company role signs in with."""
        return f"{role.value}@company.example.com"

    def actor(self, role: Role) -> Actor:
        """A company person, for calling services."""
        return Actor(
            self.people[role],
            f"公司{role.value}",
            self.company_id,
            self.company_id,
            frozenset({role}),
        )

    @property
    def scope(self) -> Scope:
        """The company's scope."""
        return Scope.company(self.company_id)


def build(database: Database) -> World:
    """Make the world in an empty, migrated database."""
    world = World(new_id())
    with clock.frozen(MOMENT):
        _company(database, world)
        for code, name, short in VENDORS:
            _vendor(database, world, code, name, short)
    return world


def _company(database: Database, world: World) -> None:
    with bound(world.scope), database.session() as session:
        vendors.add_tenant(
            session,
            kind=TenantKind.COMPANY,
            code="HX",
            name="恒信消费金融有限公司",
            short_name="恒信消费金融",
            tenant_id=world.company_id,
        )
        session.add(
            VendorProfile(tenant_id=world.company_id, legal_name="恒信消费金融有限公司", **PROFILE)
        )
        actor = system_actor(world.company_id)
        for year in (2025, 2026, 2027):
            confirm_year(session, year, actor=actor)
        session.commit()
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        for role in sorted(COMPANY_ROLES):
            account = create_account(
                session,
                tenant_id=world.company_id,
                email=world.email(role),
                name=f"公司{role.value}",
                roles=[role],
                password=PASSWORD,
            )
            world.people[role] = account.id
        session.commit()


def _vendor(database: Database, world: World, code: str, name: str, short: str) -> None:
    actor = system_actor(world.company_id)
    with bound(world.scope), database.session() as session:
        tenant = vendors.add_vendor(
            session, code=code, name=name, short_name=short, profile=PROFILE, actor=actor
        )
        group = vendors.add_group(session, tenant.id, f"{short}一组")
        contract = vendors.add_contract(
            session,
            tenant.id,
            number=f"HT-{code}-2026-01",
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 12, 31),
            fee_terms=FEE_TERMS,
            actor=actor,
        )
        project = vendors.add_project(
            session, tenant.id, contract_id=contract.id, name=f"{short}信用卡", targets=TARGETS
        )
        session.commit()
    made = VendorWorld(
        tenant.id, code, name, short, group.id, contract.id, project.id, project.name, group.name
    )
    accounts: dict[Role, UUID] = {}
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        for role, _part, person in VENDOR_STAFF:
            accounts[role] = create_account(
                session,
                tenant_id=tenant.id,
                email=made.email(role),
                name=person,
                roles=[role],
                password=PASSWORD,
            ).id
        session.commit()
    with bound(world.scope), database.session() as session:
        for number, (role, _part, person) in enumerate(VENDOR_STAFF, start=1):
            in_group = role in (Role.TEAM_LEADER, Role.AGENT)
            member = vendors.add_member(
                session,
                tenant.id,
                staff_no=f"{code}{number:03d}",
                name=person,
                role=role,
                group_id=group.id if in_group else None,
                account_id=accounts[role],
                since=date(2026, 1, 1),
            )
            made.people[role] = (accounts[role], member.id)
        session.commit()
    world.vendors.append(made)
