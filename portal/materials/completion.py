"""Uploads become deliveries: files, items, history and checks, in one transaction (UX 2, A3).

The moment of completion is the one that counts. A folder's files are completed together, with a
few statements for all of them. With an S3 store the SHA-256 is not known then: the check reads the
file once and settles it (`settling.py`), and a hand-in does not wait for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.kinds import kind_of_name
from portal.files.models import StoredFile
from portal.files.service import NAME_PLACE
from portal.files.streams import Stored
from portal.jobs.service import enqueue_all
from portal.journal.service import Note, record_all
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import PortalError
from portal.kernel.phrases import Phrase, phrase
from portal.materials.events import get_request, tell
from portal.materials.kinds import CheckState, ItemState, RequestEventKind
from portal.materials.models import Delivery, MaterialRequest, RequestItem, Upload
from portal.materials.queries import item_of_delivery, request_of_item
from portal.materials.rules import check_open, moved
from portal.materials.uploads import UPLOAD_NAME, check_known, finish, get_replaced
from portal.materials.words import KINDS
from tenants.rows import new_id
from tenants.vault import DataKey, installed

_FINISHING = 4
"""Uploads that the store puts together at the same time: most of it is waiting for the disk."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What completing an upload came to. `warning` is for the person; `spare_key` names bytes
    that are not needed (the same file again), to be removed after the commit."""

    delivery: Delivery
    again: bool = False
    warning: Phrase | None = None
    spare_key: str | None = None


Outcome = Completed | PortalError


@dataclass(slots=True)
class _Ending:
    """An upload on its way to being a delivery. `anew`: its item gets a file by it."""

    upload: Upload
    item: RequestItem
    delivery: Delivery | None = None
    anew: bool = False
    spare: bool = False


def complete(
    session: Session,
    request_id: UUID,
    upload_id: UUID,
    *,
    stored: Stored | None = None,
    actor: Actor,
) -> Completed:
    """Make one upload a delivery (`complete_all`); what stands in its way is raised."""
    given = {} if stored is None else {upload_id: stored}
    (outcome,) = complete_all(session, request_id, [upload_id], stored=given, actor=actor)
    if isinstance(outcome, PortalError):
        raise outcome
    return outcome


def complete_all(
    session: Session,
    request_id: UUID,
    upload_ids: Sequence[UUID],
    *,
    stored: Mapping[UUID, Stored] | None = None,
    actor: Actor,
) -> list[Outcome]:
    """Make uploads deliveries: files, deliveries, items and history in one transaction, and their
    checks as jobs; each answers for itself, in order. Completing twice gives the same delivery; the
    same bytes for the same item count once. `stored` says which bytes lie under their upload's key
    already; the others' parts are put together now. Outcomes may be `PartsLacking`, `UploadGone`,
    `StorageError`. Raises `NotFound` for a request that is not this scope's."""
    request = get_request(session, request_id, share=True)
    outcomes: dict[UUID, Outcome] = {}
    endings = _open_endings(session, request, upload_ids, outcomes)
    going = {one.upload.id: one for one in endings if one.upload.state == "started"}
    for upload_id, made in _finish_all(list(going.values()), stored or {}).items():
        if isinstance(made, PortalError):
            outcomes[upload_id] = made
            del going[upload_id]
        else:
            upload = going[upload_id].upload
            upload.size, upload.sha256 = made.size, made.sha256
    _deliver_all(session, request, list(going.values()), actor=actor)
    _put_on_all(session, request, [one for one in going.values() if one.anew], actor=actor)
    session.flush()
    elsewhere = _elsewhere(session, request, endings)
    for one in endings:
        if one.upload.id not in outcomes and one.delivery is not None:
            outcomes[one.upload.id] = _outcome(one, elsewhere, again=one.upload.id not in going)
    return [outcomes[upload_id] for upload_id in upload_ids]


