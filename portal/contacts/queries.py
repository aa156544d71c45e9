"""Reads of contact records: the calls of cases in a window, and the lists they came by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.contacts.models import CallList, CallRecord
from portal.files.problems import describe
from portal.kernel.phrases import Phrase


@dataclass(frozen=True, slots=True)
class CallFacts:
    """A call as pages show it; the number masked (C4.1). `seconds`: the talk's length."""

    id: UUID
    case_id: UUID
    started_at: datetime
    seconds: int
    connected: bool
    direction: str
    phone_masked: str
    extension: str
    agent: str
    call_shown: str
    by_vendor: bool
    by_company: bool


def _facts(call: CallRecord) -> CallFacts:
    return CallFacts(
        call.id,
        call.case_id,
        call.started_at,
        call.seconds,
        call.connected,
        call.direction,
        call.phone_masked,
        call.extension,
        call.agent,
        call.call_shown,
        call.vendor_list_id is not None,
        call.company_list_id is not None,
    )


def calls_of(
    session: Session,
    tenant_id: UUID,
    case_ids: Iterable[UUID],
    since: datetime,
    until: datetime,
) -> list[CallFacts]:
    """The calls of these cases that began in [since, until), by time."""
    rows = session.scalars(
        sa.select(CallRecord)
        .where(
            CallRecord.tenant_id == tenant_id,
            CallRecord.case_id.in_(list(case_ids)),
            CallRecord.started_at >= since,
            CallRecord.started_at < until,
        )
        .order_by(CallRecord.started_at, CallRecord.id)
    )
    return [_facts(row) for row in rows]


def calls_by_id(session: Session, ids: Iterable[UUID]) -> dict[UUID, CallFacts]:
    """Calls by id, those that the scope sees."""
    wanted = list(ids)
    if not wanted:
        return {}
    rows = session.scalars(sa.select(CallRecord).where(CallRecord.id.in_(wanted)))
    return {row.id: _facts(row) for row in rows}


@dataclass(frozen=True, slots=True)
class ListLine:
    """An imported list: its counts, and what is wrong with it."""

    id: UUID
    file_id: UUID
    name: str
    by_company: bool
    state: str
    at: datetime
    by: str
    run_id: UUID | None
    counts: Mapping[str, int]
    file_errors: tuple[Mapping[str, Any], ...]
    errors: tuple[Mapping[str, Any], ...]


def lists_of(session: Session, tenant_id: UUID, *, limit: int = 20) -> list[ListLine]:
    """The newest lists of a vendor's calls that the scope sees, newest first."""
    rows = session.scalars(
        sa.select(CallList)
        .where(CallList.tenant_id == tenant_id)
        .order_by(CallList.uploaded_at.desc(), CallList.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    return [
        ListLine(
            row.id,
            row.file_id,
            row.safe_name,
            row.by_company,
            row.state,
            row.uploaded_at,
            row.uploaded_by_name,
            row.run_id,
            row.report.get("counts", {}),
            tuple(row.report.get("file_errors", ())),
            tuple(row.report.get("errors", ())),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong with a cell of a list; nothing of a personal column."""

    row: int
    letter: str
    title: str
    shown: str
    message: Phrase


def remarks_of(found: CallList) -> list[Remark]:
    """The wrong cells of a list that was read, in the order of the sheet."""
    return [
        Remark(
            one["row"],
            one["letter"],
            one["title"],
            one["shown"],
            describe(one["code"], one["params"]),
        )
        for one in found.report.get("errors", ())
    ]
