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
from portal.files.service import storage
from portal.files.storage import Stored, make_key
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, Invalid, NotFound, PortalError
from portal.kernel.phrases import Phrase, phrase
from portal.kernel.settings import settings
from portal.materials.events import get_item, get_request
from portal.materials.kinds import ItemState
from portal.materials.models import Delivery, MaterialRequest, RequestItem, Upload
from portal.materials.rules import check_open, moved
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
        get_replaced(session, item, replaces_id)
    key = installed().key(session, request.tenant_id)
    index = key.index("upload_name", name)
    for _attempt in (1, 2):
        found = _started(session, item, index, announced.size)
        if found is not None and found.replaces_id == replaces_id:
            return found
        if found is not None:
            found.state = "abandoned"
            session.flush()
        upload = _new(request, item, announced, name, replaces_id, actor=actor)
        upload.name_index = index
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


def _new(
    request: MaterialRequest,
    item: RequestItem,
    announced: Announced,
    name: str,
    replaces_id: UUID | None,
    *,
    actor: Actor,
) -> Upload:
    return Upload(
        tenant_id=request.tenant_id,
        id=new_id(),
        request_id=request.id,
        item_id=item.id,
        replaces_id=replaces_id,
        safe_name=names.masked_name(name),
        declared_size=announced.size,
        state="started",
        matched_how=announced.how,
        started_by=actor.account_id,
        started_at=clock.now(),
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


def get_replaced(session: Session, item: RequestItem, delivery_id: UUID) -> Delivery:
    """The delivered file of the item that is to be replaced; raises `NotFound`."""
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
    """The upload, locked; raises `UploadGone` when it was given up, `NotFound` when the request
    is not this scope's."""
    found = session.scalars(
        sa.select(Upload)
        .where(Upload.id == upload_id, Upload.request_id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None or found.state in ("abandoned", "refused"):
        get_request(session, request_id)
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
