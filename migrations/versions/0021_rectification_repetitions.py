"""rectification repetitions"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import tenant_rls

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What was decided about repetitions, for the company alone."""
    op.create_table(
        "rectification_repetitions",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("from_level", sa.Text(), nullable=False),
        sa.Column("to_level", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by_name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "taken OR reason <> ''",
            name=op.f("ck_rectification_repetitions_refused_with_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rectification_id"],
            ["rectifications.tenant_id", "rectifications.id"],
            name=op.f("fk_rectification_repetitions_tenant_id_rectification_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_repetitions")),
        sa.UniqueConstraint(
            "tenant_id",
            "rectification_id",
            name=op.f("uq_rectification_repetitions_tenant_id_rectification_id"),
        ),
    )
    tenant_rls(op, "rectification_repetitions", "private")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("rectification_repetitions")
