"""Reads of rectification notices: lists, one notice with its rounds, facts for the score."""

from __future__ import annotations

import calendar as months
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar.rules import WorkingCalendar
from portal.deadlines.models import Deadline
from portal.deadlines.rules import DeadlineState
from portal.files.models import StoredFile
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.materials.rules import working_days_late
from portal.rectification.kinds import RectificationState
from portal.rectification.models import (
    Answer,
    Decision,
    Demand,
    Evidence,
    Rectification,
)
from tenants.models import Tenant

CLOCK = "rectification"
"""The kind of the clock of a notice; a return opens the next round's."""
RECHECK = "rectification_recheck"
"""The kind of the company's own clock: the effectiveness re-check is due."""


@dataclass(frozen=True, slots=True)
class MissedRectification:
    """A notice not answered in time. `working_days_late` None: not answered at all yet."""

    id: UUID
    number: str
    working_days_late: int | None


@dataclass(frozen=True, slots=True)
class RectificationFacts:
    """The month's obligations to answer: how many notices fell due, and those missed."""

    total: int
    missed: tuple[MissedRectification, ...]


def score_facts(
    session: Session, tenant_id: UUID, period: str, calendar: WorkingCalendar
) -> RectificationFacts:
    """Notices whose due time, first or moved by a return, fell into the Beijing month "YYYY-MM"
    and has passed. A notice counts once a month, by the worst of its rounds. Cancelled ones do
    not count."""
    first, after = _month(period)
    rows = session.execute(
        sa.select(Rectification.id, Rectification.number, Deadline.due_at, Deadline.met_at)
        .join(
            Deadline,
            sa.and_(
                Deadline.tenant_id == Rectification.tenant_id,
                Deadline.subject_id == Rectification.id,
                Deadline.kind == CLOCK,
            ),
        )
        .where(
            Rectification.tenant_id == tenant_id,
            Rectification.state != RectificationState.CANCELLED,
            Deadline.state != DeadlineState.VOID,
            Deadline.due_at >= first,
            Deadline.due_at < min(after, clock.now()),
        )
        .order_by(Rectification.number, Deadline.round)
    ).all()
    missed: dict[UUID, MissedRectification] = {}
    for row in rows:
        if row.met_at is not None and row.met_at <= row.due_at:
            continue
        late = None
        if row.met_at is not None:
            late = working_days_late(calendar, row.due_at, row.met_at)
        known = missed.get(row.id)
        if known is None or (
            known.working_days_late is not None and (late is None or late > known.working_days_late)
        ):
            missed[row.id] = MissedRectification(row.id, row.number or "", late)
    return RectificationFacts(len({row.id for row in rows}), tuple(missed.values()))


def _month(period: str) -> tuple[datetime, datetime]:
    """The first moment of a Beijing month and the first after it."""
    year, month = (int(part) for part in period.split("-"))
    last = date(year, month, months.monthrange(year, month)[1])
    return clock.at_beijing(date(year, month, 1)), clock.at_beijing(last + timedelta(days=1))


# --- lists ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A notice in a list. `clock` is its newest round's deadline, None for drafts."""

    id: UUID
    tenant_id: UUID
    vendor: str
    number: str
    title: str
    level: str
    source: str
    state: str
    round: int
    created_at: datetime
    issued_at: datetime | None
    clock: Deadline | None


def list_notices(
    session: Session,
    *,
    vendor_id: UUID | None = None,
    state: str = "",
    level: str = "",
    cursor: str | None = None,
) -> Page[NoticeRow]:
    """Notices, newest first. A vendor's scope shows the issued ones of its own."""
    statement = sa.select(
        Rectification,
        Rectification.id,
        Rectification.created_at.label("sort_key"),
        Tenant.short_name,
    ).join(Tenant, Tenant.id == Rectification.tenant_id)
    if vendor_id:
        statement = statement.where(Rectification.tenant_id == vendor_id)
    if state:
        statement = statement.where(Rectification.state == state)
    if level:
        statement = statement.where(Rectification.level == level)
    sort = Sort(Rectification.created_at, Rectification.id, True)
    page = paginate(session, statement, sort, cursor)
    clocks = _clocks(session, [(row.Rectification.tenant_id, row.id) for row in page.items])
    return page.map(lambda row: _notice_row(row, clocks))


def _clocks(session: Session, keys: list[tuple[UUID, UUID]]) -> dict[UUID, Deadline]:
    rows = session.scalars(
        sa.select(Deadline)
        .where(sa.tuple_(Deadline.tenant_id, Deadline.subject_id).in_(keys), Deadline.kind == CLOCK)
        .order_by(Deadline.round)
    )
    return {row.subject_id: row for row in rows}


