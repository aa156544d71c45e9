"""Reads of a request's items, with the files delivered for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.cases.models import Case
from portal.contacts.models import CallRecord
from portal.contacts.queries import CallFacts, calls_by_id
from portal.deadlines.queries import rounds_of
from portal.kernel.paging import Page, Sort, paginate
from portal.materials.delivered import FileRow, files_of, row_of, with_files
from portal.materials.kinds import CheckState, ItemState, MaterialKind
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.proofs import ProofRow, proofs_of
from portal.materials.queries import CLOCK, broken, call_of_item
from portal.materials.rules import Tallied
from portal.materials.words import item_label


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item in the table of a request; `call` where it is the recording of one call, `due_at`
    where it runs on a later clock than the request's first (returned, added, exchanged)."""

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
    due_at: datetime | None = None

    @property
    def owed(self) -> bool:
        """Whether something is still to be delivered or answered for it."""
        return self.broken or self.state in (ItemState.MISSING, ItemState.RETURNED)

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
        return sa.or_(owed, state == ItemState.RETURNED, broken())
    if show == "problem":
        return broken()
    if show == "delivered":
        return sa.and_(state == ItemState.DELIVERED, ~broken())
    if show in ("unavailable", "returned", "accepted", "cancelled"):
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
        .outerjoin(CallRecord, call_of_item())
        .add_columns(RequestItem.id.label("id"), _PLACE.label("sort_key"))
        .where(_shown(show), RequestItem.call_id.is_not(None) if calls_only else sa.true())
    )
    page = paginate(session, statement, Sort(_PLACE, RequestItem.id), cursor, size=size)
    items = [row[0] for row in page.items]
    files = files_of(session, [item.id for item in items])
    calls = calls_by_id(session, [item.call_id for item in items if item.call_id])
    proofs = proofs_of(session, items)
    dues = _later_dues(session, request, items)
    return page.map(
        lambda row: _item_row(
            row,
            files.get(row.id, []),
            calls.get(row[0].call_id),
            proofs.get(row[0].proof_id),
            dues.get(row[0].round),
        )
    )


def _later_dues(
    session: Session, request: MaterialRequest, items: Sequence[RequestItem]
) -> dict[int, datetime]:
    """When the clocks after the first run out, by round; asked only where an item is on one."""
    if all(item.round == 1 for item in items):
        return {}
    rows = rounds_of(session, request.tenant_id, request.id, CLOCK)
    return {row.round: row.due_at for row in rows if row.round > 1}


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
    row: Any,
    files: Sequence[FileRow],
    call: CallFacts | None,
    proof: ProofRow | None,
    due_at: datetime | None,
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
        due_at,
    )


@dataclass(frozen=True, slots=True)
class PaperItem:
    """An item as the receipt names it, with its current files."""

    id: UUID
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

    @property
    def broken(self) -> bool:
        """Whether it is owed though there are files: none of them can be used."""
        return bool(self.tallied.problems)

    @property
    def label(self) -> str:
        """The item for people."""
        return item_label(self.case_no, self.kind, self.call.started_at if self.call else None)


def unusable_labels(session: Session, request: MaterialRequest) -> list[str]:
    """The items that hold only unusable files, for people, in the list's order."""
    rows = session.execute(
        sa.select(RequestItem.case_no, RequestItem.kind, CallRecord.started_at)
        .outerjoin(CallRecord, call_of_item())
        .where(
            RequestItem.tenant_id == request.tenant_id,
            RequestItem.request_id == request.id,
            broken(),
        )
        .order_by(_PLACE, RequestItem.id)
    )
    return [item_label(*row) for row in rows]


def paper_items(session: Session, request: MaterialRequest) -> list[PaperItem]:
    """All items of a request, for its receipt and its counts."""
    rows = session.execute(_items(request).order_by(RequestItem.case_no, RequestItem.id)).all()
    files: dict[UUID, list[FileRow]] = {}
    for found in session.execute(
        with_files().where(
            Delivery.tenant_id == request.tenant_id,
            Delivery.request_id == request.id,
            Delivery.state == "current",
        )
    ):
        files.setdefault(found[0].item_id, []).append(row_of(found))
    calls = calls_by_id(session, [row[0].call_id for row in rows if row[0].call_id])
    return [
        _paper_item(row[0], row.card_masked, files.get(row[0].id, []), calls.get(row[0].call_id))
        for row in rows
    ]


def _paper_item(
    item: RequestItem, card: str, files: Sequence[FileRow], call: CallFacts | None
) -> PaperItem:
    unfit = bool(files) and all(file.check_state == CheckState.PROBLEM for file in files)
    unfit = unfit and item.state == ItemState.DELIVERED
    return PaperItem(
        item.id,
        item.case_no,
        card,
        item.kind,
        item.state,
        item.answer_reason,
        item.answer_note,
        Tallied(item.state, item.required, item.answer_reason is not None, 1, int(unfit)),
        tuple(files),
        call,
        item.round,
    )
