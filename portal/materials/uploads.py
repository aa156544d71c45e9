"""Files on their way to an item: match, start, bytes, complete (UX 2, 5, 6; C4.1).

Names of dialler files hold telephone numbers, so they are kept sealed and shown masked. The key
under which bytes will lie is committed before the first byte comes: whatever breaks, the sweep
finds the row and removes what is under its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.files import names
from portal.files.kinds import FileKind, kind_of_name
from portal.files.models import StoredFile
from portal.files.service import NAME_PLACE, storage
from portal.files.storage import Stored, make_key
from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound, PortalError
from portal.kernel.phrases import Phrase, phrase
from portal.kernel.settings import settings
from portal.materials.events import get_item, get_request, tell
from portal.materials.kinds import CheckState, ItemState, RequestEventKind
from portal.materials.models import Delivery, MaterialRequest, RequestItem, Upload
from portal.materials.rules import check_open, moved
from portal.materials.words import KINDS
from tenants.rows import new_id
from tenants.vault import installed

UPLOAD_NAME = "uploads.name"
ABANDONED_AFTER = timedelta(hours=24)
LONGEST_NAME = 400


class UploadGone(PortalError):
    """The upload is not known any more, or its bytes never arrived: begin anew."""

    status = 410


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that a browser announces: its own name, size in bytes, how it was matched."""

    name: str
    size: int
    how: str = "by_hand"


def formats_of(request: MaterialRequest, kind: str) -> frozenset[FileKind]:
    """The kinds of file that an item of this kind takes."""
    for entry in request.wanted:
        if entry["kind"] == kind:
            return frozenset(FileKind(name) for name in entry["formats"])
    return frozenset()


def extensions_of(request: MaterialRequest) -> list[str]:
    """Every ending that some item of the request takes, for the file chooser."""
    kinds = sorted({name for entry in request.wanted for name in entry["formats"]})
    return [ending for name in kinds for ending in FileKind(name).extensions]


def refusal(name: str, size: int, allowed: frozenset[FileKind]) -> tuple[Phrase, Phrase] | None:
    """Why a file of this name and size is not taken, and how to mend it; None when it is."""
    if size <= 0:
        return (
            phrase("The file is empty (0 bytes)."),
            phrase("Export it again from the recorder."),
        )
    if size > settings().max_upload_bytes:
        most = settings().max_upload_bytes // (1024 * 1024)
        return (
            phrase("The file is larger than %(most)s MB.", most=most),
            phrase("Compress it, or split it."),
        )
    if kind_of_name(name) not in allowed:
        taken = ", ".join(sorted(kind.label for kind in allowed))
        return (
            phrase("This kind of file is not taken here."),
            phrase("Taken: %(list)s.", list=taken),
        )
    return None


def start(
    session: Session,
    request_id: UUID,
    item_id: UUID,
    announced: Announced,
    *,
    replaces_id: UUID | None = None,
    actor: Actor,
) -> Upload:
    """Note that a file is on its way to an item. The same name, size and item meet the upload
    that is open already. Raises `Invalid` for a file that the item does not take, `Conflict` for
    an item or request that takes none."""
    request = get_request(session, request_id, share=True)
    check_open(request.state)
    item = get_item(session, request, item_id)
    moved(item.state, ItemState.DELIVERED)
    name = announced.name[-LONGEST_NAME:]
    problem = refusal(name, announced.size, formats_of(request, item.kind))
    if problem:
        raise Invalid(*problem)
    if replaces_id is not None:
        _replaced(session, item, replaces_id)
    key = installed().key(session, request.tenant_id)
    index = key.index("upload_name", name)
    for _attempt in (1, 2):
        found = _started(session, item, index, announced.size)
        if found is not None and found.replaces_id == replaces_id:
            return found
        if found is not None:
            found.state = "abandoned"
            session.flush()
        upload = Upload(
            tenant_id=request.tenant_id,
            id=new_id(),
            request_id=request.id,
            item_id=item.id,
            replaces_id=replaces_id,
            name_index=index,
            safe_name=names.masked_name(name),
            declared_size=announced.size,
            state="started",
            matched_how=announced.how,
            started_by=actor.account_id,
            started_at=clock.now(),
        )
        upload.name_sealed = key.seal(UPLOAD_NAME, upload.id, name)
        try:
            with session.begin_nested():
                session.add(upload)
                session.flush()
        except IntegrityError:
            continue
        return upload
    raise Conflict(
        phrase("The same file is being sent from another window."),
        phrase("Wait until it is done there."),
    )


