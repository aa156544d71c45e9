"""Files on their way to an item: start, parts, cancel, give up (UX 2, 5, 6; C4.1).

Names of dialler files hold telephone numbers, so they are kept sealed and shown masked. The key
under which bytes will lie is committed before the first byte comes: whatever breaks, the sweep
finds the row and removes what is under its key. The bytes themselves go to the store in parts,
each under a signed address, and pass no view.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
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
from portal.materials.events import get_request
from portal.materials.kinds import ItemState
from portal.materials.models import Delivery, MaterialRequest, RequestItem, Upload
from portal.materials.rules import check_open, moved
from tenants.rows import new_id
from tenants.vault import installed

UPLOAD_NAME = "uploads.name"
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
    """Note that one file is on its way (`start_all`); what stands in its way is raised."""
    (outcome,) = start_all(
        session, request_id, [(item_id, announced)], replaces_id=replaces_id, actor=actor
    )
    if isinstance(outcome, PortalError):
        raise outcome
    return outcome


def start_all(
    session: Session,
    request_id: UUID,
    files: Sequence[tuple[UUID, Announced]],
    *,
    replaces_id: UUID | None = None,
    made: list[Upload] | None = None,
    actor: Actor,
) -> list[Upload | PortalError]:
    """Note that files are on their way to items; each answers for itself, in order. The same file
    for the same item meets the upload that is open already, so that it goes on where it broke off.
    An outcome may be `Invalid` for a file that the item does not take, `Conflict` for an item that
    takes none, `NotFound`. Raises `Conflict` for a closed request. Uploads that are new are added
    to `made`: their times would not tell them where a clock stepped."""
    request = get_request(session, request_id, share=True)
    check_open(request.state)
    wanted = {item_id for item_id, _announced in files}
    # The items' locks make starts of the same file wait for each other.
    items = {item.id: item for item in _items(session, request, wanted)}
    started = {_name_of(one): one for one in _started(session, request, wanted)}
    key = installed().key(session, request.tenant_id)
    outcomes: list[Upload | PortalError] = []
    for item_id, announced in files:
        try:
            item = _taking(session, request, items.get(item_id), announced, replaces_id)
            name = announced.name[-LONGEST_NAME:]
            place = (item.id, key.index("upload_name", name), announced.size)
            found = started.get(place)
            if found is None or not _same(found, announced, replaces_id):
                if found is not None:
                    found.state = "abandoned"
                    session.flush()
                found = _new(request, item, announced, name, replaces_id, actor=actor)
                found.name_index = place[1]
                found.name_sealed = key.seal(UPLOAD_NAME, found.id, name)
                session.add(found)
                started[place] = found
                if made is not None:
                    made.append(found)
            outcomes.append(found)
        except PortalError as error:
            outcomes.append(error)
    session.flush()
    return outcomes


def _items(
    session: Session, request: MaterialRequest, ids: Collection[UUID]
) -> Sequence[RequestItem]:
    """Items of the request, locked in one order."""
    return session.scalars(
        sa.select(RequestItem)
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
            RequestItem.id.in_(ids),
        )
        .order_by(RequestItem.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _taking(
    session: Session,
    request: MaterialRequest,
    item: RequestItem | None,
    announced: Announced,
    replaces_id: UUID | None,
) -> RequestItem:
    """The item, if it takes such a file."""
    if item is None:
        raise NotFound("request item")
    moved(item.state, ItemState.DELIVERED)
    name = announced.name[-LONGEST_NAME:]
    problem = refusal(name, announced.size, formats_of(request, item.kind))
    if problem:
        raise Invalid(*problem)
    if replaces_id is not None:
        get_replaced(session, item, replaces_id)
    return item


def _name_of(upload: Upload) -> tuple[UUID, bytes, int]:
    """What makes two starts the same file for the same item."""
    return upload.item_id, bytes(upload.name_index), upload.declared_size


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


def _started(
    session: Session, request: MaterialRequest, item_ids: Collection[UUID]
) -> Sequence[Upload]:
    return session.scalars(
        sa.select(Upload).where(
            Upload.tenant_id == request.tenant_id,
            Upload.item_id.in_(item_ids),
            Upload.state == "started",
        )
    ).all()


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
    if found is None:
        get_request(session, request_id)
    return check_known(found)


def check_known(upload: Upload | None) -> Upload:
    """The upload, unless it is not there or was given up: then `UploadGone`."""
    if upload is None or upload.state in ("abandoned", "refused"):
        raise UploadGone(
            phrase("This upload is not known any more."), phrase("Send the file again.")
        )
    return upload


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


def finish(key: str, reference: str, size: int) -> Stored:
    """Make the parts under a key one file in the store. Raises `PartsLacking` while some are
    missing, `StorageError`."""
    try:
        return storage().finish(key, reference, size)
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
