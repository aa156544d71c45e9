"""What keeps things beyond their time: holds, what is requested, what is disputed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.models import Appeal
from portal.audits.appeals.rules import AppealState
from portal.audits.models import AssessmentForm, Finding
from portal.materials.models import MaterialRequest, RequestItem
from portal.materials.queries import request_of_item
from portal.materials.rules import OPEN_STATES
from portal.rectification.models import Rectification
from portal.retention.kinds import HoldOn
from portal.retention.models import LegalHold


@dataclass(frozen=True, slots=True)
class Keepers:
    """What keeps a vendor's things beyond their time: holds with their reasons; cases that an
    open request names, an open rectification notice is about or an open appeal disputes."""

    held_cases: dict[UUID, str] = field(default_factory=dict)
    held_requests: dict[UUID, str] = field(default_factory=dict)
    held_notices: dict[UUID, str] = field(default_factory=dict)
    wanted: dict[UUID, str] = field(default_factory=dict)

    @property
    def any_hold(self) -> str | None:
        """The reason of one of the vendor's holds; None without any."""
        for held in (self.held_cases, self.held_requests, self.held_notices):
            if held:
                return next(iter(held.values()))
        return None


def keepers(session: Session, tenant_id: UUID) -> Keepers:
    """The holds, open requests and open notices of a vendor."""
    found = Keepers()
    by_type = {
        HoldOn.CASE.value: found.held_cases,
        HoldOn.REQUEST.value: found.held_requests,
        HoldOn.NOTICE.value: found.held_notices,
    }
    for hold in session.scalars(
        sa.select(LegalHold).where(LegalHold.tenant_id == tenant_id, LegalHold.lifted_at.is_(None))
    ):
        by_type[hold.subject_type][hold.subject_id] = hold.reason
    for case_id, request_id in session.execute(
        sa.select(RequestItem.case_id, RequestItem.request_id)
        .where(
            RequestItem.tenant_id == tenant_id,
            RequestItem.request_id.in_(list(found.held_requests)),
        )
        .distinct()
    ):
        found.held_cases.setdefault(case_id, found.held_requests[request_id])
    for row in session.execute(_cases_of_notices(tenant_id)):
        if row.id in found.held_notices:
            found.held_cases.setdefault(row.case_id, found.held_notices[row.id])
        if row.closed_at is None:
            found.wanted.setdefault(row.case_id, row.number or "")
    found.wanted.update(_disputed(session, tenant_id))
    found.wanted.update(_wanted(session, tenant_id))
    return found


def _cases_of_notices(tenant_id: UUID) -> Any:
    return (
        sa.select(Rectification.id, Rectification.number, Rectification.closed_at, Finding.case_id)
        .join(
            Finding,
            sa.and_(
                Finding.tenant_id == Rectification.tenant_id,
                Finding.form_id == Rectification.form_id,
            ),
        )
        .where(Rectification.tenant_id == tenant_id, Rectification.issued_at.is_not(None))
        .distinct()
    )


def _disputed(session: Session, tenant_id: UUID) -> dict[UUID, str]:
    """The cases whose findings the vendor appeals, by the form's number, until it is decided."""
    rows = session.execute(
        sa.select(Finding.case_id, AssessmentForm.number)
        .join(
            Appeal,
            sa.and_(Appeal.tenant_id == Finding.tenant_id, Appeal.finding_id == Finding.id),
        )
        .join(
            AssessmentForm,
            sa.and_(
                AssessmentForm.tenant_id == Appeal.tenant_id, AssessmentForm.id == Appeal.form_id
            ),
        )
        .where(Finding.tenant_id == tenant_id, Appeal.state == AppealState.OPEN)
    )
    return {row.case_id: row.number or "" for row in rows}


def _wanted(session: Session, tenant_id: UUID) -> dict[UUID, str]:
    rows = session.execute(
        sa.select(RequestItem.case_id, MaterialRequest.number)
        .join(MaterialRequest, request_of_item())
        .where(
            RequestItem.tenant_id == tenant_id,
            MaterialRequest.state.in_([state.value for state in OPEN_STATES]),
            RequestItem.state != "cancelled",
        )
        .distinct()
    )
    return {row.case_id: row.number for row in rows}
