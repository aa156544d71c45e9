"""One vendor's cases: made, encrypted and put into the database by one process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from portal.app.factory import open_database
from portal.cases.models import Case
from portal.cases.rules import AGE_BANDS, CaseStatus
from portal.cases.sealing import sealed
from portal.kernel.settings import Settings
from tenants.rows import new_id
from tenants.scope import Scope, bound
from tenants.vault import DataKey, installed

_COLUMNS = tuple(column.name for column in Case.__table__.columns if column.computed is None)
_BATCHES = 4
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"


@dataclass(frozen=True)
class VendorParts:
    """What a vendor's cases refer to. `members`: (group id, member id)."""

    tenant_id: UUID
    code: str
    projects: list[UUID]
    members: list[tuple[UUID | None, UUID]]


def fill_vendor(settings: Settings, vendor: VendorParts, count: int) -> None:
    """Make and store `count` cases of a vendor: nearly all in hand, as the draw's limit wants."""
    database = open_database(settings)
    try:
        with bound(Scope.company(vendor.tenant_id)), database.session() as session:
            key = installed().key(session, vendor.tenant_id)
    finally:
        database.dispose()
    with psycopg.connect(settings.login_urls()["owner"]) as connection:
        batches = list(_batches(connection, vendor))
        names = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
        connection.execute(
            sql.SQL(
                "create temporary table loaded on commit drop as select {} from cases limit 0"
            ).format(names)
        )
        with connection.cursor().copy(sql.SQL("copy loaded ({}) from stdin").format(names)) as copy:
            for values in _rows(vendor, key, batches, count):
                copy.write_row([values[name] for name in _COLUMNS])
        connection.execute(sql.SQL("insert into cases ({0}) select {0} from loaded").format(names))


def _batches(
    connection: psycopg.Connection[Any], vendor: VendorParts
) -> Iterator[tuple[UUID, UUID, date, date]]:
    today = datetime.now(UTC).date()
    for project in vendor.projects:
        for number in range(1, _BATCHES + 1):
            batch, first = new_id(), today - timedelta(days=30 * number)
            due = first + timedelta(days=180)
            connection.execute(
                "insert into batches (tenant_id, id, project_id, batch_no, entrusted_on,"
                " due_back_on) values (%s, %s, %s, %s, %s, %s)",
                (vendor.tenant_id, batch, project, f"P{number:02d}", first, due),
            )
            yield project, batch, first, due


def _rows(
    vendor: VendorParts,
    key: DataKey,
    batches: list[tuple[UUID, UUID, date, date]],
    count: int,
) -> Iterator[dict[str, Any]]:
    dice, now = random.Random(vendor.code), datetime.now(UTC)
    for number in range(count):
        project, batch, first, due = batches[number % len(batches)]
        group, member = vendor.members[number % len(vendor.members)]
        case_id = new_id()
        principal = Decimal(dice.randrange(100_000, 9_000_000)) / 100
        interest = Decimal(dice.randrange(0, 500_000)) / 100
        days = dice.randrange(10, 400)
        yield {
            "tenant_id": vendor.tenant_id,
            "id": case_id,
            "project_id": project,
            "batch_id": batch,
            "case_no": f"{vendor.code}{number:08d}",
            "entrusting_company": "恒信消费金融有限公司",
            **sealed(
                key,
                case_id,
                card=f"622848{dice.randrange(10**10):010d}",
                debtor=dice.choice(_SURNAMES) + dice.choice(_GIVEN) + dice.choice(_GIVEN),
                phone=f"13{dice.randrange(10**9):09d}",
            ),
            "principal": principal,
            "interest": interest,
            "fees": Decimal(0),
            "amount": principal + interest,
            "days_past_due": days,
            "age_band": AGE_BANDS[min(days // 30, len(AGE_BANDS) - 2)],
            "entrusted_on": first,
            "due_back_on": due,
            "group_id": group,
            "member_id": member,
            "status": CaseStatus.IN_HAND.value,
            "closed_on": None,
            "created_at": now,
            "version": 1,
        }
