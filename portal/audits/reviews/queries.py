"""Reads of the review desk: the queue, one case with its materials, the escalations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Finding, Review
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.rules import CheckState, Stage
from portal.cases.models import Case
from portal.contacts.queries import CallFacts, calls_of
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.materials.delivered import FileRow, files_of
from portal.materials.kinds import ItemState
from portal.materials.models import MaterialRequest, RequestItem
from portal.materials.queries import counted_state
from portal.vendors.models import Group, Member, Project
from tenants.models import Tenant

HERE = (ItemState.DELIVERED.value, ItemState.ACCEPTED.value)
STAGES = (Stage.FIRST.value, Stage.SECOND.value, Stage.FACTS.value)
"""The stages of a case that is not judged yet."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A drawn case in the queue. `wanted`/`here`: its material items, and those delivered."""

    id: UUID
    case_no: str
    vendor: str
    request_id: UUID
    request_no: str
    entrusting_company: str
    opened_at: datetime
    state: str
    stage: str
    heard_by: str
    verdict: str | None
    judged_by: str
    reported: bool
    wanted: int = 0
    here: int = 0
    unavailable: int = 0
    findings: int = 0
    closed: bool = False
    """Its judgement is closed to the reader, who may give a blind opinion of it."""


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What the queue is narrowed to; None and "" mean all. `state`: open, a stage (first, second,
    facts), pass, fail."""

    vendor_id: UUID | None = None
    request_id: UUID | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reviews of a request are."""

    request_id: UUID
    tenant_id: UUID
    number: str
    vendor: str
    cases: int
    judged: int
    passed: int
    unreported: int
    """Failed cases that no form reports yet."""


