"""tenants"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import role, tenant_rls
from tenants.scope import Login

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _schema() -> None:
    """The schema `app` with the function that every policy reads."""
    logins = ", ".join(role(login) for login in Login)
    op.execute("CREATE SCHEMA app")
    op.execute(f"GRANT USAGE ON SCHEMA app, public TO {logins}")
    op.execute(
        """
        CREATE FUNCTION app.tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
        $$ SELECT nullif(current_setting('app.tenant_id', true), '')::uuid $$
        """
    )


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    _schema()
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("short_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("code ~ '^[A-Z]{2,6}$'", name=op.f("ck_tenants_code_letters")),
        sa.CheckConstraint("kind IN ('company', 'vendor')", name=op.f("ck_tenants_kind_known")),
        sa.CheckConstraint(
            "status IN ('applicant', 'active', 'suspended', 'ended')",
            name=op.f("ck_tenants_status_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("code", name=op.f("uq_tenants_code")),
    )
    op.create_index(
        "uq_tenants_one_company",
        "tenants",
        ["kind"],
        unique=True,
        postgresql_where=sa.text("kind='company'"),
    )
    op.create_table(
        "tenant_keys",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_tenant_keys_tenant_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_keys")),
        sa.UniqueConstraint("tenant_id", "version", name=op.f("uq_tenant_keys_tenant_id_version")),
    )
    tenant_rls(op, "tenants", "root", company="SELECT, INSERT, UPDATE", sign_in="SELECT")
    tenant_rls(op, "tenant_keys", "shared")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("tenant_keys")
    op.drop_table("tenants")
    op.execute("DROP SCHEMA app CASCADE")
