"""Material requests (调取通知), what was delivered on them, and the hand-ins (A3, A10)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.materials.kinds import (
    CheckState,
    ItemState,
    MaterialKind,
    RequestEventKind,
    RequestState,
    UnavailableReason,
)
from tenants.rows import Base, IssuedRow, TenantRow, id_index, one_of, tenant_fk


class MaterialRequest(IssuedRow, Base):
    """The audit department's demand for named materials of named cases, due in two working days.

    `draw_id` names the draw that it came from (None when asked for ad hoc, A10); the draw's own
    rows are private to the company. `wanted` keeps the texts and formats of the kinds asked for,
    as they stood in the scheme on the day of issue. Every connected call of a case that began on a
    Beijing day from `window_from` to `window_to`, and before the request was issued, is expected.
    `draw_record`: what the vendor needs to recompute its sample, as `portal.audits.draws.records`
    packs it.
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
    window_from: Mapped[date]
    window_to: Mapped[date]
    draw_facts: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    draw_record: Mapped[bytes | None] = mapped_column(deferred=True)
    state: Mapped[str]
    cases: Mapped[int]
    items: Mapped[int]
    due_at: Mapped[datetime]
    issued_by: Mapped[UUID]
    issued_by_name: Mapped[str]
    handed_in_at: Mapped[datetime | None]
    wanted: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(default=1)


class RequestItem(IssuedRow, Base):
    """One material of one case. `required=False`: wanted if it exists (a field visit).

    `round` is the request's clock that it runs on (1, or a later one after a return). An item of
    a case that was put in another's place (换抽) names that case, and when it is first due itself;
    so does a call that a list of the company's added later.

    A call recording whose `call_id` is set is the recording of that one call; without a list of
    calls the case has one item for all. `proof_id`: the vendor's proof that there is none.
    """

    __tablename__ = "request_items"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("case_id", "cases"),
        tenant_fk("call_id", "call_records"),
        tenant_fk("proof_id", "stored_files"),
        one_of("kind", MaterialKind),
        one_of("state", ItemState),
        one_of("answer_reason", UnavailableReason),
        sa.UniqueConstraint(
            "tenant_id",
            "request_id",
            "case_id",
            "kind",
            "call_id",
            name="uq_request_items_once",
            postgresql_nulls_not_distinct=True,
        ),
        sa.Index("ix_request_items_case_no", "tenant_id", "request_id", "case_no", "id"),
        id_index("request_items"),
    )
    vendor_insert = True
    vendor_update = (
        "state",
        "call_id",
        "proof_id",
        "answer_reason",
        "answer_note",
        "answered_at",
        "answered_by_name",
        "version",
    )

    request_id: Mapped[UUID]
    case_id: Mapped[UUID]
    case_no: Mapped[str]
    kind: Mapped[str]
    call_id: Mapped[UUID | None]
    required: Mapped[bool]
    state: Mapped[str]
    proof_id: Mapped[UUID | None]
    answer_reason: Mapped[str | None]
    answer_note: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answered_by_name: Mapped[str | None]
    decision_note: Mapped[str | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    round: Mapped[int] = mapped_column(default=1, server_default="1")
    due_at: Mapped[datetime | None]
    replaces_case_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class Upload(TenantRow, Base):
    """One file on its way: when it began and when it was complete (completion counts, UX 2).

    `storage_key` is written before the bytes are, so that no byte is ever without a row to find
    it by; `store_reference` is the store's own name for the upload in parts. `name_index` is the
    blind index of the name: the same file started twice meets itself, unless `modified_ms` (when
    the browser's file was last changed) tells that it is another one.
    """

    __tablename__ = "uploads"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("item_id", "request_items"),
        one_of("state", ("started", "complete", "refused", "abandoned")),
        tenant_fk("replaces_id", "deliveries"),
        tenant_fk("delivery_id", "deliveries"),
        sa.Index("ix_uploads_request", "tenant_id", "request_id", "name_index"),
        sa.Index(
            "uq_uploads_one_start",
            "tenant_id",
            "item_id",
            "name_index",
            "declared_size",
            unique=True,
            postgresql_where=sa.text("state = 'started'"),
        ),
        sa.Index("ix_uploads_started", "started_at", postgresql_where=sa.text("state = 'started'")),
        id_index("uploads"),
    )
    vendor_insert = True
    vendor_update = (
        "state",
        "completed_at",
        "problem",
        "storage_key",
        "size",
        "sha256",
        "delivery_id",
    )

    request_id: Mapped[UUID]
    item_id: Mapped[UUID]
    replaces_id: Mapped[UUID | None]
    delivery_id: Mapped[UUID | None]
    name_sealed: Mapped[bytes]
    name_index: Mapped[bytes]
    safe_name: Mapped[str]
    declared_size: Mapped[int] = mapped_column(sa.BigInteger)
    state: Mapped[str]
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    matched_how: Mapped[str]
    started_by: Mapped[UUID]
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    storage_key: Mapped[str | None]
    store_reference: Mapped[str] = mapped_column(default="")
    modified_ms: Mapped[int | None] = mapped_column(sa.BigInteger)
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    sha256: Mapped[str | None]