@dataclass(frozen=True, slots=True)
class Material:
    """A material wanted of the case, its state, what the vendor said, and its files. `call_id`:
    the call whose recording it is."""

    kind: str
    required: bool
    state: str
    call_id: UUID | None
    answer_reason: str
    answer_note: str
    answered_by: str
    answered_at: datetime | None
    files: tuple[FileRow, ...]


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What an auditor sees of the case; personal data masked (C4.1)."""

    case: Case
    project: str
    group: str
    person: str
    member_id: UUID | None


def get_review(session: Session, review_id: UUID, *, lock: bool = False) -> Review:
    """A review (company scope); raises `NotFound`. `lock` for whoever is going to change it."""
    statement = sa.select(Review).where(Review.id == review_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("review")
    return row


def queue(
    session: Session,
    wanted: QueueFilter,
    cursor: str | None = None,
    *,
    size: int = 50,
    closed: Collection[UUID] = (),
) -> Page[QueueRow]:
    """Drawn cases, newest request first. Of those whose judgement is `closed` to the reader
    (`blind`) nothing is told of who judged them and how."""
    statement = (
        sa.select(
            Review.id,
            Review.tenant_id,
            Review.case_id,
            Review.case_no,
            Review.request_id,
            Review.opened_at.label("sort_key"),
            Review.state,
            Review.stage,
            Review.first_by_name,
            Review.verdict,
            Review.judged_by_name,
            Review.form_id,
            Tenant.short_name,
            MaterialRequest.number,
            Case.entrusting_company,
        )
        .join(Tenant, Tenant.id == Review.tenant_id)
        .join(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == Review.tenant_id,
                MaterialRequest.id == Review.request_id,
            ),
        )
        .join(Case, sa.and_(Case.tenant_id == Review.tenant_id, Case.id == Review.case_id))
    )
    if wanted.vendor_id:
        statement = statement.where(Review.tenant_id == wanted.vendor_id)
    if wanted.request_id:
        statement = statement.where(Review.request_id == wanted.request_id)
    if wanted.state == "open":
        statement = statement.where(Review.state == "open")
    elif wanted.state in STAGES:
        statement = statement.where(Review.stage == wanted.state)
    elif wanted.state:
        statement = statement.where(Review.verdict == wanted.state)
        statement = statement.where(Review.id.not_in(closed)) if closed else statement
    sort = Sort(Review.opened_at, Review.id, True)
    page = paginate(session, statement, sort, cursor, size=size)
    items, counts = _items(session, page.items), _finding_counts(session, page.items)
    made = page.map(lambda row: _queue_row(row, items, counts))
    return made.map(lambda row: _kept_from(row) if row.id in closed else row)


def _kept_from(row: QueueRow) -> QueueRow:
    return replace(row, heard_by="", judged_by="", verdict=None, findings=0, closed=True)


def _queue_row(
    row: Any, items: dict[tuple[UUID, UUID], dict[str, int]], findings: dict[UUID, int]
) -> QueueRow:
    states = items.get((row.request_id, row.case_id), {})
    return QueueRow(
        row.id,
        row.case_no,
        row.short_name,
        row.request_id,
        row.number,
        row.entrusting_company,
        row.sort_key,
        row.state,
        row.stage,
        row.first_by_name or "",
        row.verdict,
        row.judged_by_name or "",
        row.form_id is not None,
        sum(states.values()),
        sum(states.get(state, 0) for state in HERE),
        states.get(ItemState.UNAVAILABLE, 0),
        findings.get(row.id, 0),
    )


def _items(session: Session, rows: Sequence[Any]) -> dict[tuple[UUID, UUID], dict[str, int]]:
    """Required items by request, case and state, for one page of the queue."""
    keys = [(row.tenant_id, row.request_id, row.case_id) for row in rows]
    found: dict[tuple[UUID, UUID], dict[str, int]] = {}
    state = counted_state()
    for row in session.execute(
        sa.select(
            RequestItem.request_id,
            RequestItem.case_id,
            state.label("state"),
            sa.func.count().label("items"),
        )
        .where(
            sa.tuple_(RequestItem.tenant_id, RequestItem.request_id, RequestItem.case_id).in_(keys),
            sa.or_(RequestItem.required, RequestItem.state != ItemState.MISSING),
        )
        .group_by(RequestItem.request_id, RequestItem.case_id, state)
    ):
        found.setdefault((row.request_id, row.case_id), {})[row.state] = row.items
    return found


def _finding_counts(session: Session, rows: Sequence[Any]) -> dict[UUID, int]:
    keys = [(row.tenant_id, row.id) for row in rows]
    rows_found = session.execute(
        sa.select(Finding.review_id, sa.func.count())
        .where(
            sa.tuple_(Finding.tenant_id, Finding.review_id).in_(keys),
            Finding.state != "withdrawn",
        )
        .group_by(Finding.review_id)
    )
    return {row[0]: row[1] for row in rows_found}


def progress(
    session: Session,
    *,
    request_id: UUID | None = None,
    limit: int = 50,
    closed: Collection[UUID] = (),
) -> list[Progress]:
    """Requests under review with how far each is, newest first. Cases whose judgement is `closed`
    to the reader (`blind`) count as judged, but not as passed or failed."""
    told = Review.id.not_in(closed) if closed else sa.true()
    statement = (
        sa.select(
            Review.request_id,
            Review.tenant_id,
            MaterialRequest.number,
            Tenant.short_name,
            sa.func.count(),
            sa.func.count().filter(Review.state == "judged"),
            sa.func.count().filter(Review.verdict == "pass", told),
            sa.func.count().filter(Review.verdict == "fail", Review.form_id.is_(None), told),
        )
        .join(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == Review.tenant_id,
                MaterialRequest.id == Review.request_id,
            ),
        )
        .join(Tenant, Tenant.id == Review.tenant_id)
        .group_by(
            Review.request_id,
            Review.tenant_id,
            MaterialRequest.number,
            MaterialRequest.issued_at,
            Tenant.short_name,
        )
        .order_by(MaterialRequest.issued_at.desc(), Review.request_id)
        .limit(limit)
    )
    if request_id is not None:
        statement = statement.where(Review.request_id == request_id)
    return [Progress(*row) for row in session.execute(statement)]


def case_facts(session: Session, review: Review) -> CaseFacts:
    """The case under review; raises `NotFound`."""
    row = session.execute(
        sa.select(Case, Project.name, Group.name, Member.name)
        .join(Project, sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id))
        .outerjoin(Group, sa.and_(Group.tenant_id == Case.tenant_id, Group.id == Case.group_id))
        .outerjoin(Member, sa.and_(Member.tenant_id == Case.tenant_id, Member.id == Case.member_id))
        .where(Case.tenant_id == review.tenant_id, Case.id == review.case_id)
    ).first()
    if row is None:
        raise NotFound("case")
    case, project, group, person = row
    return CaseFacts(case, project, group or "", person or "", case.member_id)


def materials_of(session: Session, review: Review) -> list[Material]:
    """What was wanted of the case and what came, each with its current files."""
    items = session.scalars(
        sa.select(RequestItem)
        .where(
            RequestItem.tenant_id == review.tenant_id,
            RequestItem.request_id == review.request_id,
            RequestItem.case_id == review.case_id,
        )
        .order_by(RequestItem.kind, RequestItem.id)
    ).all()
    files = files_of(session, [item.id for item in items])
    return [
        Material(
            item.kind,
            item.required,
            item.state,
            item.call_id,
            item.answer_reason or "",
            item.answer_note or "",
            item.answered_by_name or "",
            item.answered_at,
            tuple(row for row in files.get(item.id, ()) if row.state == "current"),
        )
        for item in items
    ]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the case in the request's window, with its recording where one was delivered."""

    facts: CallFacts
    recording: FileRow | None
    state: str
    """The state of the recording that is expected of it; empty where none is."""


