"""materials"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "material_requests",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("manner", sa.Text(), nullable=False),
        sa.Column("draw_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("draw_facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.Uuid(), nullable=False),
        sa.Column("issued_by_name", sa.Text(), nullable=False),
        sa.Column("handed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "manner IN ('draw', 'ad_hoc')", name=op.f("ck_material_requests_manner_known")
        ),
        sa.CheckConstraint(
            "state IN ('issued', 'handed_in', 'closed', 'cancelled')",
            name=op.f("ck_material_requests_state_known"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_material_requests")),
        sa.UniqueConstraint(
            "tenant_id", "draw_id", name=op.f("uq_material_requests_tenant_id_draw_id")
        ),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_material_requests_tenant_id_number")
        ),
    )
    op.create_index("ix_material_requests_id", "material_requests", ["id"], unique=False)
    op.create_index(
        "ix_material_requests_issued", "material_requests", ["issued_at", "id"], unique=False
    )
    op.create_index(
        "ix_material_requests_tenant_issued",
        "material_requests",
        ["tenant_id", "issued_at", "id"],
        unique=False,
    )
    op.create_table(
        "request_events",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('issued', 'delivered', 'replaced', 'answered', 'taken_back', "
            "'handed_in', 'accepted', 'returned', 'closed')",
            name=op.f("ck_request_events_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_request_events_tenant_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_request_events")),
    )
    op.create_index("ix_request_events_id", "request_events", ["id"], unique=False)
    op.create_index(
        "ix_request_events_request",
        "request_events",
        ["tenant_id", "request_id", "id"],
        unique=False,
    )
    op.create_table(
        "hand_ins",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_time", sa.Boolean(), nullable=False),
        sa.Column("working_days_late", sa.Integer(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_hand_ins_tenant_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_hand_ins_tenant_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_hand_ins")),
        sa.UniqueConstraint(
            "tenant_id", "request_id", "no", name=op.f("uq_hand_ins_tenant_id_request_id_no")
        ),
    )
    op.create_index("ix_hand_ins_id", "hand_ins", ["id"], unique=False)
    op.create_table(
        "request_items",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer_reason", sa.Text(), nullable=True),
        sa.Column("answer_note", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_name", sa.Text(), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "answer_reason IN ('not_called', 'not_connected', 'empty_number', 'not_visited', "
            "'system_fault')",
            name=op.f("ck_request_items_answer_reason_known"),
        ),
        sa.CheckConstraint(
            "kind IN ('collection_record', 'call_recording', 'visit_recording', 'other')",
            name=op.f("ck_request_items_kind_known"),
        ),
        sa.CheckConstraint(
            "state IN ('missing', 'delivered', 'unavailable', 'accepted', 'returned')",
            name=op.f("ck_request_items_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_request_items_tenant_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_request_items_tenant_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_request_items")),
        sa.UniqueConstraint(
            "tenant_id",
            "request_id",
            "case_id",
            "kind",
            name=op.f("uq_request_items_tenant_id_request_id_case_id_kind"),
        ),
    )
    op.create_index(
        "ix_request_items_case_no",
        "request_items",
        ["tenant_id", "request_id", "case_no", "id"],
        unique=False,
    )
    op.create_index("ix_request_items_id", "request_items", ["id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("check_state", sa.Text(), nullable=False),
        sa.Column("check_result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("peaks_key", sa.Text(), nullable=True),
        sa.Column("playable_id", sa.Uuid(), nullable=True),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("matched_how", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_by_name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "check_state IN ('pending', 'sound', 'problem')",
            name=op.f("ck_deliveries_check_state_known"),
        ),
        sa.CheckConstraint(
            "state IN ('current', 'replaced')", name=op.f("ck_deliveries_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_deliveries_tenant_id_file_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"],
            ["request_items.tenant_id", "request_items.id"],
            name=op.f("fk_deliveries_tenant_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "playable_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_deliveries_tenant_id_playable_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "replaces_id"],
            ["deliveries.tenant_id", "deliveries.id"],
            name=op.f("fk_deliveries_tenant_id_replaces_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_deliveries_tenant_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "tenant_id", "item_id", "sha256", name=op.f("uq_deliveries_tenant_id_item_id_sha256")
        ),
    )
    op.create_index("ix_deliveries_id", "deliveries", ["id"], unique=False)
    op.create_index(
        "ix_deliveries_request", "deliveries", ["tenant_id", "request_id"], unique=False
    )
    op.create_index("ix_deliveries_sha256", "deliveries", ["tenant_id", "sha256"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name_index", sa.LargeBinary(), nullable=False),
        sa.Column("safe_name", sa.Text(), nullable=False),
        sa.Column("declared_size", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("matched_how", sa.Text(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('started', 'complete', 'refused', 'abandoned')",
            name=op.f("ck_uploads_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "delivery_id"],
            ["deliveries.tenant_id", "deliveries.id"],
            name=op.f("fk_uploads_tenant_id_delivery_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"],
            ["request_items.tenant_id", "request_items.id"],
            name=op.f("fk_uploads_tenant_id_item_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "replaces_id"],
            ["deliveries.tenant_id", "deliveries.id"],
            name=op.f("fk_uploads_tenant_id_replaces_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_uploads_tenant_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_uploads")),
    )
    op.create_index("ix_uploads_id", "uploads", ["id"], unique=False)
    op.create_index(
        "ix_uploads_request", "uploads", ["tenant_id", "request_id", "name_index"], unique=False
    )
    op.create_index(
        "ix_uploads_started",
        "uploads",
        ["started_at"],
        unique=False,
        postgresql_where=sa.text("state = 'started'"),
    )
    op.create_index(
        "uq_uploads_one_start",
        "uploads",
        ["tenant_id", "item_id", "name_index", "declared_size"],
        unique=True,
        postgresql_where=sa.text("state = 'started'"),
    )
    tenant_rls(
        op, "material_requests", "issued", vendor_update=["state", "handed_in_at", "version"]
    )
    tenant_rls(op, "request_events", "tenant", vendor_insert=True, company="SELECT, INSERT")
    tenant_rls(op, "hand_ins", "tenant", vendor_insert=True, vendor_update=["document_id"])
    tenant_rls(
        op,
        "request_items",
        "issued",
        vendor_update=[
            "state",
            "answer_reason",
            "answer_note",
            "answered_at",
            "answered_by_name",
            "version",
        ],
    )
    tenant_rls(
        op,
        "deliveries",
        "tenant",
        vendor_insert=True,
        vendor_update=["state", "check_state", "check_result", "peaks_key", "playable_id"],
    )
    tenant_rls(
        op,
        "uploads",
        "tenant",
        vendor_insert=True,
        vendor_update=[
            "state",
            "completed_at",
            "problem",
            "storage_key",
            "size",
            "sha256",
            "delivery_id",
        ],
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("uploads")
    op.drop_table("deliveries")
    op.drop_table("request_items")
    op.drop_table("hand_ins")
    op.drop_table("request_events")
    op.drop_table("material_requests")
