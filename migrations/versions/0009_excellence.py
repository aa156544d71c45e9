"""excellence"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import tenant_rls

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "excellent_cases",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("recommended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recommended_by_name", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("reward", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('recommended', 'selected', 'declined')",
            name=op.f("ck_excellent_cases_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_excellent_cases_tenant_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_excellent_cases")),
        sa.UniqueConstraint(
            "tenant_id",
            "period",
            "case_id",
            name=op.f("uq_excellent_cases_tenant_id_period_case_id"),
        ),
    )
    op.create_index("ix_excellent_cases_id", "excellent_cases", ["id"], unique=False)
    op.create_index(
        "ix_excellent_cases_recommended", "excellent_cases", ["recommended_at", "id"], unique=False
    )
    op.create_index(
        "ix_excellent_cases_tenant_recommended",
        "excellent_cases",
        ["tenant_id", "recommended_at", "id"],
        unique=False,
    )
    tenant_rls(op, "excellent_cases", "tenant", vendor_insert=True)


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("excellent_cases")
