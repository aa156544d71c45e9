"""Reads of a request's items and of the files delivered for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.contacts.models import CallRecord
from portal.contacts.queries import CallFacts, calls_by_id
from portal.files.models import StoredFile
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.materials.kinds import CheckState, ItemState, MaterialKind
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.proofs import ProofRow, proofs_of
from portal.materials.queries import usable
from portal.materials.rules import Tallied

_COPIED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A delivered file. `problems` (unusable) and `remarks` (to be looked at) are codes with
    parameters of `portal.files.problems`; `virus_scan` is never "clean" without a scan."""

    id: UUID
    item_id: UUID
    request_id: UUID
    safe_name: str
    media_type: str
    size: int
    sha256: str
    state: str
    check_state: str
    problems: tuple[tuple[str, dict[str, Any]], ...]
    remarks: tuple[tuple[str, dict[str, Any]], ...]
    virus_scan: str
    duration: float | None
    has_peaks: bool
    has_copy: bool
    delivered_at: datetime
    delivered_by_name: str
    matched_how: str
    replaces_id: UUID | None
    gone: bool = False
    """Deleted when its time was over: the row and its hash are left."""
    copying: bool = False
    """A copy that browsers play is being made; until then it cannot be listened to."""

    @property
    def is_audio(self) -> bool:
        """Whether it is a recording that can be listened to."""
        return self.has_peaks

    @property
    def is_picture(self) -> bool:
        """Whether a re-encoded picture of it can be shown."""
        return self.media_type.startswith("image/") and self.has_copy

    @property
    def path(self) -> str:
        """Where it is downloaded."""
        return f"/requests/{self.request_id}/files/{self.id}"

    @property
    def audio_path(self) -> str:
        """Where a player reads sound (a playable copy where the codec needs one)."""
        return f"{self.path}/audio"

    @property
    def peaks_path(self) -> str:
        """Where a player reads the wave form."""
        return f"{self.path}/peaks"


