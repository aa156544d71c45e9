"""Extensions (延期申请): the vendor asks before the clock runs out, the company decides (A3)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.calendar import service as calendar_service
from portal.deadlines import service as deadlines
from portal.deadlines.models import Deadline
from portal.deadlines.queries import rounds_of
from portal.deadlines.rules import DeadlineState
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import When, phrase
from portal.materials.events import get_request, tell
from portal.materials.kinds import ExtensionState, RequestEventKind
from portal.materials.models import MaterialRequest, RequestExtension
from portal.materials.queries import CLOCK
from portal.materials.rules import OPEN_STATES, check_extension, check_open, reason_of
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify

FOLLOWERS = (Role.AUDITOR, Role.AUDIT_HEAD)
_VENDOR = (Role.MANAGER, Role.OFFICE, Role.SUPERVISOR, Role.TEAM_LEADER)


def ask(
    session: Session, request_id: UUID, *, wanted: date | None, reason: str, actor: Actor
) -> RequestExtension:
    """Ask for more time until the close of business of `wanted` (vendor's scope).

    Before the clock runs out, with a reason, one at a time: `Conflict` and `Invalid` say what is
    wrong. The clock runs on as it is until the company decides.
    """
    request = get_request(session, request_id, lock=True)
    check_open(request.state)
    row = _running(session, request)
    text = reason_of(reason)
    if wanted is None:
        raise Invalid(phrase("The date is missing."), phrase("Choose a working day."))
    if find_open(session, request) is not None:
        raise Conflict(
            phrase("An extension is asked for already; it is not decided yet."),
            phrase("Wait for the decision."),
        )
    due = check_extension(
        calendar_service.load(session), due_at=row.due_at, wanted=wanted, now=clock.now()
    )
    made = RequestExtension(
        tenant_id=request.tenant_id,
        request_id=request.id,
        deadline_id=row.id,
        state=ExtensionState.ASKED,
        reason=text,
        old_due_at=row.due_at,
        wanted_at=due.due_at,
        asked_at=clock.now(),
        asked_by=actor.account_id,
        asked_by_name=actor.name,
    )
    session.add(made)
    session.flush()
    _note(session, request, made, RequestEventKind.EXTENSION_ASKED, text, actor=actor)
    return made


def _running(session: Session, request: MaterialRequest) -> Deadline:
    """The open clock that runs out last: the one that an extension is asked of."""
    running = [
        row
        for row in rounds_of(session, request.tenant_id, request.id, CLOCK)
        if row.state == DeadlineState.OPEN
    ]
    if not running:
        raise Conflict(
            phrase("No deadline of this request is running."),
            phrase("Reload the page to see what became of it."),
        )
    return max(running, key=lambda row: row.due_at)


def find_open(session: Session, request: MaterialRequest) -> RequestExtension | None:
    """The extension that waits for a decision, or None."""
    return session.scalars(
        sa.select(RequestExtension).where(
            RequestExtension.tenant_id == request.tenant_id,
            RequestExtension.request_id == request.id,
            RequestExtension.state == ExtensionState.ASKED,
        )
    ).first()


def decided(session: Session, request: MaterialRequest) -> list[RequestExtension]:
    """The extensions of a request that were decided, the newest first."""
    return list(
        session.scalars(
            sa.select(RequestExtension)
            .where(
                RequestExtension.tenant_id == request.tenant_id,
                RequestExtension.request_id == request.id,
                RequestExtension.state != ExtensionState.ASKED,
            )
            .order_by(RequestExtension.asked_at.desc())
        )
    )


def may_be_asked(session: Session, request: MaterialRequest) -> bool:
    """Whether a clock of the request still runs, so that more time can be asked for."""
    return request.state in OPEN_STATES and any(
        row.state == DeadlineState.OPEN and row.due_at >= clock.now()
        for row in rounds_of(session, request.tenant_id, request.id, CLOCK)
    )


def _waiting(session: Session, request: MaterialRequest, extension_id: UUID) -> RequestExtension:
    row = session.scalars(
        sa.select(RequestExtension)
        .where(
            RequestExtension.tenant_id == request.tenant_id,
            RequestExtension.request_id == request.id,
            RequestExtension.id == extension_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        raise NotFound("extension")
    if row.state != ExtensionState.ASKED:
        raise Conflict(
            phrase("This extension is decided already."),
            phrase("Reload the page to see the decision."),
        )
    return row


def grant(
    session: Session,
    request_id: UUID,
    extension_id: UUID,
    *,
    until: date | None,
    note: str,
    actor: Actor,
) -> RequestExtension:
    """Grant an extension until the close of business of `until`, before the clock runs out.

    The date may be another than the one wanted. The clock keeps its earlier date and the reason;
    what was late on another clock stays late.
    """
    request = get_request(session, request_id, lock=True)
    row = _waiting(session, request, extension_id)
    text = reason_of(note)
    if until is None:
        raise Invalid(phrase("The date is missing."), phrase("Choose a working day."))
    deadline = session.get(
        Deadline, (row.tenant_id, row.deadline_id), with_for_update=True, populate_existing=True
    )
    if deadline is None:
        raise NotFound("clock of the request")
    due = check_extension(
        calendar_service.load(session), due_at=deadline.due_at, wanted=until, now=clock.now()
    )
    deadlines.extend(session, deadline, due, reason=text, actor=actor)
    if deadline.round == 1:
        request.due_at = due.due_at
    row.new_due_at = due.due_at
    _decide(row, ExtensionState.GRANTED, text, actor=actor)
    request.version += 1
    session.flush()
    _note(session, request, row, RequestEventKind.EXTENSION_GRANTED, text, actor=actor)
    return row


def refuse(
    session: Session, request_id: UUID, extension_id: UUID, *, note: str, actor: Actor
) -> RequestExtension:
    """Refuse an extension with the reason; the clock stays as it was."""
    request = get_request(session, request_id, lock=True)
    row = _waiting(session, request, extension_id)
    text = reason_of(note)
    _decide(row, ExtensionState.REFUSED, text, actor=actor)
    session.flush()
    _note(session, request, row, RequestEventKind.EXTENSION_REFUSED, text, actor=actor)
    return row


def announce(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Tell the company's people of extensions that vendors asked for (company scope); returns how
    many. Each is told once."""
    rows = session.execute(
        sa.select(RequestExtension, MaterialRequest.number)
        .join(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == RequestExtension.tenant_id,
                MaterialRequest.id == RequestExtension.request_id,
            ),
        )
        .where(RequestExtension.told_at.is_(None))
        .order_by(RequestExtension.asked_at)
        .limit(limit)
        .with_for_update(of=RequestExtension, skip_locked=True)
    ).all()
    for row, number in rows:
        row.told_at = clock.now()
        notify(
            session,
            tenant_id=actor.company_id,
            roles=FOLLOWERS,
            message=phrase("An extension of %(number)s is asked for.", number=number),
            path=f"/requests/{row.request_id}",
            kind=MessageKind.WORK,
        )
    session.flush()
    return len(rows)


