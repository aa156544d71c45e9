"""request course"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import tenant_rls

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ITEM_STATES = "'missing', 'delivered', 'unavailable', 'accepted', 'returned'"
EVENT_KINDS = (
    "'issued', 'delivered', 'replaced', 'answered', 'taken_back', 'handed_in', 'accepted',"
    " 'returned', 'closed'"
)
NEW_KINDS = (
    "'cancelled', 'items_cancelled', 'substituted', 'extension_asked', 'extension_granted',"
    " 'extension_refused'"
)


def _known(table: str, column: str, values: str) -> None:
    name = f"ck_{table}_{column}_known"
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, f"{column} IN ({values})")


def _extensions() -> None:
    op.create_table(
        "request_extensions",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("old_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'granted', 'refused')",
            name=op.f("ck_request_extensions_state_known"),
        ),
        sa.CheckConstraint(
            "(state = 'asked') = (decided_at IS NULL AND decided_by IS NULL)",
            name=op.f("ck_request_extensions_decided_fully"),
        ),
        sa.CheckConstraint(
            "(state = 'granted') = (new_due_at IS NOT NULL)",
            name=op.f("ck_request_extensions_granted_has_date"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_request_extensions_tenant_id_request_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "deadline_id"],
            ["deadlines.tenant_id", "deadlines.id"],
            name=op.f("fk_request_extensions_tenant_id_deadline_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_request_extensions")),
    )
    op.create_index("ix_request_extensions_id", "request_extensions", ["id"])
    op.create_index(
        "ix_request_extensions_request",
        "request_extensions",
        ["tenant_id", "request_id", "asked_at"],
    )
    op.create_index(
        "uq_request_extensions_one_open",
        "request_extensions",
        ["tenant_id", "request_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    tenant_rls(op, "request_extensions", "tenant", vendor_insert=True)


def upgrade() -> None:
    """Extensions; clocks by item; items cancelled or put in another case's place."""
    op.add_column(
        "request_items", sa.Column("round", sa.Integer(), server_default="1", nullable=False)
    )
    op.add_column("request_items", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("request_items", sa.Column("replaces_case_id", sa.Uuid(), nullable=True))
    _known("request_items", "state", f"{ITEM_STATES}, 'cancelled'")
    _known("request_events", "kind", f"{EVENT_KINDS}, {NEW_KINDS}")
    op.add_column(
        "notifications", sa.Column("kind", sa.Text(), server_default="other", nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_notifications_kind_known"),
        "notifications",
        "kind IN ('work', 'reminder', 'overdue', 'other')",
    )
    _extensions()


def downgrade() -> None:
    """Take them away again."""
    op.drop_table("request_extensions")
    op.drop_column("notifications", "kind")
    _known("request_events", "kind", EVENT_KINDS)
    _known("request_items", "state", ITEM_STATES)
    for column in ("replaces_case_id", "due_at", "round"):
        op.drop_column("request_items", column)
