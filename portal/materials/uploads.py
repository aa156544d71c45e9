"""Files on their way to an item: start, parts, cancel, give up (UX 2, 5, 6; C4.1).

Names of dialler files hold telephone numbers, so they are kept sealed and shown masked. The key
under which bytes will lie is committed before the first byte comes: whatever breaks, the sweep
finds the row and removes what is under its key. The bytes themselves go to the store in parts,
each under a signed address, and pass no view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.files import names
from portal.files.kinds import FileKind, kind_of_name
from portal.files.parts import Received, count_of, missing_of, part_of, part_size
from portal.files.service import storage
from portal.files.storage import PartsMissing, Stored, make_key
from portal.journal.service import record
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
MOST_ADDRESSES = 25
"""Signed addresses of parts given at a time; the desk asks for more as it goes."""
MOST_UNFINISHED = 500


class UploadGone(PortalError):
    """The upload is not known any more, or its bytes never arrived: begin anew."""

    status = 410


class PartsLacking(Conflict):
    """The upload cannot be completed: parts of it are missing, and `data["missing"]` says which."""


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that a browser announces: its own name, size in bytes, how it was matched, and when
    it was last changed (milliseconds; None when the browser does not say). A file changed since
    is another file: parts of the two must never meet."""

    name: str
    size: int
    how: str = "by_hand"
    modified: int | None = None


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
    """Note that a file is on its way to an item. The same file for the same item meets the upload
    that is open already, so that it goes on where it broke off. Raises `Invalid` for a file that
    the item does not take, `Conflict` for an item or request that takes none."""
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
        if found is not None and _same(found, announced, replaces_id):
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
            storage().abort(upload.storage_key or "", upload.store_reference)
            continue
        return upload
    raise Conflict(
        phrase("The same file is being sent from another window."),
        phrase("Wait until it is done there."),
    )


def note_started(
    session: Session, request_id: UUID, started: Sequence[Upload], *, actor: Actor
) -> None:
    """Journal that uploads began: one entry for all that were announced together (UX 2)."""
    if started:
        record(
            session,
            "materials.uploads.started",
            ("material_request", request_id),
            actor=actor,
            tenant_id=started[0].tenant_id,
            data={"uploads": [str(one.id) for one in started]},
        )


def _same(upload: Upload, announced: Announced, replaces_id: UUID | None) -> bool:
    unchanged = upload.modified_ms is None or upload.modified_ms == announced.modified
    return unchanged and upload.replaces_id == replaces_id


def _new(
    request: MaterialRequest,
    item: RequestItem,
    announced: Announced,
    name: str,
    replaces_id: UUID | None,
    *,
    actor: Actor,
) -> Upload:
    key = make_key(request.tenant_id, clock.now())
    return Upload(
        tenant_id=request.tenant_id,
        id=new_id(),
        storage_key=key,
        store_reference=storage().begin(key, announced.size),
        modified_ms=announced.modified,
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
class Standing:
    """How far an upload is: parts in all, those that the store holds, and signed addresses of the
    next missing ones, by number."""

    upload: Upload
    parts: int
    part_size: int
    received: tuple[Received, ...]
    addresses: Mapping[int, str]


def standing(upload: Upload, *, fresh: bool = False, wanted: Sequence[int] = ()) -> Standing:
    """What the store holds of an upload, and addresses for what it lacks: of `wanted` parts, or
    of the first missing ones. `fresh` says that nothing was sent yet, so the store is not asked."""
    store, key, size = storage(), upload.storage_key or "", upload.declared_size
    received = [] if fresh else store.received(key, upload.store_reference, size)
    missing = missing_of(size, received)
    chosen = [n for n in wanted if n in set(missing)] if wanted else missing
    addresses = {
        number: store.part_address(key, upload.store_reference, size, part_of(size, number))
        for number in chosen[:MOST_ADDRESSES]
    }
    return Standing(upload, count_of(size), part_size(size), tuple(received), addresses)


def finish(upload: Upload) -> Stored:
    """Make the parts one file in the store. Raises `PartsLacking` while some are missing."""
    try:
        return storage().finish(
            upload.storage_key or "", upload.store_reference, upload.declared_size
        )
    except PartsMissing as error:
        raise PartsLacking(
            phrase("The file did not arrive completely."),
            phrase("Send the file again."),
            missing=error.numbers,
        ) from error


def cancel(session: Session, request_id: UUID, upload_id: UUID, *, actor: Actor) -> Upload | None:
    """Give an upload up; the caller removes its bytes after the commit (`forget`). None when it is
    complete: what was delivered stays. Cancelling twice is as good as once."""
    upload = get_upload(session, request_id, upload_id)
    if upload.state == "complete":
        return None
    upload.state = "abandoned"
    record(
        session,
        "materials.upload.cancelled",
        ("upload", upload.id),
        actor=actor,
        tenant_id=upload.tenant_id,
    )
    session.flush()
    return upload


def unfinished(session: Session, request_id: UUID) -> Sequence[Upload]:
    """Uploads of a request that began and are not complete, the oldest first: chosen again, the
    files go on where they broke off."""
    return session.scalars(
        sa.select(Upload)
        .where(Upload.request_id == request_id, Upload.state == "started")
        .order_by(Upload.started_at)
        .limit(MOST_UNFINISHED)
    ).all()


# --- housekeeping --------------------------------------------------------------------------------


def sweep(session: Session, *, actor: Actor, limit: int = 200) -> Sequence[Upload]:
    """Give uploads up that stand still for a day (company scope), journalled; the caller removes
    their bytes after the commit (`forget`). One whose parts still come is left alone."""
    limit_at = clock.now() - ABANDONED_AFTER
    rows = session.scalars(
        sa.select(Upload)
        .where(Upload.state == "started", Upload.started_at < limit_at)
        .order_by(Upload.started_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    given_up = []
    for row in rows:
        touched = storage().touched(row.storage_key or "", row.store_reference)
        if touched is not None and touched > limit_at:
            continue
        row.state = "abandoned"
        given_up.append(row)
        record(
            session,
            "materials.upload.abandoned",
            ("upload", row.id),
            actor=actor,
            tenant_id=row.tenant_id,
        )
    session.flush()
    return given_up


def forget(given_up: Sequence[Upload]) -> None:
    """Remove what the store holds of uploads that were given up."""
    for upload in given_up:
        if upload.storage_key:
            storage().abort(upload.storage_key, upload.store_reference)
            storage().delete(upload.storage_key)


def remove(keys: Sequence[str]) -> None:
    """Remove bytes that no row needs."""
    for key in keys:
        storage().delete(key)
