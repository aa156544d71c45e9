"""Who in the company is told when a rectification notice is overdue (C2.4, A5)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from portal.kernel.access import Role
from portal.rectification.models import Rectification
from portal.rectification.service import outcomes
from portal.vendors.clauses import Outcome


def told(outcome: Outcome, *, still_open: bool) -> tuple[Role, ...]:
    """The vendor manager and the general department at the breach; the general manager's office
    at once where the level stops the work or is reported to it, of others when the notice is
    still open a working day later."""
    roles = (Role.VENDOR_MANAGER, Role.GENERAL_DEPARTMENT)
    if still_open or outcome.stop or outcome.report:
        return (*roles, Role.GENERAL_MANAGER)
    return roles


def told_of(
    session: Session, tenant_id: UUID, notice_id: UUID, *, still_open: bool
) -> tuple[Role, ...]:
    """Whom the overdue clock of a notice is told to, by its level (company scope)."""
    notice = session.get(Rectification, (tenant_id, notice_id))
    if notice is None:
        return (Role.VENDOR_MANAGER,)
    return told(outcomes(session)[notice.level], still_open=still_open)