def _said(result: dict[str, Any], what: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple((entry["code"], entry["params"]) for entry in result.get(what, ()))


def _file_row(row: Any) -> FileRow:
    delivery: Delivery = row[0]
    result = delivery.check_result
    return FileRow(
        delivery.id,
        delivery.item_id,
        delivery.request_id,
        row.safe_name,
        row.media_type,
        row.size,
        delivery.sha256,
        delivery.state,
        delivery.check_state,
        _said(result, "problems"),
        _said(result, "remarks"),
        result.get("virus_scan", "not_scanned"),
        result.get("facts", {}).get("duration"),
        delivery.peaks_key is not None,
        delivery.playable_id is not None,
        delivery.delivered_at,
        delivery.delivered_by_name,
        delivery.matched_how,
        delivery.replaces_id,
        gone=row.file_state == "deleted",
        copying=_copying(result),
    )


def _copying(result: dict[str, Any]) -> bool:
    """Whether the copy is waited for: one that is not there after an hour will not come soon."""
    if result.get("copy") != "waiting":
        return False
    return clock.now() - datetime.fromisoformat(result["checked_at"]) < _COPIED_WITHIN


def _files() -> Any:
    statement = (
        sa.select(
            Delivery,
            StoredFile.safe_name,
            StoredFile.media_type,
            StoredFile.size,
            StoredFile.state.label("file_state"),
        )
        .join(
            StoredFile,
            sa.and_(StoredFile.tenant_id == Delivery.tenant_id, StoredFile.id == Delivery.file_id),
        )
        .order_by(Delivery.id)
    )
    return statement


def files_of(session: Session, item_ids: Sequence[UUID]) -> dict[UUID, list[FileRow]]:
    """Delivered files by item, old versions included, in order of delivery."""
    found: dict[UUID, list[FileRow]] = {}
    for row in session.execute(_files().where(Delivery.item_id.in_(list(item_ids)))):
        found.setdefault(row[0].item_id, []).append(_file_row(row))
    return found


def get_delivery(
    session: Session, request_id: UUID, delivery_id: UUID
) -> tuple[Delivery, StoredFile]:
    """A delivered file of a request; raises `NotFound`."""
    row = session.execute(
        sa.select(Delivery, StoredFile)
        .join(
            StoredFile,
            sa.and_(StoredFile.tenant_id == Delivery.tenant_id, StoredFile.id == Delivery.file_id),
        )
        .where(
            Delivery.id == delivery_id,
            Delivery.request_id == request_id,
            StoredFile.state == "stored",
        )
    ).first()
    if row is None:
        raise NotFound("delivered file")
    return row[0], row[1]


def file_row(session: Session, delivery_id: UUID) -> FileRow:
    """One delivered file as pages show it; raises `NotFound`."""
    row = session.execute(_files().where(Delivery.id == delivery_id)).first()
    if row is None:
        raise NotFound("delivered file")
    return _file_row(row)


def delivered_files(
    session: Session, tenant_id: UUID, request_id: UUID, case_id: UUID
) -> list[FileRow]:
    """What was delivered for a case on a request, current versions only (the review desk)."""
    rows = session.execute(
        _files()
        .join(
            RequestItem,
            sa.and_(
                RequestItem.tenant_id == Delivery.tenant_id, RequestItem.id == Delivery.item_id
            ),
        )
        .where(
            Delivery.tenant_id == tenant_id,
            Delivery.request_id == request_id,
            Delivery.state == "current",
            RequestItem.case_id == case_id,
        )
    )
    return [_file_row(row) for row in rows]


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item in the table of a request; `call` where it is the recording of one call."""

    id: UUID
    case_id: UUID
    case_no: str
    kind: str
    required: bool
    state: str
    card_masked: str
    debtor_masked: str
    entrusting_company: str
    answer_reason: str | None
    answer_note: str | None
    answered_at: datetime | None
    answered_by_name: str | None
    decision_note: str | None
    decided_by_name: str | None
    version: int
    call: CallFacts | None
    proof: ProofRow | None
    files: tuple[FileRow, ...]
    old_files: tuple[FileRow, ...]

    @property
    def broken(self) -> bool:
        """Whether all that was delivered for it cannot be used."""
        delivered = self.state == ItemState.DELIVERED and bool(self.files)
        return delivered and all(file.check_state == CheckState.PROBLEM for file in self.files)


ITEM_FILTERS = (
    "all",
    "missing",
    "delivered",
    "unavailable",
    "problem",
    "returned",
    "accepted",
    "cancelled",
)


def _shown(show: str) -> sa.ColumnElement[bool]:
    state = RequestItem.state
    if show == "missing":
        owed = sa.and_(state == ItemState.MISSING, RequestItem.required)
        return sa.or_(owed, state == ItemState.RETURNED)
    if show == "problem":
        return sa.and_(state == ItemState.DELIVERED, ~usable())
    if show in ("delivered", "unavailable", "returned", "accepted", "cancelled"):
        return state == show
    return sa.true()


_RANKS = {MaterialKind.COLLECTION_RECORD: "1", MaterialKind.CALL_RECORDING: "2"}
_BEGAN = sa.func.to_char(CallRecord.started_at, "YYYYMMDDHH24MISS")
_PLACE = sa.collate(
    RequestItem.case_no
    + " "
    + sa.case(_RANKS, value=RequestItem.kind, else_="3")
    + sa.func.coalesce(_BEGAN, ""),
    "C",
)
"""Where an item stands in the list. A blank comes before whatever a longer case number has."""


def list_items(
    session: Session,
    request: MaterialRequest,
    show: str = "all",
    cursor: str | None = None,
    *,
    size: int = 150,
    calls_only: bool = False,
) -> Page[ItemRow]:
    """The items of a request by case number, kind and time of the call, with their files; all, or
    those of single calls."""
    statement = (
        _items(request)
        .outerjoin(
            CallRecord,
            sa.and_(
                CallRecord.tenant_id == RequestItem.tenant_id,
                CallRecord.id == RequestItem.call_id,
            ),
        )
        .add_columns(RequestItem.id.label("id"), _PLACE.label("sort_key"))
        .where(_shown(show), RequestItem.call_id.is_not(None) if calls_only else sa.true())
    )
    page = paginate(session, statement, Sort(_PLACE, RequestItem.id), cursor, size=size)
    items = [row[0] for row in page.items]
    files = files_of(session, [item.id for item in items])
    calls = calls_by_id(session, [item.call_id for item in items if item.call_id])
    proofs = proofs_of(session, items)
    return page.map(
        lambda row: _item_row(
            row,
            files.get(row.id, []),
            calls.get(row[0].call_id),
            proofs.get(row[0].proof_id),
        )
    )


def _items(request: MaterialRequest) -> Any:
    statement = (
        sa.select(RequestItem, Case.card_masked, Case.debtor_masked, Case.entrusting_company)
        .join(
            Case, sa.and_(Case.tenant_id == RequestItem.tenant_id, Case.id == RequestItem.case_id)
        )
        .where(RequestItem.tenant_id == request.tenant_id, RequestItem.request_id == request.id)
    )
    return statement


def _item_row(
    row: Any, files: Sequence[FileRow], call: CallFacts | None, proof: ProofRow | None
) -> ItemRow:
    item: RequestItem = row[0]
    return ItemRow(
        item.id,
        item.case_id,
        item.case_no,
        item.kind,
        item.required,
        item.state,
        row.card_masked,
        row.debtor_masked,
        row.entrusting_company,
        item.answer_reason,
        item.answer_note,
        item.answered_at,
        item.answered_by_name,
        item.decision_note,
        item.decided_by_name,
        item.version,
        call,
        proof,
        tuple(file for file in files if file.state == "current"),
        tuple(file for file in files if file.state != "current"),
    )


@dataclass(frozen=True, slots=True)
class PaperItem:
    """An item as the receipt names it, with its current files."""

    case_no: str
    card_masked: str
    kind: str
    state: str
    answer_reason: str | None
    answer_note: str | None
    tallied: Tallied
    files: tuple[FileRow, ...]
    call: CallFacts | None
    round: int = 1


def paper_items(session: Session, request: MaterialRequest) -> list[PaperItem]:
    """All items of a request, for its receipt and its counts."""
    rows = session.execute(_items(request).order_by(RequestItem.case_no, RequestItem.id)).all()
    files: dict[UUID, list[FileRow]] = {}
    for found in session.execute(
        _files().where(
            Delivery.tenant_id == request.tenant_id,
            Delivery.request_id == request.id,
            Delivery.state == "current",
        )
    ):
        files.setdefault(found[0].item_id, []).append(_file_row(found))
    calls = calls_by_id(session, [row[0].call_id for row in rows if row[0].call_id])
    return [
        _paper_item(row[0], row.card_masked, files.get(row[0].id, []), calls.get(row[0].call_id))
        for row in rows
    ]


def _paper_item(
    item: RequestItem, card: str, files: Sequence[FileRow], call: CallFacts | None
) -> PaperItem:
    broken = bool(files) and all(file.check_state == CheckState.PROBLEM for file in files)
    return PaperItem(
        item.case_no,
        card,
        item.kind,
        item.state,
        item.answer_reason,
        item.answer_note,
        Tallied(item.state, item.required, item.answer_reason is not None, 1, int(broken)),
        tuple(files),
        call,
        item.round,
    )


def item_of(session: Session, delivery: Delivery) -> RequestItem:
    """The item that a delivered file answers; raises `NotFound`."""
    found = session.get(RequestItem, (delivery.tenant_id, delivery.item_id))
    if found is None:
        raise NotFound("request item")
    return found