def _decide(row: RequestExtension, state: ExtensionState, note: str, *, actor: Actor) -> None:
    row.state, row.decision_note = state, note
    row.decided_at, row.decided_by = clock.now(), actor.account_id
    row.decided_by_name = actor.name


_MESSAGES = {
    RequestEventKind.EXTENSION_GRANTED: phrase(
        "The extension of %(number)s is granted: due %(due)s (Beijing time)."
    ).msgid,
    RequestEventKind.EXTENSION_REFUSED: phrase(
        "The extension of %(number)s is refused; it stays due %(due)s (Beijing time)."
    ).msgid,
}


def _note(
    session: Session,
    request: MaterialRequest,
    row: RequestExtension,
    kind: RequestEventKind,
    text: str,
    *,
    actor: Actor,
) -> None:
    """History and journal of a step, and the message to the other side."""
    until = row.new_due_at or (row.wanted_at if kind is RequestEventKind.EXTENSION_ASKED else None)
    data = {"note": text, "from": row.old_due_at.isoformat()}
    if until:
        data["until"] = until.isoformat()
    tell(session, request, kind, actor=actor, data=data)
    record(
        session,
        f"materials.request.{kind.value}",
        ("material_request", request.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={"number": request.number, "from": data["from"], "until": data.get("until", "")},
    )
    if kind is RequestEventKind.EXTENSION_ASKED:
        # The company's inbox is not the vendor's to write: `announce` follows within seconds.
        return
    notify(
        session,
        tenant_id=request.tenant_id,
        roles=_VENDOR,
        message=phrase(_MESSAGES[kind], number=request.number, due=When(until or row.old_due_at)),
        path=f"/requests/{request.id}",
        kind=MessageKind.WORK,
    )