class Delivery(TenantRow, Base):
    """A file delivered for an item, with what its check found. Replaced versions are kept.

    `playable_id` is a copy for browsers of a recording whose codec they do not play; what was
    delivered stays untouched. `sha256` is empty until the file was read once (an S3 store does
    not tell it at completion); a trigger lets it be set once.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("item_id", "request_items"),
        tenant_fk("file_id", "stored_files"),
        tenant_fk("playable_id", "stored_files"),
        tenant_fk("replaces_id", "deliveries"),
        one_of("state", ("current", "replaced")),
        one_of("check_state", CheckState),
        sa.Index(
            "uq_deliveries_same_bytes",
            "tenant_id",
            "item_id",
            "sha256",
            unique=True,
            postgresql_where=sa.text("state = 'current' AND sha256 <> ''"),
        ),
        sa.Index("ix_deliveries_request", "tenant_id", "request_id"),
        sa.Index(
            "ix_deliveries_unusable",
            "tenant_id",
            "request_id",
            "item_id",
            postgresql_where=sa.text("state = 'current' AND check_state = 'problem'"),
        ),
        sa.Index("ix_deliveries_sha256", "tenant_id", "sha256"),
        id_index("deliveries"),
    )
    vendor_insert = True
    vendor_update = (
        "state",
        "item_id",
        "sha256",
        "check_state",
        "check_result",
        "peaks_key",
        "playable_id",
    )

    request_id: Mapped[UUID]
    item_id: Mapped[UUID]
    file_id: Mapped[UUID]
    sha256: Mapped[str]
    state: Mapped[str]
    check_state: Mapped[str]
    check_result: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    peaks_key: Mapped[str | None]
    playable_id: Mapped[UUID | None]
    replaces_id: Mapped[UUID | None]
    matched_how: Mapped[str]
    started_at: Mapped[datetime]
    delivered_at: Mapped[datetime]
    delivered_by_name: Mapped[str]


class SoundPrint(TenantRow, Base):
    """The acoustic fingerprint (Chromaprint) of a delivered recording: `seconds` of it, eight
    32-bit words a second. By it the same sound is known again in another file."""

    __tablename__ = "sound_prints"
    __table_args__ = (
        tenant_fk("delivery_id", "deliveries"),
        sa.UniqueConstraint("tenant_id", "delivery_id"),
        id_index("sound_prints"),
    )
    vendor_insert = True

    delivery_id: Mapped[UUID]
    seconds: Mapped[int]
    words: Mapped[bytes]


class SoundKey(TenantRow, Base):
    """One of the few words of a fingerprint under which it is found again by equality (the only
    comparison that reaches an index under row-level security)."""

    __tablename__ = "sound_keys"
    __table_args__ = (
        tenant_fk("print_id", "sound_prints"),
        sa.Index("ix_sound_keys_word", "tenant_id", "word", "print_id"),
        id_index("sound_keys"),
    )
    vendor_insert = True

    print_id: Mapped[UUID]
    word: Mapped[int]


class HandIn(TenantRow, Base):
    """The vendor says "this is our delivery": the moment that counts, and its receipt (UX 3).

    `unusable`: the items that counted as missing because none of their files could be used.
    `told_at`: when the company's people were told.
    """

    __tablename__ = "hand_ins"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        tenant_fk("document_id", "documents"),
        sa.UniqueConstraint("tenant_id", "request_id", "no"),
        sa.Index("ix_hand_ins_untold", "at", postgresql_where=sa.text("told_at IS NULL")),
        id_index("hand_ins"),
    )
    vendor_insert = True
    vendor_update = ("document_id",)

    request_id: Mapped[UUID]
    no: Mapped[int]
    at: Mapped[datetime]
    due_at: Mapped[datetime]
    in_time: Mapped[bool]
    working_days_late: Mapped[int]
    counts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    unusable: Mapped[list[UUID]] = mapped_column(ARRAY(sa.Uuid), server_default=sa.text("'{}'"))
    by_name: Mapped[str]
    document_id: Mapped[UUID | None]
    told_at: Mapped[datetime | None]


class RequestEvent(TenantRow, Base):
    """One line of a request's history: who did what, when. Never changed."""

    __tablename__ = "request_events"
    __table_args__ = (
        tenant_fk("request_id", "material_requests"),
        one_of("kind", RequestEventKind),
        sa.Index("ix_request_events_request", "tenant_id", "request_id", "id"),
        id_index("request_events"),
    )
    vendor_insert = True
    company_grants: ClassVar[str] = "SELECT, INSERT"

    request_id: Mapped[UUID]
    kind: Mapped[str]
    at: Mapped[datetime]
    by_name: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
