"""The demo's organisations and people: one company, three vendors, an account for every role."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from demo.stage import Stage
from portal.calendar.service import confirm_year, load
from portal.identity.service import create_account
from portal.kernel.access import Actor, Role, system_actor
from portal.vendors import service as vendors
from portal.vendors.models import VendorProfile
from tenants.models import TenantKind
from tenants.rows import new_id

PASSWORD = "demo-portal-2026"  # noqa: S105 - known to all; the demo is refused in production
COMPANY = ("HX", "恒信消费金融有限公司", "恒信消费金融")
COMPANY_PROFILE = {
    "tax_no": "91000000MA5DEMO00X",
    "bank_name": "中国工商银行深圳福田支行",
    "bank_account": "0000000000000001",
    "address": "深圳市福田区金田路1号恒信大厦",
    "contact": "0755-0000 0001",
}
COMPANY_STAFF: tuple[tuple[str, str, str, tuple[Role, ...]], ...] = (
    ("admin", "林思远", "系统管理员", (Role.ADMINISTRATOR,)),
    ("auditor", "李志强", "稽核员", (Role.AUDITOR,)),
    ("auditor2", "孙雅琴", "稽核员", (Role.AUDITOR,)),
    ("reviewer", "范立新", "稽核员", (Role.AUDITOR,)),
    ("head", "王雪莹", "稽核部负责人", (Role.AUDIT_HEAD,)),
    ("vendors", "周建国", "委外管理岗", (Role.VENDOR_MANAGER,)),
    ("finance", "何丽华", "财务", (Role.FINANCE,)),
    ("finance2", "许文博", "财务复核", (Role.FINANCE,)),
    ("complaints", "郭晓敏", "投诉专员", (Role.COMPLAINTS,)),
    ("general", "曹国栋", "综合部", (Role.GENERAL_DEPARTMENT,)),
    ("gm", "梁启明", "总经办", (Role.GENERAL_MANAGER,)),
)


@dataclass(frozen=True)
class VendorPlan:
    """What a vendor is made of. `quality` (0 to 1) and `speed` colour its history."""

    code: str
    name: str
    short: str
    profile: dict[str, str]
    projects: tuple[str, ...]
    staff: tuple[tuple[str, str, Role, int], ...]
    quality: float
    attainment: float


def _staff(code: str, names: str) -> tuple[tuple[str, str, Role, int], ...]:
    """Twelve people: login part (or nothing), name, role, number of the group (-1: none)."""
    manager, supervisor, first, second, office, *agents = names.split()
    logins = ("agent",)
    return (
        ("manager", manager, Role.MANAGER, -1),
        ("supervisor", supervisor, Role.SUPERVISOR, -1),
        ("leader", first, Role.TEAM_LEADER, 0),
        ("", second, Role.TEAM_LEADER, 1),
        ("office", office, Role.OFFICE, -1),
        *(
            (logins[number] if number < len(logins) else "", name, Role.AGENT, number % 2)
            for number, name in enumerate(agents)
        ),
    )


def _profile(number: int, bank: str, address: str, phone: str) -> dict[str, str]:
    return {
        "tax_no": f"91000000MA5DEMO{number:02d}X",
        "bank_name": bank,
        "bank_account": f"000000000000{number:04d}",
        "address": address,
        "contact": phone,
    }


VENDORS = (
    VendorPlan(
        "HC",
        "华诚信用服务(深圳)有限公司",
        "华诚",
        _profile(1, "招商银行深圳科技园支行", "深圳市南山区科苑路18号", "0755-0000 0101"),
        ("华诚信用卡一期", "华诚现金贷"),
        _staff(
            "HC", "陈晓敏 吴国华 郑海燕 冯志明 蔡玉兰 王俊杰 刘思思 黄伟东 罗婷 邓嘉豪 彭丽 曾凡"
        ),
        0.93,
        1.0,
    ),
    VendorPlan(
        "RX",
        "融信资产服务(上海)有限公司",
        "融信",
        _profile(2, "交通银行上海张江支行", "上海市浦东新区博云路2号", "021-0000 0202"),
        ("融信信用卡二期", "融信消费分期"),
        _staff("RX", "赵文静 钱立新 沈佳怡 陆一鸣 顾晓红 徐浩 朱琳 马超 胡雪 高翔 范雯 袁磊"),
        0.87,
        0.93,
    ),
    VendorPlan(
        "ZY",
        "中远信用管理咨询(武汉)有限公司",
        "中远",
        _profile(3, "中国建设银行武汉光谷支行", "武汉市洪山区光谷大道77号", "027-0000 0303"),
        ("中远小额贷", "中远信用卡三期"),
        _staff("ZY", "秦建军 宋丽娟 韩冰 唐志刚 程美玲 余涛 叶青 潘虹 杜鹏 戴娜 任强 姜敏"),
        0.81,
        0.85,
    ),
)
TARGETS = {
    "M1": "12.00",
    "M2": "8.00",
    "M3": "4.50",
    "M4": "3.00",
    "M5": "2.20",
    "M6": "1.60",
    "M6+": "0.90",
    "written_off": "0.40",
}


@dataclass(frozen=True)
class Person:
    """A vendor's member."""

    member_id: UUID
    account_id: UUID | None
    staff_no: str
    name: str
    role: Role
    group: str


