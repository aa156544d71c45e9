"""Items that hold only unusable files: what a hand-in records of them, and finding them"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

EVENTS = (
    "'issued', 'delivered', 'replaced', 'answered', 'taken_back', 'handed_in', 'accepted',"
    " 'returned', 'closed', 'cancelled', 'items_cancelled', 'substituted', 'extension_asked',"
    " 'extension_granted', 'extension_refused', 'calls_added'"
)


def _events(kinds: str) -> None:
    name = op.f("ck_request_events_kind_known")
    op.drop_constraint(name, "request_events", type_="check")
    op.create_check_constraint(name, "request_events", f"kind IN ({kinds})")


def upgrade() -> None:
    """A hand-in names the items without a usable file; they are found by an index of their own."""
    op.add_column(
        "hand_ins",
        sa.Column("unusable", ARRAY(sa.Uuid()), nullable=False, server_default=sa.text("'{}'")),
    )
    op.create_index(
        "ix_deliveries_unusable",
        "deliveries",
        ["tenant_id", "request_id", "item_id"],
        postgresql_where=sa.text("state = 'current' AND check_state = 'problem'"),
    )
    _events(f"{EVENTS}, 'unusable'")


def downgrade() -> None:
    """Take them away again."""
    op.execute("DELETE FROM request_events WHERE kind = 'unusable'")
    _events(EVENTS)
    op.drop_index("ix_deliveries_unusable", "deliveries")
    op.drop_column("hand_ins", "unusable")
