"""cases"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "case_imports",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("safe_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by_name", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("taken_by_name", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('uploaded', 'checked', 'taking', 'taken', 'refused')",
            name=op.f("ck_case_imports_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_case_imports_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_case_imports")),
    )
    op.create_index("ix_case_imports_id", "case_imports", ["id"], unique=False)
    op.create_index("ix_case_imports_sha256", "case_imports", ["sha256"], unique=False)
    op.create_table(
        "case_import_errors",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("row_number", sa.Integer(), nullable=False),
        sa.Column("letter", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["case_imports.tenant_id", "case_imports.id"],
            name=op.f("fk_case_import_errors_tenant_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_case_import_errors")),
    )
    op.create_index(
        "ix_case_import_errors_place",
        "case_import_errors",
        ["import_id", "position", "id"],
        unique=False,
    )
    op.create_table(
        "batches",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("batch_no", sa.Text(), nullable=False),
        sa.Column("entrusted_on", sa.Date(), nullable=False),
        sa.Column("due_back_on", sa.Date(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("fk_batches_tenant_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_batches")),
        sa.UniqueConstraint(
            "tenant_id",
            "project_id",
            "batch_no",
            name=op.f("uq_batches_tenant_id_project_id_batch_no"),
        ),
    )
    op.create_index("ix_batches_id", "batches", ["id"], unique=False)
    op.create_table(
        "cases",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(collation="C"), nullable=False),
        sa.Column("entrusting_company", sa.Text(), nullable=False),
        sa.Column("card_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("card_masked", sa.Text(), nullable=False),
        sa.Column("card_index", sa.LargeBinary(), nullable=False),
        sa.Column("debtor_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("debtor_masked", sa.Text(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_masked", sa.Text(), nullable=False),
        sa.Column("phone_index", sa.LargeBinary(), nullable=False),
        sa.Column("principal", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("interest", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("fees", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column(
            "amount_cents",
            sa.BigInteger(),
            sa.Computed("(amount * 100)::bigint", persisted=True),
            nullable=False,
        ),
        sa.Column("days_past_due", sa.Integer(), nullable=False),
        sa.Column("age_band", sa.Text(), nullable=False),
        sa.Column("entrusted_on", sa.Date(), nullable=False),
        sa.Column("due_back_on", sa.Date(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "age_band IN ('M1', 'M2', 'M3', 'M4', 'M5', 'M6', 'M6+', 'written_off')",
            name=op.f("ck_cases_age_band_known"),
        ),
        sa.CheckConstraint(
            "status IN ('in_hand', 'suspended', 'withdrawn', 'returned', 'kept', 'settled')",
            name=op.f("ck_cases_status_known"),
        ),
        sa.CheckConstraint(
            "amount = principal + interest + fees", name=op.f("ck_cases_amount_adds_up")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "batch_id"],
            ["batches.tenant_id", "batches.id"],
            name=op.f("fk_cases_tenant_id_batch_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["groups.tenant_id", "groups.id"],
            name=op.f("fk_cases_tenant_id_group_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"],
            ["members.tenant_id", "members.id"],
            name=op.f("fk_cases_tenant_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project_id"],
            ["projects.tenant_id", "projects.id"],
            name=op.f("fk_cases_tenant_id_project_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cases")),
        sa.UniqueConstraint("tenant_id", "case_no", name=op.f("uq_cases_tenant_id_case_no")),
    )
    op.create_index("ix_cases_amount", "cases", ["amount_cents", "id"], unique=False)
    op.create_index("ix_cases_card", "cases", ["card_index"], unique=False)
    op.create_index("ix_cases_entrusted", "cases", ["entrusted_on", "id"], unique=False)
    op.create_index(
        "ix_cases_held",
        "cases",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('in_hand', 'suspended', 'kept')"),
    )
    op.create_index("ix_cases_id", "cases", ["id"], unique=False)
    op.create_index("ix_cases_no", "cases", ["case_no", "id"], unique=False)
    op.create_index(
        "ix_cases_not_in_hand",
        "cases",
        ["status"],
        unique=False,
        postgresql_where=sa.text("status <> 'in_hand'"),
    )
    op.create_index("ix_cases_phone", "cases", ["phone_index"], unique=False)
    op.create_index(
        "ix_cases_tenant_amount", "cases", ["tenant_id", "amount_cents", "id"], unique=False
    )
    op.create_index("ix_cases_tenant_card", "cases", ["tenant_id", "card_index"], unique=False)
    op.create_index(
        "ix_cases_tenant_entrusted", "cases", ["tenant_id", "entrusted_on", "id"], unique=False
    )
    op.create_index("ix_cases_tenant_phone", "cases", ["tenant_id", "phone_index"], unique=False)
    op.create_table(
        "case_status_changes",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("old_status", sa.Text(), nullable=False),
        sa.Column("new_status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.Column("changed_by_name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "new_status IN ('in_hand', 'suspended', 'withdrawn', 'returned', 'kept', 'settled')",
            name=op.f("ck_case_status_changes_new_status_known"),
        ),
        sa.CheckConstraint(
            "old_status IN ('in_hand', 'suspended', 'withdrawn', 'returned', 'kept', 'settled')",
            name=op.f("ck_case_status_changes_old_status_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_case_status_changes_tenant_id_case_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_case_status_changes")),
    )
    op.create_index(
        "ix_case_status_changes_case",
        "case_status_changes",
        ["tenant_id", "case_id", "changed_at"],
        unique=False,
    )
    op.create_index("ix_case_status_changes_id", "case_status_changes", ["id"], unique=False)
    tenant_rls(op, "case_imports", "company")
    tenant_rls(op, "case_import_errors", "company")
    tenant_rls(op, "batches", "shared")
    tenant_rls(op, "cases", "shared")
    tenant_rls(op, "case_status_changes", "shared")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("case_status_changes")
    op.drop_table("cases")
    op.drop_table("batches")
    op.drop_table("case_import_errors")
    op.drop_table("case_imports")
