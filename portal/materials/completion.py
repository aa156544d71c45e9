"""An upload becomes a delivery: file, item, history and check, in one transaction (UX 2, A3).

The moment of completion is the one that counts. With an S3 store the SHA-256 is not known then:
the check reads the file once and settles it (`settle`), and a hand-in does not wait for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.digests import Running
from portal.files.kinds import kind_of_name
from portal.files.models import StoredFile
from portal.files.service import NAME_PLACE, storage
from portal.files.storage import local_copy
from portal.files.streams import Stored
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
from portal.materials.uploads import UPLOAD_NAME, finish, get_replaced, get_upload
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


def complete(
    session: Session,
    request_id: UUID,
    upload_id: UUID,
    *,
    stored: Stored | None = None,
    actor: Actor,
) -> Completed:
    """Make the upload a delivery: file, delivery, item and history in one transaction, and its
    check as a job. Completing twice gives the same delivery; the same bytes for the same item
    count once. `stored` says that the bytes lie under the upload's key already; otherwise its
    parts are put together now. Raises `PartsLacking`, `UploadGone`, `StorageError`."""
    request = get_request(session, request_id, share=True)
    upload = get_upload(session, request_id, upload_id)
    if upload.state == "complete" and upload.delivery_id is not None:
        delivery = _get(session, upload.tenant_id, upload.delivery_id)
        item = get_item(session, request, upload.item_id)
        return Completed(delivery, again=True, warning=_elsewhere(session, item, delivery.sha256))
    check_open(request.state)
    item = get_item(session, request, upload.item_id)
    state = moved(item.state, ItemState.DELIVERED)
    made = stored or finish(upload)
    upload.size, upload.sha256 = made.size, made.sha256
    known = _same_bytes(session, item, made.sha256)
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
    """The item's delivery of the same bytes, the one that counts before a replaced one."""
    if not sha256:
        return None
    return session.scalars(
        sa.select(Delivery)
        .where(
            Delivery.tenant_id == item.tenant_id,
            Delivery.item_id == item.id,
            Delivery.sha256 == sha256,
        )
        .order_by(sa.case((Delivery.state == "current", 0), else_=1), Delivery.id)
    ).first()


def settle(session: Session, delivery: Delivery, file: StoredFile, path: Path) -> None:
    """Set the SHA-256 of a delivery from its bytes at `path`, once. The same bytes delivered for
    the same item before count once: this one is put aside as replaced by nothing new."""
    if delivery.sha256:
        return
    running = Running()
    running.advance(path, file.size)
    sha256 = running.hexdigest()
    known = session.scalars(
        sa.select(Delivery.id).where(
            Delivery.tenant_id == delivery.tenant_id,
            Delivery.item_id == delivery.item_id,
            Delivery.sha256 == sha256,
            Delivery.state == "current",
        )
    ).first()
    if known is not None and delivery.state == "current":
        delivery.state = "replaced"
        session.flush()
    delivery.sha256 = file.sha256 = sha256
    session.flush()


def settle_all(session: Session, request_id: UUID) -> None:
    """Settle what the checks of a request have not read yet, before its receipt names the files.
    Usually there is nothing left to do."""
    rows = session.execute(
        sa.select(Delivery, StoredFile)
        .join(
            StoredFile,
            sa.and_(StoredFile.tenant_id == Delivery.tenant_id, StoredFile.id == Delivery.file_id),
        )
        .where(Delivery.request_id == request_id, Delivery.sha256 == "")
        .order_by(Delivery.id)
        .with_for_update(of=Delivery)
    ).all()
    for delivery, file in rows:
        with local_copy(storage(), file.storage_key) as path:
            settle(session, delivery, file, path)


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
    if not sha256:
        return None
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