def _open_endings(
    session: Session,
    request: MaterialRequest,
    upload_ids: Sequence[UUID],
    outcomes: dict[UUID, Outcome],
) -> list[_Ending]:
    """The uploads with their items, all locked; what cannot be completed goes to `outcomes`."""
    statement = sa.select(Upload, RequestItem).join(
        RequestItem,
        sa.and_(RequestItem.tenant_id == Upload.tenant_id, RequestItem.id == Upload.item_id),
    )
    rows = session.execute(
        statement.where(Upload.request_id == request.id, Upload.id.in_(set(upload_ids)))
        .order_by(RequestItem.id, Upload.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    done = _deliveries(session, [one.delivery_id for one, _item in rows if one.delivery_id])
    known = {upload.id: (upload, item) for upload, item in rows}
    endings = []
    for upload_id in dict.fromkeys(upload_ids):
        try:
            upload = check_known(known[upload_id][0] if upload_id in known else None)
            item = known[upload_id][1]
            if upload.state == "started":
                check_open(request.state)
                moved(item.state, ItemState.DELIVERED)
        except PortalError as error:
            outcomes[upload_id] = error
            continue
        delivery = done.get(upload.delivery_id) if upload.delivery_id else None
        endings.append(_Ending(upload, item, delivery))
    return endings


def _deliveries(session: Session, ids: Sequence[UUID]) -> dict[UUID, Delivery]:
    if not ids:
        return {}
    return {one.id: one for one in session.scalars(sa.select(Delivery).where(Delivery.id.in_(ids)))}


def _finish_all(
    endings: Sequence[_Ending], stored: Mapping[UUID, Stored]
) -> dict[UUID, Stored | PortalError]:
    """The store puts the parts of each together. No session is used here."""

    def one(ending: tuple[UUID, str, str, int]) -> Stored | PortalError:
        upload_id, key, reference, size = ending
        try:
            return stored.get(upload_id) or finish(key, reference, size)
        except PortalError as error:
            return error

    wanted = [
        (
            one.upload.id,
            one.upload.storage_key or "",
            one.upload.store_reference,
            one.upload.declared_size,
        )
        for one in endings
    ]
    if len(wanted) < 2:
        return {each[0]: one(each) for each in wanted}
    with ThreadPoolExecutor(_FINISHING, thread_name_prefix="finish") as pool:
        return dict(zip((each[0] for each in wanted), pool.map(one, wanted), strict=True))


def _same_bytes(session: Session, endings: Sequence[_Ending]) -> dict[tuple[UUID, str], Delivery]:
    """Deliveries of the same bytes for the same items; one that counts before a replaced one."""
    hashes = {one.upload.sha256 for one in endings if one.upload.sha256}
    if not hashes:
        return {}
    rows = session.scalars(
        sa.select(Delivery)
        .where(
            Delivery.tenant_id == endings[0].item.tenant_id,
            Delivery.item_id.in_({one.item.id for one in endings}),
            Delivery.sha256.in_(hashes),
        )
        .order_by(sa.case((Delivery.state == "current", 1), else_=0), Delivery.id.desc())
    )
    return {(row.item_id, row.sha256): row for row in rows}


def _deliver_all(
    session: Session, request: MaterialRequest, endings: Sequence[_Ending], *, actor: Actor
) -> None:
    """Rows of files and deliveries, where the bytes are not there already."""
    known = _same_bytes(session, endings)
    key = installed().key(session, request.tenant_id)
    files, made = [], []
    for one in endings:
        upload = one.upload
        upload.state, upload.completed_at = "complete", clock.now()
        same = known.get((upload.item_id, upload.sha256 or ""))
        one.spare, one.anew = same is not None, same is None or same.state != "current"
        if same is None:
            file = _file(key, upload, actor=actor)
            same = _delivery(request, upload, file, actor=actor)
            files.append(file)
            made.append(same)
            if upload.sha256:
                known[(upload.item_id, upload.sha256)] = same
        one.delivery = same
    session.add_all(files)
    session.flush()
    session.add_all(made)
    session.flush()
    for one in endings:
        if one.delivery is not None:
            one.upload.delivery_id = one.delivery.id


def _file(key: DataKey, upload: Upload, *, actor: Actor) -> StoredFile:
    """The file's row. The type is what the name says until it is checked."""
    name = key.open(UPLOAD_NAME, upload.id, upload.name_sealed)
    claimed = kind_of_name(name)
    now = clock.now()
    file = StoredFile(
        tenant_id=upload.tenant_id,
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
    return file


def _delivery(
    request: MaterialRequest, upload: Upload, file: StoredFile, *, actor: Actor
) -> Delivery:
    return Delivery(
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
        delivered_at=clock.now(),
        delivered_by_name=actor.name,
    )


def _put_on_all(
    session: Session, request: MaterialRequest, endings: Sequence[_Ending], *, actor: Actor
) -> None:
    """The items have them: state, versions replaced, history, journal, and the checks."""
    notes, checks = [], []
    for one in endings:
        item, delivery = one.item, one.delivery
        if delivery is None:
            continue
        delivery.state = "current"
        item.state = moved(item.state, ItemState.DELIVERED)
        item.answer_reason = item.answer_note = item.answered_at = item.answered_by_name = None
        item.proof_id = None
        item.version += 1
        kind = _kind(session, one)
        data = {"case_no": item.case_no, "kind": item.kind, "file": one.upload.safe_name}
        tell(session, request, kind, actor=actor, data=data)
        told = {"number": request.number, "item": str(item.id), "sha256": delivery.sha256}
        notes.append(Note(f"materials.file.{kind.value}", ("delivery", delivery.id), told))
        if delivery.check_state == CheckState.PENDING:
            checks.append({"delivery_id": delivery.id})
    session.flush()
    record_all(session, notes, actor=actor, tenant_id=request.tenant_id)
    enqueue_all(
        session, "materials.check_delivery", checks, actor=actor, tenant_id=request.tenant_id
    )


def _kind(session: Session, one: _Ending) -> RequestEventKind:
    """Whether the delivery is a new one, or takes the place of another."""
    if one.upload.replaces_id is None or one.delivery is None:
        return RequestEventKind.DELIVERED
    old = get_replaced(session, one.item, one.upload.replaces_id)
    if old.id == one.delivery.id:
        return RequestEventKind.DELIVERED
    old.state = "replaced"
    return RequestEventKind.REPLACED


def _outcome(
    one: _Ending, elsewhere: Mapping[tuple[UUID, str], Phrase], *, again: bool
) -> Completed:
    if one.delivery is None:
        raise LookupError("an upload without its delivery")
    warning = elsewhere.get((one.item.id, one.delivery.sha256))
    counted = not again and not one.anew
    if counted:
        warning = phrase("This file was delivered for this item already; it counts once.")
    spare = one.upload.storage_key if one.spare else None
    return Completed(one.delivery, again=again or counted, warning=warning, spare_key=spare)


def _elsewhere(
    session: Session, request: MaterialRequest, endings: Sequence[_Ending]
) -> dict[tuple[UUID, str], Phrase]:
    """The same bytes under another case of this vendor: said, because one recording proves one
    call only. By item and hash."""
    hashes = {one.delivery.sha256 for one in endings if one.delivery and one.delivery.sha256}
    if not hashes:
        return {}
    rows = session.execute(
        sa.select(
            Delivery.sha256,
            RequestItem.case_id,
            RequestItem.case_no,
            RequestItem.kind,
            MaterialRequest.number,
        )
        .join(Delivery, item_of_delivery())
        .join(MaterialRequest, request_of_item())
        .where(Delivery.tenant_id == request.tenant_id, Delivery.sha256.in_(hashes))
        .order_by(Delivery.id)
    ).all()
    found: dict[tuple[UUID, str], Phrase] = {}
    for one in endings:
        sha256 = one.delivery.sha256 if one.delivery else ""
        other = next(
            (row for row in rows if row.sha256 == sha256 and row.case_id != one.item.case_id), None
        )
        if other is not None:
            found[(one.item.id, sha256)] = _careful(other)
    return found


def _careful(other: Any) -> Phrase:
    return phrase(
        "Careful: the same file was delivered for case %(case)s (%(kind)s, %(number)s) too.",
        case=other.case_no,
        kind=str(KINDS[other.kind]),
        number=other.number,
    )
