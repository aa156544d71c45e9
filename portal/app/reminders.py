"""Who is told of clocks: the vendor that owes, the company's people who follow up (UX 11)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from portal.deadlines import extensions
from portal.deadlines.models import Deadline
from portal.deadlines.service import DeadlineNear, DeadlinePassed, DeadlineUnmet
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.phrases import Phrase, When, phrase
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.rectification import escalation
from portal.rectification import queries as rectification
from portal.rectification.permissions import MANAGE

VENDOR = (Role.MANAGER, Role.OFFICE)
FOLLOWERS = {
    "material_request": (Role.AUDITOR, Role.AUDIT_HEAD),
    "rectification": (Role.VENDOR_MANAGER,),
    "rectification_recheck": (Role.VENDOR_MANAGER,),
    "finding_form": (Role.AUDITOR, Role.AUDIT_HEAD),
    "fact_check": (Role.AUDITOR, Role.AUDIT_HEAD),
    "appeal": (Role.AUDITOR, Role.AUDIT_HEAD),
    "appeal_last": (Role.GENERAL_DEPARTMENT,),
}
"""Who in the company follows a kind of clock up; vendor managers follow the others."""
ESCALATION = (Role.AUDIT_HEAD, Role.VENDOR_MANAGER)
"""Who is told when a vendor has not answered a working day after the deadline."""
_DECIDERS = {rectification.CLOCK: MANAGE.roles}
"""Who decides on extensions of a kind of clock; else whoever follows it up."""
_PATHS = {
    "material_request": "/requests/{}",
    "rectification": "/rectifications/{}",
    "rectification_recheck": "/rectifications/{}",
    "fact_check": "/fact-checks/{}",
    "appeal": "/appeals/{}",
    "appeal_last": "/appeals/{}",
}


def path_of(kind: str, subject_id: object) -> str:
    """The page of what a clock is about."""
    return _PATHS.get(kind, "/").format(subject_id)


def followers(kind: str) -> tuple[Role, ...]:
    """Who in the company follows a kind of clock up."""
    return FOLLOWERS.get(kind, (Role.VENDOR_MANAGER,))


def _due(row: Deadline) -> When:
    return When(row.due_at)


def _tell_vendor(session: Session, row: Deadline, message: Phrase, kind: MessageKind) -> None:
    if row.owed_by == "vendor":
        notify(
            session,
            tenant_id=row.tenant_id,
            roles=VENDOR,
            message=message,
            path=path_of(row.kind, row.subject_id),
            kind=kind,
        )


def _tell_company(
    session: Session,
    row: Deadline,
    roles: Iterable[Role],
    message: Phrase,
    kind: MessageKind,
    actor: Actor,
) -> None:
    notify(
        session,
        tenant_id=actor.company_id,
        roles=roles,
        message=message,
        path=path_of(row.kind, row.subject_id),
        kind=kind,
    )


def passed(session: Session, event: DeadlinePassed, actor: Actor) -> None:
    """A clock ran out: tell who owed it, and who follows it up in the company."""
    row = event.deadline
    message = phrase("Overdue: %(label)s was due %(due)s.", label=row.label, due=_due(row))
    _tell_vendor(session, row, message, MessageKind.OVERDUE)
    told = _told(session, row, still_open=False)
    _tell_company(session, row, told, message, MessageKind.OVERDUE, actor)


def _told(session: Session, row: Deadline, *, still_open: bool) -> tuple[Role, ...]:
    """Who in the company is told of a breach: a rectification notice goes higher by its level."""
    if row.kind == rectification.CLOCK:
        return escalation.told_of(session, row.tenant_id, row.subject_id, still_open=still_open)
    return followers(row.kind)


def unmet(session: Session, event: DeadlineUnmet, actor: Actor) -> None:
    """Still open a working day after: tell the vendor again, and those above who follow up."""
    row = event.deadline
    message = phrase(
        "Still open a working day after the deadline: %(label)s was due %(due)s.",
        label=row.label,
        due=_due(row),
    )
    _tell_vendor(session, row, message, MessageKind.OVERDUE)
    told = sorted({*_told(session, row, still_open=True), *ESCALATION})
    _tell_company(session, row, told, message, MessageKind.OVERDUE, actor)


def near(session: Session, event: DeadlineNear, actor: Actor) -> None:
    """A clock is about to run out: tell who owes it."""
    row = event.deadline
    message = phrase("Soon due: %(label)s, %(due)s.", label=row.label, due=_due(row))
    if row.owed_by == "vendor":
        _tell_vendor(session, row, message, MessageKind.REMINDER)
    else:
        _tell_company(session, row, followers(row.kind), message, MessageKind.REMINDER, actor)


def extensions_asked(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Tell the company's people of extensions that vendors asked for (company scope), each once;
    returns how many."""
    rows = extensions.untold(session, limit)
    for asked, row in rows:
        asked.told_at = clock.now()
        message = phrase("An extension of %(number)s is asked for.", number=row.label)
        deciders = _DECIDERS.get(row.kind, followers(row.kind))
        _tell_company(session, row, deciders, message, MessageKind.WORK, actor)
    session.flush()
    return len(rows)
