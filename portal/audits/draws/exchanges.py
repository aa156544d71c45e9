"""Which cases of a draw were exchanged after it was issued (换抽), and why (A3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import DrawShare
from portal.cases.models import Case
from portal.materials.kinds import RequestEventKind
from portal.materials.models import RequestEvent, RequestItem
from portal.vendors.models import Project


@dataclass(frozen=True, slots=True)
class Exchange:
    """A case that was drawn in another's place: both by id and number, the reason, who and when."""

    case_id: UUID
    case_no: str
    project: str
    age_band: str
    old_id: UUID
    old_no: str
    reason: str
    at: datetime
    by_name: str


def exchanges_of(session: Session, share: DrawShare) -> Sequence[Exchange]:
    """The exchanges of a vendor's part, in the order in which they were made; what was put in
    another's place and replaced in its turn stands in two of them."""
    if share.request_id is None:
        return ()
    newcomers = {
        row.case_no: row
        for row in session.execute(
            sa.select(
                RequestItem.case_id,
                RequestItem.case_no,
                RequestItem.replaces_case_id,
                Project.name,
                Case.age_band,
            )
            .join(
                Case,
                sa.and_(Case.tenant_id == RequestItem.tenant_id, Case.id == RequestItem.case_id),
            )
            .join(
                Project, sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id)
            )
            .where(
                RequestItem.tenant_id == share.tenant_id,
                RequestItem.request_id == share.request_id,
                RequestItem.replaces_case_id.is_not(None),
            )
            .distinct()
        )
    }
    if not newcomers:
        return ()
    events = session.scalars(
        sa.select(RequestEvent)
        .where(
            RequestEvent.tenant_id == share.tenant_id,
            RequestEvent.request_id == share.request_id,
            RequestEvent.kind == RequestEventKind.SUBSTITUTED,
        )
        .order_by(RequestEvent.id)
    )
    return [
        Exchange(
            row.case_id,
            row.case_no,
            row.name,
            row.age_band,
            row.replaces_case_id,
            event.data["case_no"],
            event.data["note"],
            event.at,
            event.by_name,
        )
        for event in events
        if (row := newcomers.get(event.data["by_case_no"])) is not None
    ]