def calls_of_case(session: Session, review: Review, materials: Sequence[Material]) -> list[Call]:
    """The call records of the case in the window of its request, by time, each beside what was
    delivered for it."""
    window = session.execute(
        sa.select(MaterialRequest.window_from, MaterialRequest.window_to).where(
            MaterialRequest.tenant_id == review.tenant_id,
            MaterialRequest.id == review.request_id,
        )
    ).one()
    items = {material.call_id: material for material in materials if material.call_id}
    since = clock.at_beijing(window.window_from)
    until = clock.at_beijing(window.window_to + timedelta(days=1))
    calls = calls_of(session, review.tenant_id, [review.case_id], since, until)
    return [_call(call, items.get(call.id)) for call in calls]


def _call(call: CallFacts, item: Material | None) -> Call:
    if item is None:
        return Call(call, None, "")
    heard = next((file for file in item.files if file.is_audio), None)
    return Call(call, heard, item.state)


def next_for(session: Session, account_id: UUID, after: Review | None = None) -> UUID | None:
    """The next case at which this auditor can do something now: listen first; listen second and
    judge what another heard first; judge what the vendor has checked.

    Of the request of the case `after` first, by case number and round to the first; then of the
    others, those opened longest ago first.
    """
    statement = sa.select(Review.id).where(_workable(account_id))
    if after is not None:
        same = sa.and_(Review.tenant_id == after.tenant_id, Review.request_id == after.request_id)
        ahead = sa.case((sa.and_(same, Review.case_no > after.case_no), 0), (same, 1), else_=2)
        statement = statement.where(Review.id != after.id).order_by(ahead)
    statement = statement.order_by(Review.opened_at, Review.case_no, Review.id)
    return session.scalar(statement.limit(1))


def _workable(account_id: UUID) -> sa.ColumnElement[bool]:
    waiting = sa.exists().where(
        FactCheck.tenant_id == Review.tenant_id,
        FactCheck.review_id == Review.id,
        FactCheck.state == CheckState.ASKED,
        FactCheck.due_at >= clock.now(),
    )
    of_another = Review.first_by.is_distinct_from(account_id)
    return sa.or_(
        Review.stage == Stage.FIRST,
        sa.and_(Review.stage == Stage.SECOND, of_another),
        sa.and_(Review.stage == Stage.FACTS, of_another, ~waiting),
    )


def vendors(session: Session) -> list[tuple[UUID, str]]:
    """Vendors that have cases under review, for the filter."""
    rows = session.execute(
        sa.select(Tenant.id, Tenant.short_name)
        .where(sa.exists().where(Review.tenant_id == Tenant.id))
        .order_by(Tenant.code)
    )
    return [(row.id, row.short_name) for row in rows]
