"""What vendors hand over: recordings and records of drawn cases, answers, the hand-in (A3)."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import xlsxwriter

from demo import sound
from demo.people import Vendor
from demo.stage import Stage
from portal.contacts.models import CallRecord
from portal.files.inspect import Inspection, inspect
from portal.files.service import keep, storage
from portal.files.storage import make_key
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Role
from portal.materials import lengths
from portal.materials.answers import answer_unavailable, hand_in
from portal.materials.events import tell
from portal.materials.kinds import CheckState, ItemState, MaterialKind, RequestEventKind
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from tenants.database import ScopedSession
from tenants.rows import new_id

_ANSWERS = (
    "未接通，连续三日不同时段拨打均无人应答",
    "号码为空号，已申请修复联系方式",
    "本月尚未排期拨打",
)
_REASONS = ("not_connected", "empty_number", "not_called")


@dataclass(frozen=True)
class Made:
    """A file to deliver: its ending, media type, bytes, and what its check found."""

    ending: str
    body: bytes
    found: Inspection


def looked_at(ending: str, body: bytes) -> Inspection:
    """What the portal's own check says of a file."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        path = Path(folder) / f"file.{ending}"
        path.write_bytes(body)
        return inspect(path, path.name)


@lru_cache(maxsize=sound.KINDS)
def _recording(kind: int) -> Made:
    ending, body = sound.recording(kind)
    return Made(ending, body, looked_at(ending, body))


@lru_cache(maxsize=4)
def _checked_record(kind: int) -> Inspection:
    body = record_sheet("X", date(2026, 1, 5), "X", kind)
    return looked_at("xlsx", body)


def record_sheet(case_no: str, day: date, agent: str, calls: int) -> bytes:
    """A collection record (催收记录) as the dialler's office exports it."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True})
    sheet = book.add_worksheet("催收记录")
    sheet.write_row(0, 0, ("案件编号", "日期", "对象", "结果", "通话时长(秒)", "催收员", "摘要"))
    results = ("承诺还款", "无人接听", "已接通，称资金紧张", "关机", "转告")
    for line in range(calls):
        sheet.write_row(
            line + 1,
            0,
            (
                case_no,
                (day - timedelta(days=calls - line)).isoformat(),
                "本人" if line % 3 else "联系人",
                results[line % len(results)],
                (line * 37) % 180,
                agent,
                "已告知欠款金额与还款方式",
            ),
        )
    book.close()
    return sink.getvalue()


def deliver(
    stage: Stage,
    vendor: Vendor,
    request_id: UUID,
    *,
    share: float = 1.0,
    unavailable: float = 0.06,
    hand_over: bool = True,
) -> None:
    """Deliver a share of a request's items, answer some as 无法提供, and hand in."""
    actor = vendor.actor(Role.OFFICE)
    with stage.vendor(vendor.id) as session:
        request = session.scalars(
            sa.select(MaterialRequest).where(MaterialRequest.id == request_id)
        ).one()
        items = list(
            session.scalars(
                sa.select(RequestItem)
                .where(
                    RequestItem.request_id == request_id,
                    RequestItem.state.in_((ItemState.MISSING, ItemState.RETURNED)),
                )
                .order_by(RequestItem.case_no, RequestItem.kind)
            )
        )
        wanted = [item for item in items if item.required or stage.dice.random() < 0.1]
        gone: list[UUID] = []
        for item in wanted[: round(len(wanted) * share)]:
            recorded = item.kind != MaterialKind.COLLECTION_RECORD
            if recorded and stage.dice.random() < unavailable:
                gone.append(item.id)
            else:
                _deliver_item(session, stage, vendor, request, item)
        session.flush()
        if gone:
            _answer(session, stage, vendor, request_id, gone)
        if hand_over:
            seen = session.scalar(
                sa.select(MaterialRequest.version).where(MaterialRequest.id == request_id)
            )
            hand_in(session, request_id, seen_version=seen or 1, actor=actor)


def _answer(
    session: ScopedSession, stage: Stage, vendor: Vendor, request_id: UUID, items: Sequence[UUID]
) -> None:
    which = stage.dice.randrange(len(_REASONS))
    answer_unavailable(
        session,
        request_id,
        items,
        reason=_REASONS[which],
        note=_ANSWERS[which],
        actor=vendor.actor(Role.OFFICE),
    )


def _make(stage: Stage, vendor: Vendor, item: RequestItem, now: datetime) -> Made:
    if item.kind == MaterialKind.COLLECTION_RECORD:
        calls = stage.dice.randint(3, 6)
        agent = stage.dice.choice(vendor.agents).staff_no
        body = record_sheet(item.case_no, clock.beijing(now).date(), agent, calls)
        return Made("xlsx", body, _checked_record(3))
    made = _recording(stage.dice.randrange(sound.KINDS))
    return Made(made.ending, sound.tagged(made.ending, made.body, item.case_no), made.found)


def _remarks(found: Inspection, call: CallRecord | None) -> list[dict[str, Any]]:
    """What the check would say of a recording's length beside its call's."""
    seconds = found.facts.get("duration")
    if call is None or seconds is None:
        return []
    said = lengths.remark(float(seconds), call.seconds)
    return [] if said is None else [{"code": said.code, "params": dict(said.params)}]


def _deliver_item(
    session: ScopedSession,
    stage: Stage,
    vendor: Vendor,
    request: MaterialRequest,
    item: RequestItem,
) -> None:
    """One file on one item. All of the demo's recordings are known to the portal's check already,
    so that its result is written down here instead of being asked for a thousand times."""
    now, actor = clock.now(), vendor.actor(Role.OFFICE)
    made = _make(stage, vendor, item, now)
    call = session.get(CallRecord, (vendor.id, item.call_id)) if item.call_id else None
    at = clock.beijing(call.started_at if call else now)
    name = f"{item.case_no}_{at:%Y%m%d%H%M%S}.{made.ending}"
    stored = keep(
        session,
        made.body,
        tenant_id=vendor.id,
        purpose="material",
        original_name=name,
        safe_name=name,
        media_type=made.found.media_type,
        actor=actor,
        started_at=now - timedelta(seconds=20),
    )
    stored.facts = dict(made.found.facts)
    peaks = None
    if made.found.peaks is not None:
        peaks = make_key(vendor.id, now)
        storage().put(peaks, io.BytesIO(made.found.peaks))
    delivery = Delivery(
        tenant_id=vendor.id,
        id=new_id(),
        request_id=request.id,
        item_id=item.id,
        file_id=stored.id,
        sha256=stored.sha256,
        state="current",
        check_state=CheckState.SOUND,
        check_result={
            "kind": made.found.kind.value if made.found.kind else "",
            "problems": [],
            "remarks": _remarks(made.found, call),
            "facts": dict(made.found.facts),
            "checked_at": now.isoformat(),
            "virus_scan": "not_scanned",
        },
        peaks_key=peaks,
        matched_how="case_no",
        started_at=now - timedelta(seconds=20),
        delivered_at=now,
        delivered_by_name=actor.name,
    )
    session.add(delivery)
    item.state = ItemState.DELIVERED
    item.version += 1
    data = {"case_no": item.case_no, "kind": item.kind, "file": name}
    tell(session, request, RequestEventKind.DELIVERED, actor=actor, data=data)
    record(
        session,
        "materials.file.delivered",
        ("delivery", delivery.id),
        actor=actor,
        tenant_id=vendor.id,
        data={"number": request.number, "item": str(item.id), "sha256": delivery.sha256},
    )
