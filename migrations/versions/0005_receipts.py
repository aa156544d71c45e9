"""receipts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "receipt_imports",
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
            name=op.f("ck_receipt_imports_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_receipt_imports_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_receipt_imports")),
    )
    op.create_index("ix_receipt_imports_id", "receipt_imports", ["id"], unique=False)
    op.create_index("ix_receipt_imports_sha256", "receipt_imports", ["sha256"], unique=False)
    op.create_index(
        "ix_receipt_imports_uploaded", "receipt_imports", ["uploaded_at", "id"], unique=False
    )
    op.create_table(
        "receipt_import_remarks",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Boolean(), nullable=False),
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
            ["receipt_imports.tenant_id", "receipt_imports.id"],
            name=op.f("fk_receipt_import_remarks_tenant_id_import_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_receipt_import_remarks")),
    )
    op.create_index(
        "ix_receipt_import_remarks_place",
        "receipt_import_remarks",
        ["import_id", "note", "position", "id"],
        unique=False,
    )
    op.create_table(
        "receipts",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("credited_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("reverses", sa.Text(), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "CASE WHEN reverses IS NULL THEN amount > 0 ELSE amount < 0 END",
            name=op.f("ck_receipts_sign"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_receipts_tenant_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reverses"],
            ["receipts.tenant_id", "receipts.serial"],
            name=op.f("fk_receipts_tenant_id_reverses"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_receipts")),
        sa.UniqueConstraint("tenant_id", "serial", name=op.f("uq_receipts_tenant_id_serial")),
    )
    op.create_index("ix_receipts_case", "receipts", ["tenant_id", "case_id"], unique=False)
    op.create_index(
        "ix_receipts_case_no", "receipts", ["case_no", "credited_on", "id"], unique=False
    )
    op.create_index("ix_receipts_credited", "receipts", ["credited_on", "id"], unique=False)
    op.create_index("ix_receipts_id", "receipts", ["id"], unique=False)
    op.create_index(
        "ix_receipts_reverses",
        "receipts",
        ["tenant_id", "reverses"],
        unique=False,
        postgresql_where=sa.text("reverses IS NOT NULL"),
    )
    op.create_index("ix_receipts_serial", "receipts", ["serial"], unique=False)
    op.create_index(
        "ix_receipts_tenant_credited", "receipts", ["tenant_id", "credited_on", "id"], unique=False
    )
    tenant_rls(op, "receipt_imports", "company")
    tenant_rls(op, "receipt_import_remarks", "company")
    tenant_rls(op, "receipts", "shared")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("receipts")
    op.drop_table("receipt_import_remarks")
    op.drop_table("receipt_imports")
