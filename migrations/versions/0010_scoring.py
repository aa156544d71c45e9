"""scoring"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "scores",
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("scheme_version", sa.Integer(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("total", sa.Numeric(precision=8, scale=2), nullable=True),
        sa.Column("grade", sa.Text(), nullable=True),
        sa.Column("factor", sa.Numeric(precision=6, scale=4), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("computed_by_name", sa.Text(), nullable=False),
        sa.Column("issued_by_name", sa.Text(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('computed', 'issued')", name=op.f("ck_scores_state_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_scores_tenant_id_document_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_scores")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_scores_tenant_id_number")),
        sa.UniqueConstraint("tenant_id", "period", name=op.f("uq_scores_tenant_id_period")),
    )
    op.create_index("ix_scores_id", "scores", ["id"], unique=False)
    op.create_index("ix_scores_period", "scores", ["period", "id"], unique=False)
    op.create_table(
        "score_lines",
        sa.Column("score_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("points_lost", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("reason", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "score_id"],
            ["scores.tenant_id", "scores.id"],
            name=op.f("fk_score_lines_tenant_id_score_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_score_lines")),
        sa.UniqueConstraint(
            "tenant_id",
            "score_id",
            "position",
            name=op.f("uq_score_lines_tenant_id_score_id_position"),
        ),
    )
    tenant_rls(op, "scores", "issued")
    tenant_rls(op, "score_lines", "issued")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("score_lines")
    op.drop_table("scores")
