"""Fill a database with 200 vendors of 5,000 cases each, with really encrypted personal data.

Organisations, people, requests and messages are made by the portal's own services; the cases go
by COPY into a temporary table and INSERT … SELECT as the owner (row-level security refuses COPY),
with every constraint in place.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from typing import TypeVar
from uuid import UUID

import psycopg
import sqlalchemy as sa
from psycopg import sql

from benchmarks.fill_cases import VendorParts, fill_vendor
from benchmarks.place import Place, mark_filled
from portal.app import provision
from portal.app.factory import open_database
from portal.calendar.service import confirm_year
from portal.cases.models import Case
from portal.identity.service import create_account
from portal.kernel import clock
from portal.kernel.access import COMPANY_ROLES, Actor, Role, system_actor
from portal.kernel.phrases import phrase
from portal.materials.rules import Wanted
from portal.materials.service import issue_request
from portal.notifications.service import notify
from portal.vendors import service as vendors
from tenants.database import Database
from tenants.models import Tenant, TenantKind
from tenants.rows import new_id
from tenants.scope import Login, Scope, bound

T = TypeVar("T")
VENDORS = 200
CASES = 5_000
BUSY = 50
"""So many vendors have people with accounts, requests under way and messages."""
REQUESTS = 4
PER_REQUEST = 20
MESSAGES = 30
PASSWORD = "bench-portal-2026"  # noqa: S105 - of people who do not exist
COMPANY_EMAIL = "everybody@company.example.com"
_PROFILE = {
    "tax_no": "91000000MA5BENCH00",
    "bank_name": "招商银行深圳分行",
    "bank_account": "0000000000000000",
    "address": "深圳市南山区",
    "contact": "0755-0000 0000",
}


def code(number: int) -> str:
    """The letters of a vendor: AAA, AAB, …"""
    return "".join(chr(65 + number // 26**place % 26) for place in (2, 1, 0))


def email(number: int) -> str:
    """The address that the manager of a busy vendor signs in with."""
    return f"manager@{code(number).lower()}.example.com"


def fill(place: Place) -> None:
    """Make and fill the database from nothing; says how long each part took."""
    provision.bootstrap(place.settings)
    provision.migrate(place.settings)
    database = open_database(place.settings)
    try:
        company_id = new_id()
        _timed("the company", lambda: _company(database, company_id))
        parts = _timed("vendors", lambda: _vendors(database, company_id))
        _timed("cases", lambda: _cases(place, parts))
        _timed("people", lambda: _people(database, company_id, parts))
        _timed("work under way", lambda: _work(database, company_id, parts))
    finally:
        database.dispose()
    _timed("statistics", lambda: _analyse(place))
    mark_filled(place)


def _timed(what: str, act: Callable[[], T]) -> T:
    started = time.monotonic()
    done = act()
    print(f"    {what}: {time.monotonic() - started:.1f} s", flush=True)
    return done


def _company(database: Database, company_id: UUID) -> None:
    with bound(Scope.company(company_id)), database.session() as session:
        vendors.add_tenant(
            session,
            kind=TenantKind.COMPANY,
            code="HX",
            name="恒信消费金融有限公司",
            short_name="恒信消费金融",
            tenant_id=company_id,
        )
        this_year = clock.today().year
        for year in (this_year - 1, this_year, this_year + 1):
            confirm_year(session, year, actor=system_actor(company_id))
        session.commit()


def _vendors(database: Database, company_id: UUID) -> list[VendorParts]:
    made = []
    actor, today = system_actor(company_id), clock.today()
    with bound(Scope.company(company_id)), database.session() as session:
        for number in range(VENDORS):
            letters = code(number)
            tenant = vendors.add_vendor(
                session,
                code=letters,
                name=f"{letters}信用服务有限公司",
                short_name=f"{letters}信用",
                profile=_PROFILE,
                actor=actor,
            )
            groups = [vendors.add_group(session, tenant.id, f"{n}组") for n in (1, 2, 3)]
            contract = vendors.add_contract(
                session,
                tenant.id,
                number=f"HT-{letters}-01",
                starts_on=date(today.year, 1, 1),
                ends_on=date(today.year, 12, 31),
                fee_terms={},
                actor=actor,
            )
            projects = [
                vendors.add_project(
                    session, tenant.id, contract_id=contract.id, name=name, targets={}
                )
                for name in ("信用卡一期", "现金贷")
            ]
            members = [
                vendors.add_member(
                    session,
                    tenant.id,
                    staff_no=f"{letters}{n:03d}",
                    name=f"催收员{n:02d}",
                    role=Role.AGENT,
                    group_id=groups[n % 3].id,
                    account_id=None,
                    since=date(today.year, 1, 1),
                )
                for n in range(12)
            ]
            made.append(
                VendorParts(
                    tenant.id,
                    letters,
                    [row.id for row in projects],
                    [(row.group_id, row.id) for row in members],
                )
            )
        session.commit()
    return made


def _cases(place: Place, parts: list[VendorParts]) -> None:
    """By two processes: the machine that the limits speak of has two cores. The plain indexes are
    made at the end, in one go."""
    with psycopg.connect(place.settings.login_urls()["owner"], autocommit=True) as owner:
        indexes = owner.execute(
            "select x.indexrelid::regclass::text, pg_get_indexdef(x.indexrelid) from pg_index x"
            " where x.indrelid = 'cases'::regclass and not x.indisunique"
        ).fetchall()
        for name, _definition in indexes:
            owner.execute(sql.SQL("drop index {}").format(sql.Identifier(name)))
        _load(place, parts)
        owner.execute("set maintenance_work_mem = '512MB'")
        for _name, definition in indexes:
            owner.execute(definition)


def _load(place: Place, parts: list[VendorParts]) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        done = [pool.submit(fill_vendor, place.settings, one, CASES) for one in parts]
        for number, future in enumerate(done, start=1):
            future.result()
            if number % 50 == 0:
                print(f"      {number * CASES:,} cases", flush=True)


def _people(database: Database, company_id: UUID, parts: list[VendorParts]) -> None:
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        create_account(
            session,
            tenant_id=company_id,
            email=COMPANY_EMAIL,
            name="公司",
            roles=COMPANY_ROLES,
            password=PASSWORD,
        )
        for number, vendor in enumerate(parts[:BUSY]):
            create_account(
                session,
                tenant_id=vendor.tenant_id,
                email=email(number),
                name="周经理",
                roles=[Role.MANAGER],
                password=PASSWORD,
            )
        session.commit()


def _work(database: Database, company_id: UUID, parts: list[VendorParts]) -> None:
    actor = Actor(new_id(), "李稽核", company_id, company_id, frozenset({Role.AUDIT_HEAD}))
    period = f"{clock.today():%Y-%m}"
    with bound(Scope.company(company_id)), database.session() as session:
        for vendor in parts[:BUSY]:
            cases = session.scalars(
                sa.select(Case.id)
                .where(Case.tenant_id == vendor.tenant_id)
                .order_by(Case.id)
                .limit(REQUESTS * PER_REQUEST)
            ).all()
            for at in range(0, len(cases), PER_REQUEST):
                issue_request(
                    session,
                    tenant_id=vendor.tenant_id,
                    manner="ad_hoc",
                    draw_id=None,
                    reason="专项抽查",
                    period=period,
                    draw_facts={},
                    wanted=[Wanted("collection_record", True), Wanted("call_recording", True)],
                    case_ids=cases[at : at + PER_REQUEST],
                    actor=actor,
                )
            for _number in range(MESSAGES):
                notify(
                    session,
                    tenant_id=vendor.tenant_id,
                    roles=[Role.MANAGER],
                    message=phrase("The status was changed."),
                    path="/",
                )
        session.commit()


def _analyse(place: Place) -> None:
    with psycopg.connect(place.settings.login_urls()["owner"], autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


def vendor_ids(database: Database, company_id: UUID) -> list[UUID]:
    """The vendors in the order in which they were made."""
    with bound(Scope.company(company_id)), database.session() as session:
        return list(
            session.scalars(
                sa.select(Tenant.id)
                .where(Tenant.kind == TenantKind.VENDOR.value)
                .order_by(Tenant.code)
            )
        )


def company_of(database: Database) -> UUID:
    """The company's reserved tenant."""
    with bound(Scope(Login.SIGN_IN)), database.session() as session:
        return session.scalars(
            sa.select(Tenant.id).where(Tenant.kind == TenantKind.COMPANY.value)
        ).one()
