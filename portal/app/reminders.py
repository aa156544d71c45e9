"""Who is told of clocks: the vendor that owes, the company's people who follow up (UX 11)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.deadlines.models import Deadline
from portal.deadlines.service import DeadlineNear, DeadlinePassed
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.phrases import Phrase, phrase
from portal.notifications.service import notify

_VENDOR = (Role.MANAGER, Role.OFFICE)
_COMPANY = {
    "material_request": (Role.AUDITOR, Role.AUDIT_HEAD),
    "rectification": (Role.VENDOR_MANAGER,),
    "finding_form": (Role.AUDITOR, Role.AUDIT_HEAD),
}
_PATHS = {
    "material_request": "/requests/{}",
    "rectification": "/rectifications/{}",
}


def _path(row: Deadline) -> str:
    return _PATHS.get(row.kind, "/").format(row.subject_id)


def _due(row: Deadline) -> str:
    return f"{clock.beijing(row.due_at):%Y-%m-%d %H:%M}"


def _tell_vendor(session: Session, row: Deadline, message: Phrase) -> None:
    if row.owed_by == "vendor":
        notify(session, tenant_id=row.tenant_id, roles=_VENDOR, message=message, path=_path(row))


def passed(session: Session, event: DeadlinePassed, actor: Actor) -> None:
    """A clock ran out: tell who owed it, and who follows it up in the company."""
    row = event.deadline
    message = phrase("Overdue: %(label)s was due %(due)s.", label=row.label, due=_due(row))
    _tell_vendor(session, row, message)
    notify(
        session,
        tenant_id=actor.company_id,
        roles=_COMPANY.get(row.kind, (Role.VENDOR_MANAGER,)),
        message=message,
        path=_path(row),
    )


def near(session: Session, event: DeadlineNear, actor: Actor) -> None:
    """A clock is about to run out: tell who owes it."""
    row = event.deadline
    message = phrase("Soon due: %(label)s, %(due)s.", label=row.label, due=_due(row))
    if row.owed_by == "vendor":
        _tell_vendor(session, row, message)
    else:
        notify(
            session,
            tenant_id=actor.company_id,
            roles=_COMPANY.get(row.kind, (Role.VENDOR_MANAGER,)),
            message=message,
            path=_path(row),
        )
