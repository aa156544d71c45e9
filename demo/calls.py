"""Lists of calls (话单) as diallers write them: the vendor's own, and the company's (A3)."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa

from demo.people import Company, Vendor
from demo.stage import Stage
from portal.contacts import service as contacts
from portal.contacts.sheet import TEMPLATE
from portal.files.workbook import read_list
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.materials.expected import expect_in_open
from portal.materials.kinds import ItemState
from portal.materials.models import RequestItem
from tenants.database import ScopedSession

TITLES = (
    "通话ID",
    "案件编号",
    "被叫号码",
    "坐席分机",
    "坐席工号",
    "呼叫时间",
    "通话时长(秒)",
    "呼叫结果",
)
Line = tuple[object, ...]
_SECONDS = (12, 18)
"""How long connected calls last: as the demo's recordings do, within what ringing makes."""
_UNANSWERED = ("无人接听", "关机", "用户忙")


def both_lists(stage: Stage, company: Company, vendor: Vendor, request_id: UUID) -> None:
    """The vendor's list now, the company's two hours later."""
    known = vendors_list(stage, vendor, request_id)
    stage.at(
        clock.now() + timedelta(hours=2),
        lambda: companys_list(stage, company, vendor, request_id, known),
    )


def vendors_list(stage: Stage, vendor: Vendor, request_id: UUID) -> list[Line]:
    """The vendor imports its list beside its delivery: one to three connected calls of each case,
    and some that nobody answered. Returns its lines."""
    with stage.vendor(vendor.id) as session:
        lines = [
            line
            for place, case_no in enumerate(_cases(session, request_id))
            for line in _calls(stage, vendor, place, case_no, stage.dice.randint(1, 3))
        ]
        _take(session, vendor.id, lines, vendor.actor(Role.OFFICE))
    return lines


def companys_list(
    stage: Stage, company: Company, vendor: Vendor, request_id: UUID, known: Sequence[Line]
) -> None:
    """The company imports its own: it lacks one call of the vendor's list (`known`), and has three
    that this leaves out."""
    with stage.company(company.id) as session:
        omitted = [
            _call(stage, vendor, place, case_no, 17, 186)
            for place, case_no in enumerate(_cases(session, request_id)[:3])
        ]
        _take(session, vendor.id, [*known[:-1], *omitted], company.actor("auditor"))


def _cases(session: ScopedSession, request_id: UUID) -> list[str]:
    return list(
        session.scalars(
            sa.select(RequestItem.case_no)
            .where(RequestItem.request_id == request_id, RequestItem.state != ItemState.CANCELLED)
            .distinct()
            .order_by(RequestItem.case_no)
        )
    )


def _calls(stage: Stage, vendor: Vendor, place: int, case_no: str, connected: int) -> list[Line]:
    made = [
        _call(stage, vendor, place, case_no, 9 + 2 * number, stage.dice.randint(*_SECONDS))
        for number in range(connected)
    ]
    if stage.dice.random() < 0.6:
        made.append(_call(stage, vendor, place, case_no, 16, 0))
    return made


def _call(stage: Stage, vendor: Vendor, place: int, case_no: str, hour: int, seconds: int) -> Line:
    """A call of some days ago; the hour is its own for each call of a case."""
    agent = stage.dice.choice(vendor.agents).staff_no
    day = clock.today() - timedelta(days=3 + place % 9)
    at = clock.beijing(stage.moment(day, hour))
    return (
        f"{vendor.plan.code}-{at:%Y%m%d%H%M}-{place:03d}",
        case_no,
        f"139{place:04d}{hour:04d}",
        f"80{place % 90 + 10}",
        agent,
        f"{at:%Y-%m-%d %H:%M:%S}",
        seconds,
        "已接通" if seconds else stage.dice.choice(_UNANSWERED),
    )


def _take(session: ScopedSession, vendor_id: UUID, lines: Sequence[Line], actor: Actor) -> None:
    """What the upload of a list and its job do, in one act."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerows([TITLES, *lines])
    body = sink.getvalue().encode("gb18030")
    name = f"话单_{_stamp(clock.now())}.csv"
    row = contacts.add_list(
        session,
        io.BytesIO(body),
        tenant_id=vendor_id,
        name=name,
        media_type="text/csv",
        actor=actor,
    )
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        path = Path(folder) / "calls.csv"
        path.write_bytes(body)
        table = read_list(path, TEMPLATE)
    taken = contacts.take(session, row, table, actor=actor)
    if taken.cases:
        expect_in_open(session, vendor_id, taken.cases, actor=actor)


def _stamp(moment: datetime) -> str:
    return f"{clock.beijing(moment):%Y%m%d}"
