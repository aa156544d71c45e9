"""Extensions (延期申请) of a request's clock: asked by the vendor, decided by the company (A3).

An extension is for all that is owed on the clock that runs out first of those that run; what was
returned or added runs on another. What it is stands in `portal.deadlines.extensions`; here are the
request's own state, history and people.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from portal.deadlines import extensions
from portal.deadlines.models import Extension
from portal.journal.service import record
from portal.kernel.access import Actor
from portal.kernel.phrases import When, phrase
from portal.materials.events import VENDOR_READERS, get_request, tell
from portal.materials.kinds import RequestEventKind
from portal.materials.models import MaterialRequest
from portal.materials.queries import CLOCK
from portal.materials.recounting import recount
from portal.materials.rules import check_open
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify


def ask(
    session: Session, request_id: UUID, *, wanted: date | None, reason: str, actor: Actor
) -> Extension:
    """Ask for more time until the close of business of `wanted` (vendor's scope)."""
    request = get_request(session, request_id, lock=True)
    check_open(request.state)
    row = extensions.running(session, request.tenant_id, request.id, CLOCK)
    made = extensions.ask(session, row, wanted=wanted, reason=reason, actor=actor)
    _note(session, request, made, RequestEventKind.EXTENSION_ASKED, made.reason, actor=actor)
    return made


def grant(
    session: Session,
    request_id: UUID,
    extension_id: UUID,
    *,
    until: date | None,
    note: str,
    actor: Actor,
) -> Extension:
    """Grant an extension until the close of business of `until`; items and hand-ins on its clock
    are counted from the new date. What was late on another clock stays late."""
    request = get_request(session, request_id, lock=True)
    done = extensions.grant(
        session,
        request.tenant_id,
        request.id,
        extension_id,
        until=until,
        note=note,
        actor=actor,
    )
    recount(session, request, done.deadline, done.old_due_at, actor=actor)
    request.version += 1
    session.flush()
    row = done.extension
    _note(
        session,
        request,
        row,
        RequestEventKind.EXTENSION_GRANTED,
        row.decision_note or "",
        actor=actor,
    )
    return row


def refuse(
    session: Session, request_id: UUID, extension_id: UUID, *, note: str, actor: Actor
) -> Extension:
    """Refuse an extension with the reason; the clock stays as it was."""
    request = get_request(session, request_id, lock=True)
    row = extensions.refuse(
        session, request.tenant_id, request.id, extension_id, note=note, actor=actor
    )
    _note(
        session,
        request,
        row,
        RequestEventKind.EXTENSION_REFUSED,
        row.decision_note or "",
        actor=actor,
    )
    return row


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
    row: Extension,
    kind: RequestEventKind,
    text: str,
    *,
    actor: Actor,
) -> None:
    """History and journal of a step, and the message to the vendor. The company's inbox is not
    the vendor's to write: the worker's sweep tells it within seconds."""
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
        return
    notify(
        session,
        tenant_id=request.tenant_id,
        roles=VENDOR_READERS,
        message=phrase(_MESSAGES[kind], number=request.number, due=When(until or row.old_due_at)),
        path=f"/requests/{request.id}",
        kind=MessageKind.WORK,
    )
