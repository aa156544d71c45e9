"""Contact records; call recordings expected by call; proofs; fingerprints of recordings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import role, tenant_rls
from tenants.scope import Login

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "call_lists",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("safe_name", sa.Text(), nullable=False),
        sa.Column("by_company", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by_name", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('uploaded', 'taken', 'refused')", name=op.f("ck_call_lists_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_call_lists_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_call_lists")),
    )
    op.create_index("ix_call_lists_id", "call_lists", ["id"], unique=False)
    op.create_index(
        "ix_call_lists_tenant", "call_lists", ["tenant_id", "uploaded_at", "id"], unique=False
    )
    op.create_table(
        "call_records",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("call_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("call_shown", sa.Text(), nullable=False),
        sa.Column("call_index", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_masked", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("extension", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("vendor_list_id", sa.Uuid(), nullable=True),
        sa.Column("company_list_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "direction IN ('out', 'in')", name=op.f("ck_call_records_direction_known")
        ),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_call_records_seconds_not_negative")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_call_records_tenant_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "company_list_id"],
            ["call_lists.tenant_id", "call_lists.id"],
            name=op.f("fk_call_records_tenant_id_company_list_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "vendor_list_id"],
            ["call_lists.tenant_id", "call_lists.id"],
            name=op.f("fk_call_records_tenant_id_vendor_list_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_call_records")),
        sa.UniqueConstraint(
            "tenant_id", "call_index", name=op.f("uq_call_records_tenant_id_call_index")
        ),
    )
    op.create_index(
        "ix_call_records_case", "call_records", ["tenant_id", "case_id", "started_at"], unique=False
    )
    op.create_index("ix_call_records_id", "call_records", ["id"], unique=False)
    op.create_table(
        "sound_prints",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "delivery_id"],
            ["deliveries.tenant_id", "deliveries.id"],
            name=op.f("fk_sound_prints_tenant_id_delivery_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sound_prints")),
        sa.UniqueConstraint(
            "tenant_id", "delivery_id", name=op.f("uq_sound_prints_tenant_id_delivery_id")
        ),
    )
    op.create_index("ix_sound_prints_id", "sound_prints", ["id"], unique=False)
    op.create_table(
        "sound_keys",
        sa.Column("print_id", sa.Uuid(), nullable=False),
        sa.Column("word", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "print_id"],
            ["sound_prints.tenant_id", "sound_prints.id"],
            name=op.f("fk_sound_keys_tenant_id_print_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sound_keys")),
    )
    op.create_index("ix_sound_keys_id", "sound_keys", ["id"], unique=False)
    op.create_index(
        "ix_sound_keys_word", "sound_keys", ["tenant_id", "word", "print_id"], unique=False
    )
    tenant_rls(op, "sound_prints", "tenant", vendor_insert=True)
    tenant_rls(op, "sound_keys", "tenant", vendor_insert=True)
    tenant_rls(
        op,
        "call_lists",
        "issued",
        vendor_insert=True,
        vendor_update=["state", "report", "run_id", "taken_at"],
    )
    tenant_rls(op, "call_records", "tenant", vendor_insert=True, vendor_update=["vendor_list_id"])
    _materials()


EVENTS = (
    "'issued', 'delivered', 'replaced', 'answered', 'taken_back', 'handed_in', 'accepted', "
    "'returned', 'closed', 'cancelled', 'items_cancelled', 'substituted', 'extension_asked', "
    "'extension_granted', 'extension_refused'"
)


def _events(kinds: str) -> None:
    name = op.f("ck_request_events_kind_known")
    op.drop_constraint(name, "request_events", type_="check")
    op.create_check_constraint(name, "request_events", f"kind IN ({kinds})")


def _materials() -> None:
    """A request's window; items by call, with a due time and a proof of their own."""
    vendor = role(Login.VENDOR)
    for column, day in (
        ("window_from", "(coalesce(issued_at, due_at) AT TIME ZONE 'Asia/Shanghai')::date - 30"),
        ("window_to", "(coalesce(issued_at, due_at) AT TIME ZONE 'Asia/Shanghai')::date"),
    ):
        op.add_column("material_requests", sa.Column(column, sa.Date(), nullable=True))
        op.execute(f"UPDATE material_requests SET {column} = {day}")
        op.alter_column("material_requests", column, nullable=False)
    op.add_column("request_items", sa.Column("call_id", sa.Uuid(), nullable=True))
    op.add_column("request_items", sa.Column("proof_id", sa.Uuid(), nullable=True))
    for column, target in (("call_id", "call_records"), ("proof_id", "stored_files")):
        op.create_foreign_key(
            op.f(f"fk_request_items_tenant_id_{column}"),
            "request_items",
            target,
            ["tenant_id", column],
            ["tenant_id", "id"],
        )
    op.drop_constraint(
        op.f("uq_request_items_tenant_id_request_id_case_id_kind"), "request_items", type_="unique"
    )
    op.create_unique_constraint(
        "uq_request_items_once",
        "request_items",
        ["tenant_id", "request_id", "case_id", "kind", "call_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.execute(f"GRANT INSERT ON request_items TO {vendor}")
    op.execute(f"GRANT UPDATE (call_id, proof_id) ON request_items TO {vendor}")
    op.execute(f"GRANT UPDATE (item_id) ON deliveries TO {vendor}")
    _events(f"{EVENTS}, 'calls_added'")


def downgrade() -> None:
    """Undo all of it; items by call become one again where none was delivered."""
    op.execute("DELETE FROM request_events WHERE kind = 'calls_added'")
    _events(EVENTS)
    vendor = role(Login.VENDOR)
    op.execute(f"REVOKE UPDATE (item_id) ON deliveries FROM {vendor}")
    op.execute(f"REVOKE UPDATE (call_id, proof_id) ON request_items FROM {vendor}")
    op.execute(f"REVOKE INSERT ON request_items FROM {vendor}")
    op.drop_constraint("uq_request_items_once", "request_items", type_="unique")
    op.create_unique_constraint(
        op.f("uq_request_items_tenant_id_request_id_case_id_kind"),
        "request_items",
        ["tenant_id", "request_id", "case_id", "kind"],
    )
    for column in ("call_id", "proof_id"):
        op.drop_constraint(
            op.f(f"fk_request_items_tenant_id_{column}"), "request_items", type_="foreignkey"
        )
    for column in ("call_id", "proof_id"):
        op.drop_column("request_items", column)
    for column in ("window_from", "window_to"):
        op.drop_column("material_requests", column)
    op.drop_table("sound_keys")
    op.drop_table("sound_prints")
    op.drop_table("call_records")
    op.drop_table("call_lists")
