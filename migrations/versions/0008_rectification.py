"""rectification"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import tenant_rls

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "rectifications",
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("consequence", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "source IN ('assessment', 'audit', 'complaint', 'regulator', 'inspection')",
            name=op.f("ck_rectifications_source_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'issued', 'answered', 'returned', 'accepted', 'cancelled')",
            name=op.f("ck_rectifications_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_rectifications_tenant_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["assessment_forms.tenant_id", "assessment_forms.id"],
            name=op.f("fk_rectifications_tenant_id_form_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectifications")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_rectifications_tenant_id_number")),
    )
    op.create_index(
        "ix_rectifications_created", "rectifications", ["created_at", "id"], unique=False
    )
    op.create_index("ix_rectifications_id", "rectifications", ["id"], unique=False)
    op.create_index(
        "ix_rectifications_tenant_created",
        "rectifications",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "rectification_answers",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.Column("prevention", sa.Text(), nullable=False),
        sa.Column("person_treatment", sa.Text(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_time", sa.Boolean(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted')", name=op.f("ck_rectification_answers_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rectification_id"],
            ["rectifications.tenant_id", "rectifications.id"],
            name=op.f("fk_rectification_answers_tenant_id_rectification_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_answers")),
        sa.UniqueConstraint(
            "tenant_id",
            "rectification_id",
            "round",
            name=op.f("uq_rectification_answers_tenant_id_rectification_id_round"),
        ),
    )
    op.create_index("ix_rectification_answers_id", "rectification_answers", ["id"], unique=False)
    op.create_table(
        "rectification_decisions",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("new_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('accepted', 'returned')",
            name=op.f("ck_rectification_decisions_verdict_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rectification_id"],
            ["rectifications.tenant_id", "rectifications.id"],
            name=op.f("fk_rectification_decisions_tenant_id_rectification_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_decisions")),
        sa.UniqueConstraint(
            "tenant_id",
            "rectification_id",
            "round",
            name=op.f("uq_rectification_decisions_tenant_id_rectification_id_round"),
        ),
    )
    op.create_table(
        "rectification_evidence",
        sa.Column("answer_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "answer_id"],
            ["rectification_answers.tenant_id", "rectification_answers.id"],
            name=op.f("fk_rectification_evidence_tenant_id_answer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_rectification_evidence_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_evidence")),
        sa.UniqueConstraint(
            "tenant_id",
            "answer_id",
            "file_id",
            name=op.f("uq_rectification_evidence_tenant_id_answer_id_file_id"),
        ),
    )
    op.create_index("ix_rectification_evidence_id", "rectification_evidence", ["id"], unique=False)
    op.create_table(
        "rectification_demands",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            ["findings.tenant_id", "findings.id"],
            name=op.f("fk_rectification_demands_tenant_id_finding_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rectification_id"],
            ["rectifications.tenant_id", "rectifications.id"],
            name=op.f("fk_rectification_demands_tenant_id_rectification_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_demands")),
        sa.UniqueConstraint(
            "tenant_id",
            "rectification_id",
            "position",
            name=op.f("uq_rectification_demands_tenant_id_rectification_id_position"),
        ),
    )
    tenant_rls(op, "rectifications", "issued", vendor_update=["state", "version"])
    tenant_rls(
        op,
        "rectification_answers",
        "tenant",
        vendor_insert=True,
        vendor_update=[
            "cause",
            "correction",
            "prevention",
            "person_treatment",
            "done_on",
            "state",
            "submitted_at",
            "in_time",
            "by_name",
            "saved_at",
            "version",
        ],
    )
    tenant_rls(op, "rectification_decisions", "issued")
    tenant_rls(op, "rectification_evidence", "tenant", vendor_insert=True, vendor_delete=True)
    tenant_rls(op, "rectification_demands", "issued")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("rectification_demands")
    op.drop_table("rectification_evidence")
    op.drop_table("rectification_decisions")
    op.drop_table("rectification_answers")
    op.drop_table("rectifications")
