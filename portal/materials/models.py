"""Material requests (调取通知), what was delivered on them, and the hand-ins (A3, A10)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, IssuedRow, TenantRow, id_index, one_of, tenant_fk


class MaterialKind(StrEnum):
    """What proves how a case was worked."""

    COLLECTION_RECORD = "collection_record"
    CALL_RECORDING = "call_recording"
    VISIT_RECORDING = "visit_recording"
    OTHER = "other"


class RequestState(StrEnum):
    """A request's states; "late" is computed from the clock, never a state."""

    ISSUED = "issued"
    HANDED_IN = "handed_in"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """An item's states: 缺 / 已交 / 无法提供 / 已接受 / 已退回."""

    MISSING = "missing"
    DELIVERED = "delivered"
    UNAVAILABLE = "unavailable"
    ACCEPTED = "accepted"
    RETURNED = "returned"


class UnavailableReason(StrEnum):
    """未拨打、未接通、空号、未外访、系统故障."""

    NOT_CALLED = "not_called"
    NOT_CONNECTED = "not_connected"
    EMPTY_NUMBER = "empty_number"
    NOT_VISITED = "not_visited"
    SYSTEM_FAULT = "system_fault"


class MaterialRequest(IssuedRow, Base):
    """The audit department's demand for named materials of named cases, due in two working days.

    `draw_id` names the draw that it came from (None when asked for ad hoc, A10); the draw's own
    rows are private to the company.
    """

    __tablename__ = "material_requests"
    __table_args__ = (
        one_of("state", RequestState),
        one_of("manner", ("draw", "ad_hoc")),
        sa.UniqueConstraint("tenant_id", "number"),
        sa.UniqueConstraint("tenant_id", "draw_id"),
        sa.Index("ix_material_requests_tenant_issued", "tenant_id", "issued_at", "id"),
        sa.Index("ix_material_requests_issued", "issued_at", "id"),
        id_index("material_requests"),
    )
    vendor_update = ("state", "handed_in_at", "version")

    number: Mapped[str]
    manner: Mapped[str]
    draw_id: Mapped[UUID | None]
    reason: Mapped[str]
    period: Mapped[str]
    draw_facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    state: Mapped[str]
    cases: Mapped[int]
    items: Mapped[int]
    due_at: Mapped[datetime]
    issued_by_name: Mapped[str]
    handed_in_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class RequestItem(IssuedRow, Base):
    """One material of one case. `required=False`: wanted if it exists (a field visit)."""

    __tablename__ = "request_items"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("case_id", "cases"),
        one_of("kind", MaterialKind),
        one_of("state", ItemState),
        sa.UniqueConstraint("tenant_id", "request_id", "case_id", "kind"),
        id_index("request_items"),
    )
    vendor_update = ("state", "answer_reason", "answer_note", "answered_at", "version")

    request_id: Mapped[UUID]
    case_id: Mapped[UUID]
    case_no: Mapped[str]
    kind: Mapped[str]
    required: Mapped[bool]
    state: Mapped[str]
    answer_reason: Mapped[str | None]
    answer_note: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
    decided_by_name: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


class Upload(TenantRow, Base):
    """One file on its way: when it began and when it was complete (completion counts, UX 2)."""

    __tablename__ = "uploads"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("item_id", "request_items"),
        one_of("state", ("started", "complete", "refused", "abandoned")),
        sa.Index("ix_uploads_request", "tenant_id", "request_id"),
        id_index("uploads"),
    )
    vendor_insert = True
    vendor_update = ("state", "completed_at", "problem", "storage_key", "size", "sha256")

    request_id: Mapped[UUID]
    item_id: Mapped[UUID]
    name_sealed: Mapped[bytes]
    safe_name: Mapped[str]
    declared_size: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[str]
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    matched_how: Mapped[str]
    started_by: Mapped[UUID]
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    storage_key: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    sha256: Mapped[str | None]


class Delivery(TenantRow, Base):
    """A file delivered for an item, with what its check found. Replaced versions are kept."""

    __tablename__ = "deliveries"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("item_id", "request_items"),
        tenant_fk("file_id", "stored_files"),
        one_of("state", ("current", "replaced")),
        one_of("check_state", ("pending", "sound", "problem")),
        sa.UniqueConstraint("tenant_id", "item_id", "sha256"),
        sa.Index("ix_deliveries_request", "tenant_id", "request_id"),
        id_index("deliveries"),
    )
    vendor_insert = True
    vendor_update = ("state", "check_state", "check_result", "peaks_key")

    request_id: Mapped[UUID]
    item_id: Mapped[UUID]
    file_id: Mapped[UUID]
    sha256: Mapped[str]
    state: Mapped[str]
    check_state: Mapped[str]
    check_result: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    peaks_key: Mapped[str | None]
    matched_how: Mapped[str]
    delivered_at: Mapped[datetime]
    delivered_by_name: Mapped[str]


class HandIn(TenantRow, Base):
    """The vendor says "this is our delivery": the moment that counts, and its receipt (UX 3)."""

    __tablename__ = "hand_ins"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("document_id", "documents"),
        sa.UniqueConstraint("tenant_id", "request_id", "no"),
        id_index("hand_ins"),
    )
    vendor_insert = True
    vendor_update = ("document_id",)

    request_id: Mapped[UUID]
    no: Mapped[int]
    at: Mapped[datetime]
    in_time: Mapped[bool]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    by_name: Mapped[str]
    document_id: Mapped[UUID | None]