def _started(session: Session, item: RequestItem, index: bytes, size: int) -> Upload | None:
    return session.scalars(
        sa.select(Upload).where(
            Upload.tenant_id == item.tenant_id,
            Upload.item_id == item.id,
            Upload.name_index == index,
            Upload.declared_size == size,
            Upload.state == "started",
        )
    ).first()


def _replaced(session: Session, item: RequestItem, delivery_id: UUID) -> Delivery:
    found = session.scalars(
        sa.select(Delivery).where(
            Delivery.tenant_id == item.tenant_id,
            Delivery.item_id == item.id,
            Delivery.id == delivery_id,
        )
    ).first()
    if found is None:
        raise NotFound("delivered file")
    return found


# --- bytes ---------------------------------------------------------------------------------------


def get_upload(session: Session, request_id: UUID, upload_id: UUID) -> Upload:
    """The upload, locked; raises `UploadGone` when it is not known in this scope."""
    found = session.scalars(
        sa.select(Upload)
        .where(Upload.id == upload_id, Upload.request_id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None or found.state in ("abandoned", "refused"):
        raise UploadGone(
            phrase("This upload is not known any more."), phrase("Send the file again.")
        )
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of an upload go, how many there must be, and what lay there before."""

    key: str
    length: int
    before: str | None


def make_place(session: Session, request_id: UUID, upload_id: UUID) -> Place | None:
    """Reserve a fresh key for the bytes; commit before writing. None when the upload is complete
    already (the answer of an earlier attempt was lost)."""
    upload = get_upload(session, request_id, upload_id)
    if upload.state == "complete":
        return None
    check_open(get_request(session, request_id).state)
    before = upload.storage_key
    upload.storage_key = make_key(upload.tenant_id, clock.now())
    upload.size = upload.sha256 = None
    session.flush()
    return Place(upload.storage_key, upload.declared_size, before)


def take_bytes(
    session: Session, request_id: UUID, upload_id: UUID, place: Place, stored: Stored
) -> None:
    """Note that the bytes are safe. Raises `Conflict` when a later attempt took the upload over;
    the caller removes what it stored."""
    upload = get_upload(session, request_id, upload_id)
    if upload.state != "started" or upload.storage_key != place.key:
        raise Conflict(
            phrase("The same file is being sent from another window."),
            phrase("Wait until it is done there."),
        )
    upload.size, upload.sha256 = stored.size, stored.sha256
    session.flush()


# --- completion ----------------------------------------------------------------------------------


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
        old = _replaced(session, item, upload.replaces_id)
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


# --- housekeeping --------------------------------------------------------------------------------


def sweep(session: Session, *, limit: int = 200) -> Sequence[str]:
    """Give uploads up that stand still for a day (company scope); returns keys whose bytes are to
    be removed after the commit."""
    rows = session.scalars(
        sa.select(Upload)
        .where(Upload.state == "started", Upload.started_at < clock.now() - ABANDONED_AFTER)
        .order_by(Upload.started_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.state = "abandoned"
    session.flush()
    return [row.storage_key for row in rows if row.storage_key]


def remove(keys: Sequence[str]) -> None:
    """Remove bytes that no row needs."""
    for key in keys:
        storage().delete(key)
