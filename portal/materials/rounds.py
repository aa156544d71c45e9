"""A request's clocks: one from the issue, another for what is owed later (A3)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.deadlines.models import Deadline
from portal.deadlines.queries import rounds_of
from portal.deadlines.rules import DeadlineState
from portal.deadlines.service import open_deadline
from portal.kernel import clock
from portal.materials.models import MaterialRequest
from portal.materials.queries import CLOCK
from portal.materials.rules import WORKING_DAYS


def next_round(session: Session, request: MaterialRequest) -> Deadline:
    """The clock for what is owed from now on: two working days. One that runs at least as long
    is shared, else another round is opened."""
    due = calendar_service.load(session).due_after(clock.now(), WORKING_DAYS)
    rounds = rounds_of(session, request.tenant_id, request.id, CLOCK)
    for row in rounds:
        if row.state == DeadlineState.OPEN and row.due_at >= due.due_at:
            return row
    return open_deadline(
        session,
        tenant_id=request.tenant_id,
        kind=CLOCK,
        subject=("material_request", request.id),
        label=request.number,
        owed_by="vendor",
        due=due,
        round_no=rounds[-1].round + 1 if rounds else 1,
    )