def _notice_row(row: Any, clocks: dict[UUID, Deadline]) -> NoticeRow:
    notice: Rectification = row.Rectification
    return NoticeRow(
        notice.id,
        notice.tenant_id,
        row.short_name,
        notice.number or "",
        notice.title,
        notice.level,
        notice.source,
        notice.state,
        notice.round,
        notice.created_at,
        notice.issued_at,
        clocks.get(notice.id),
    )


# --- one notice ----------------------------------------------------------------------------------


def get_notice(session: Session, notice_id: UUID, *, lock: bool = False) -> Rectification:
    """A notice that this scope sees; raises `NotFound`."""
    statement = sa.select(Rectification).where(Rectification.id == notice_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("rectification notice")
    return row


def demands_of(session: Session, notice: Rectification) -> list[Demand]:
    """The demands in their order."""
    return list(
        session.scalars(
            sa.select(Demand)
            .where(
                Demand.tenant_id == notice.tenant_id,
                Demand.rectification_id == notice.id,
            )
            .order_by(Demand.position)
        )
    )


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file beside an answer."""

    id: UUID
    file_id: UUID
    name: str
    size: int
    sha256: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Round:
    """One round: its clock, the answer (a draft is the vendor's alone) and the decision."""

    number: int
    clock: Deadline | None
    answer: Answer | None
    files: tuple[EvidenceFile, ...]
    decision: Decision | None
    reopening: Decision | None


def rounds_of(session: Session, notice: Rectification, *, drafts: bool) -> list[Round]:
    """All rounds, oldest first. `drafts`: with the answer that is still being written."""
    mine = {"tenant_id": notice.tenant_id, "rectification_id": notice.id}
    answers = {row.round: row for row in session.scalars(sa.select(Answer).filter_by(**mine))}
    if not drafts:
        answers = {no: row for no, row in answers.items() if row.state == "submitted"}
    every = session.scalars(sa.select(Decision).filter_by(**mine)).all()
    decisions = {row.round: row for row in every if row.verdict != "reopened"}
    reopenings = {row.round: row for row in every if row.verdict == "reopened"}
    clocks = {
        row.round: row
        for row in session.scalars(
            sa.select(Deadline).where(
                Deadline.tenant_id == notice.tenant_id,
                Deadline.subject_id == notice.id,
                Deadline.kind == CLOCK,
            )
        )
    }
    files = _files(session, notice.tenant_id, [row.id for row in answers.values()])
    return [
        Round(
            number,
            clocks.get(number),
            answers.get(number),
            files.get(answers[number].id, ()) if number in answers else (),
            decisions.get(number),
            reopenings.get(number),
        )
        for number in range(1, notice.round + 1)
    ]


def _files(
    session: Session, tenant_id: UUID, answer_ids: list[UUID]
) -> dict[UUID, tuple[EvidenceFile, ...]]:
    rows = session.execute(
        sa.select(Evidence, StoredFile)
        .join(
            StoredFile,
            sa.and_(StoredFile.tenant_id == Evidence.tenant_id, StoredFile.id == Evidence.file_id),
        )
        .where(Evidence.tenant_id == tenant_id, Evidence.answer_id.in_(answer_ids))
        .order_by(Evidence.id)
    )
    found: dict[UUID, tuple[EvidenceFile, ...]] = {}
    for evidence, file in rows:
        entry = EvidenceFile(
            evidence.id,
            file.id,
            file.safe_name,
            file.size,
            file.sha256,
            evidence.added_at,
        )
        found[evidence.answer_id] = (*found.get(evidence.answer_id, ()), entry)
    return found


def evidence_file(
    session: Session, notice: Rectification, evidence_id: UUID, *, drafts: bool
) -> StoredFile:
    """The stored file of an evidence of this notice; raises `NotFound`. A draft's files are for
    the vendor only (`drafts`)."""
    statement = (
        sa.select(StoredFile)
        .join(
            Evidence,
            sa.and_(Evidence.tenant_id == StoredFile.tenant_id, Evidence.file_id == StoredFile.id),
        )
        .join(
            Answer,
            sa.and_(Answer.tenant_id == Evidence.tenant_id, Answer.id == Evidence.answer_id),
        )
        .where(
            Evidence.tenant_id == notice.tenant_id,
            Evidence.id == evidence_id,
            Answer.rectification_id == notice.id,
            StoredFile.state == "stored",
        )
    )
    if not drafts:
        statement = statement.where(Answer.state == "submitted")
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("evidence")
    return row
