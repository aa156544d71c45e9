"""fees"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "statements",
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("score_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("factor", sa.Numeric(precision=6, scale=4), nullable=False),
        sa.Column("commission", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("deductions", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("rewards", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("payable", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("net", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("tax", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=False),
        sa.Column("prepared_by_name", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by_name", sa.Text(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('prepared', 'confirmed')", name=op.f("ck_statements_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contract_id"],
            ["contracts.tenant_id", "contracts.id"],
            name=op.f("fk_statements_tenant_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_statements_tenant_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "score_id"],
            ["scores.tenant_id", "scores.id"],
            name=op.f("fk_statements_tenant_id_score_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_statements")),
        sa.UniqueConstraint(
            "tenant_id",
            "contract_id",
            "period",
            name=op.f("uq_statements_tenant_id_contract_id_period"),
        ),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_statements_tenant_id_number")),
    )
    op.create_index("ix_statements_id", "statements", ["id"], unique=False)
    op.create_index("ix_statements_period", "statements", ["period", "id"], unique=False)
    op.create_table(
        "statement_lines",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("base", sa.Numeric(precision=14, scale=2), nullable=True),
        sa.Column("rate", sa.Numeric(precision=8, scale=4), nullable=True),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "statement_id"],
            ["statements.tenant_id", "statements.id"],
            name=op.f("fk_statement_lines_tenant_id_statement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_statement_lines")),
        sa.UniqueConstraint(
            "tenant_id",
            "statement_id",
            "position",
            name=op.f("uq_statement_lines_tenant_id_statement_id_position"),
        ),
    )
    tenant_rls(op, "statements", "issued")
    tenant_rls(op, "statement_lines", "issued")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("statement_lines")
    op.drop_table("statements")