@dataclass
class Vendor:
    """A vendor on the stage."""

    plan: VendorPlan
    id: UUID
    company_id: UUID
    groups: list[str] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    def actor(self, role: Role) -> Actor:
        """The person of that role who has an account."""
        person = next(p for p in self.people if p.role is role and p.account_id)
        assert person.account_id is not None  # noqa: S101 - the line above
        return Actor(person.account_id, person.name, self.id, self.company_id, frozenset({role}))

    @property
    def agents(self) -> list[Person]:
        """Those who call."""
        return [person for person in self.people if person.role is Role.AGENT]


@dataclass
class Company:
    """The company on the stage, with its vendors."""

    id: UUID
    accounts: dict[str, Actor] = field(default_factory=dict)
    vendors: list[Vendor] = field(default_factory=list)

    def actor(self, login: str) -> Actor:
        """The company's person with that login part."""
        return self.accounts[login]


def company_email(login: str) -> str:
    """The address that a company person signs in with."""
    return f"{login}@hengxin.example.com"


def vendor_email(plan: VendorPlan, login: str) -> str:
    """The address that a vendor's person signs in with."""
    return f"{login}@{plan.code.lower()}.example.com"


def make_people(stage: Stage, years: range, since: date) -> Company:
    """The company, the calendar's confirmed years, the vendors with contracts and people."""
    company = Company(new_id())
    with stage.company(company.id) as session:
        code, name, short = COMPANY
        vendors.add_tenant(
            session,
            kind=TenantKind.COMPANY,
            code=code,
            name=name,
            short_name=short,
            tenant_id=company.id,
        )
        session.add(VendorProfile(tenant_id=company.id, legal_name=name, **COMPANY_PROFILE))
        for year in years:
            confirm_year(session, year, actor=system_actor(company.id))
    with stage.company(company.id) as session:
        stage.calendar = load(session)
    with stage.sign_in() as session:
        for login, person, title, roles in COMPANY_STAFF:
            account = create_account(
                session,
                tenant_id=company.id,
                email=company_email(login),
                name=person,
                roles=roles,
                password=PASSWORD,
                # Members of the audit department are named by the general department (A1).
                ground=f"综合部〔{since.year}〕1号" if "稽核" in title else "",
                actor=company.accounts.get("admin"),
            )
            company.accounts[login] = Actor(
                account.id, person, company.id, company.id, frozenset(roles)
            )
    for plan in VENDORS:
        company.vendors.append(_make_vendor(stage, company, plan, years, since))
    return company


def _make_vendor(
    stage: Stage, company: Company, plan: VendorPlan, years: range, since: date
) -> Vendor:
    actor = company.actor("vendors")
    with stage.company(company.id) as session:
        tenant = vendors.add_vendor(
            session,
            code=plan.code,
            name=plan.name,
            short_name=plan.short,
            profile=plan.profile,
            actor=actor,
        )
        made = Vendor(plan, tenant.id, company.id)
        contract = vendors.add_contract(
            session,
            tenant.id,
            number=f"WW-{since.year}-{plan.code}-01",
            starts_on=date(since.year, 1, 1),
            ends_on=date(years[-1], 12, 31),
            fee_terms={},
            actor=actor,
        )
        for project in plan.projects:
            vendors.add_project(
                session, tenant.id, contract_id=contract.id, name=project, targets=TARGETS
            )
    accounts = _accounts(stage, made)
    with stage.company(company.id) as session:
        groups = [vendors.add_group(session, made.id, f"{plan.short}{n}组") for n in "一二"]
        made.groups = [group.name for group in groups]
        for number, (_login, person, role, group) in enumerate(plan.staff, start=1):
            member = vendors.add_member(
                session,
                made.id,
                staff_no=f"{plan.code}{number:03d}",
                name=person,
                role=role,
                group_id=groups[group].id if group >= 0 else None,
                account_id=accounts.get(person),
                since=since,
            )
            made.people.append(
                Person(
                    member.id,
                    member.account_id,
                    member.staff_no,
                    person,
                    role,
                    groups[group].name if group >= 0 else "",
                )
            )
    return made


def _accounts(stage: Stage, vendor: Vendor) -> dict[str, UUID]:
    with stage.sign_in() as session:
        return {
            person: create_account(
                session,
                tenant_id=vendor.id,
                email=vendor_email(vendor.plan, login),
                name=person,
                roles=[role],
                password=PASSWORD,
            ).id
            for login, person, role, _group in vendor.plan.staff
            if login
        }
