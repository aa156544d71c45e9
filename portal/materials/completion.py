"""An upload becomes a delivery: file, item, history and check, in one transaction (UX 2, A3)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.kinds import kind_of_name
from portal.files.models import StoredFile
from portal.files.service import NAME_PLACE
from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import NotFound
from portal.kernel.phrases import Phrase, phrase
from portal.materials.events import get_item, get_request, tell
from portal.materials.kinds import CheckState, ItemState, RequestEventKind
from portal.materials.models import Delivery, MaterialRequest, RequestItem, Upload
from portal.materials.rules import check_open, moved
from portal.materials.uploads import UPLOAD_NAME, UploadGone, get_replaced, get_upload
from portal.materials.words import KINDS
from tenants.rows import new_id
from tenants.vault import installed


@dataclass(frozen=True, slots=True)
class Completed:
    """What completing an upload came to. `warning` is for the person; `spare_key` names bytes
    that are not needed (the same file again), to be removed after the commit."""

    delivery: Delivery
    again: bool = False
    warning: Phrase | None = None
    spare_key: str | None = None


def complete(session: Session, request_id: UUID, upload_id: UUID, *, actor: Actor) -> Completed:
    """Make the upload a delivery: file, delivery, item and history in one transaction, and its
    check as a job. Completing twice gives the same delivery; the same bytes for the same item
    count once."""
    request = get_request(session, request_id, share=True)
    upload = get_upload(session, request_id, upload_id)
    if upload.state == "complete" and upload.delivery_id is not None:
        return Completed(_get(session, upload.tenant_id, upload.delivery_id), again=True)
    check_open(request.state)
    if upload.size is None or upload.sha256 is None or upload.storage_key is None:
        raise UploadGone(
            phrase("The file did not arrive completely."), phrase("Send the file again.")
        )
    item = get_item(session, request, upload.item_id)
    state = moved(item.state, ItemState.DELIVERED)
    known = _same_bytes(session, item, upload.sha256)
    upload.state, upload.completed_at = "complete", clock.now()
    if known is not None and known.state == "current":
        upload.delivery_id = known.id
        session.flush()
        return Completed(
            known,
            again=True,
            warning=phrase("This file was delivered for this item already; it counts once."),
            spare_key=upload.storage_key,
        )
    spare = upload.storage_key if known is not None else None
    delivery = known or _deliver(session, request, upload, actor=actor)
    delivery.state = "current"
    upload.delivery_id = delivery.id
    _put_on(session, request, item, state, upload, delivery, actor=actor)
    return Completed(delivery, warning=_elsewhere(session, item, delivery.sha256), spare_key=spare)


def _get(session: Session, tenant_id: UUID, delivery_id: UUID) -> Delivery:
    found = session.get(Delivery, (tenant_id, delivery_id))
    if found is None:
        raise NotFound("delivered file")
    return found


def _same_bytes(session: Session, item: RequestItem, sha256: str) -> Delivery | None:
    return session.scalars(
        sa.select(Delivery).where(
            Delivery.tenant_id == item.tenant_id,
            Delivery.item_id == item.id,
            Delivery.sha256 == sha256,
        )
    ).first()


def _deliver(
    session: Session, request: MaterialRequest, upload: Upload, *, actor: Actor
) -> Delivery:
    """The file's row and the delivery's. The type is what the name says until it is checked."""
    key = installed().key(session, request.tenant_id)
    name = key.open(UPLOAD_NAME, upload.id, upload.name_sealed)
    claimed = kind_of_name(name)
    now = clock.now()
    file = StoredFile(
        tenant_id=request.tenant_id,
        id=new_id(),
        purpose="material",
        safe_name=upload.safe_name,
        name_sealed=b"",
        media_type=claimed.media_type if claimed else "application/octet-stream",
        size=upload.size,
        sha256=upload.sha256,
        storage_key=upload.storage_key,
        state="stored",
        uploaded_by=actor.account_id,
        uploaded_by_name=actor.name,
        started_at=upload.started_at,
        completed_at=now,
        issued_at=now,
    )
    file.name_sealed = key.seal(NAME_PLACE, file.id, name)
    delivery = Delivery(
        tenant_id=request.tenant_id,
        id=new_id(),
        request_id=request.id,
        item_id=upload.item_id,
        file_id=file.id,
        sha256=file.sha256,
        state="current",
        check_state=CheckState.PENDING,
        replaces_id=upload.replaces_id,
        matched_how=upload.matched_how,
        started_at=upload.started_at,
        delivered_at=now,
        delivered_by_name=actor.name,
    )
    session.add(file)
    session.flush()
    session.add(delivery)
    session.flush()
    return delivery


def _put_on(
    session: Session,
    request: MaterialRequest,
    item: RequestItem,
    state: ItemState,
    upload: Upload,
    delivery: Delivery,
    *,
    actor: Actor,
) -> None:
    """The item has it: state, the version replaced, history, journal, and the check."""
    item.state = state
    item.answer_reason = item.answer_note = item.answered_at = item.answered_by_name = None
    item.version += 1
    kind = RequestEventKind.DELIVERED
    if upload.replaces_id is not None:
        old = get_replaced(session, item, upload.replaces_id)
        if old.id != delivery.id:
            old.state, kind = "replaced", RequestEventKind.REPLACED
    data = {"case_no": item.case_no, "kind": item.kind, "file": upload.safe_name}
    tell(session, request, kind, actor=actor, data=data)
    record(
        session,
        f"materials.file.{kind.value}",
        ("delivery", delivery.id),
        actor=actor,
        tenant_id=request.tenant_id,
        data={"number": request.number, "item": str(item.id), "sha256": delivery.sha256},
    )
    session.flush()
    if delivery.check_state == CheckState.PENDING:
        enqueue(
            session,
            "materials.check_delivery",
            {"delivery_id": delivery.id},
            actor=actor,
            tenant_id=request.tenant_id,
        )


def _elsewhere(session: Session, item: RequestItem, sha256: str) -> Phrase | None:
    """The same bytes under another item of this vendor: said, because one recording proves one
    call only."""
    other = session.execute(
        sa.select(RequestItem.case_no, RequestItem.kind, MaterialRequest.number)
        .join(
            Delivery,
            sa.and_(
                Delivery.tenant_id == RequestItem.tenant_id, Delivery.item_id == RequestItem.id
            ),
        )
        .join(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == RequestItem.tenant_id,
                MaterialRequest.id == RequestItem.request_id,
            ),
        )
        .where(
            Delivery.tenant_id == item.tenant_id,
            Delivery.sha256 == sha256,
            Delivery.item_id != item.id,
            RequestItem.case_id != item.case_id,
        )
        .order_by(Delivery.id)
        .limit(1)
    ).first()
    if other is None:
        return None
    return phrase(
        "Careful: the same file was delivered for case %(case)s (%(kind)s, %(number)s) too.",
        case=other.case_no,
        kind=str(KINDS[other.kind]),
        number=other.number,
    )
