"""What a clock that was extended says of hand-ins before the decision: counted from the new date.

Only what was asked in time is granted, so that nobody is spared by asking late; the receipt that
said "late" is replaced by one that says what holds now, and each names the other.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.deadlines.models import Deadline
from portal.journal.service import record
from portal.kernel.access import Actor
from portal.materials import papers
from portal.materials.models import HandIn, MaterialRequest, RequestItem
from portal.materials.rules import working_days_late
from portal.notices.models import Document
from portal.notices.service import issue


def recount(
    session: Session,
    request: MaterialRequest,
    deadline: Deadline,
    old_due_at: datetime,
    *,
    actor: Actor,
) -> int:
    """Count the request's items and hand-ins on an extended clock from its new date (company
    scope); returns how many hand-ins changed."""
    if deadline.round == 1:
        request.due_at = deadline.due_at
    session.execute(
        sa.update(RequestItem)
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
            RequestItem.round == deadline.round,
            RequestItem.due_at == old_due_at,
        )
        .values(due_at=deadline.due_at)
        .execution_options(synchronize_session="fetch")
    )
    rows = session.scalars(
        sa.select(HandIn)
        .where(
            HandIn.tenant_id == request.tenant_id,
            HandIn.request_id == request.id,
            HandIn.due_at == old_due_at,
            HandIn.in_time.is_(False),
        )
        .order_by(HandIn.no)
        .with_for_update()
    ).all()
    for row in rows:
        _recount(session, request, row, deadline, actor=actor)
    session.flush()
    return len(rows)


def _recount(
    session: Session, request: MaterialRequest, row: HandIn, deadline: Deadline, *, actor: Actor
) -> None:
    before = row.working_days_late
    row.due_at, row.in_time = deadline.due_at, row.at <= deadline.due_at
    row.working_days_late = working_days_late(
        calendar_service.load(session), deadline.due_at, row.at
    )
    former = session.get(Document, (row.tenant_id, row.document_id)) if row.document_id else None
    if former is not None:
        made = issue(
            session,
            tenant_id=row.tenant_id,
            template=former.template,
            number=papers.next_edition(former.number, f"{request.number}-R{row.no}"),
            title=former.title,
            content=papers.recounted_receipt(former.content, row, deadline),
            subject=("hand_in", row.id),
            locale=former.locale,
            supersedes=former,
            actor=actor,
        )
        row.document_id = made.id
    record(
        session,
        "materials.hand_in.recounted",
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={"no": row.no, "days_late": row.working_days_late, "before": before},
    )
