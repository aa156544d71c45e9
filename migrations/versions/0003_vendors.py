"""vendors"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "contracts",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("fee_terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("served_if_unopened", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_contracts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_contracts_tenant_id_number")),
    )
    op.create_index("ix_contracts_id", "contracts", ["id"], unique=False)
    op.create_table(
        "groups",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_groups_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_groups")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_groups_tenant_id_name")),
    )
    op.create_index("ix_groups_id", "groups", ["id"], unique=False)
    op.create_table(
        "vendor_profiles",
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("tax_no", sa.Text(), nullable=False),
        sa.Column("bank_name", sa.Text(), nullable=False),
        sa.Column("bank_account", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenants.id"], name=op.f("fk_vendor_profiles_tenant_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_vendor_profiles")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_vendor_profiles_tenant_id")),
    )
    op.create_table(
        "members",
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "role IN ('manager', 'supervisor', 'team_leader', 'agent', 'office')",
            name=op.f("ck_members_role_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["groups.tenant_id", "groups.id"],
            name=op.f("fk_members_tenant_id_group_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_members")),
        sa.UniqueConstraint("tenant_id", "staff_no", name=op.f("uq_members_tenant_id_staff_no")),
    )
    op.create_index("ix_members_id", "members", ["id"], unique=False)
    op.create_table(
        "projects",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("targets", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contract_id"],
            ["contracts.tenant_id", "contracts.id"],
            name=op.f("fk_projects_tenant_id_contract_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_projects")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_projects_tenant_id_name")),
    )
    op.create_index("ix_projects_id", "projects", ["id"], unique=False)
    tenant_rls(op, "contracts", "shared")
    tenant_rls(op, "groups", "tenant")
    tenant_rls(op, "vendor_profiles", "shared")
    tenant_rls(op, "members", "tenant")
    tenant_rls(op, "projects", "shared")


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("projects")
    op.drop_table("members")
    op.drop_table("vendor_profiles")
    op.drop_table("groups")
    op.drop_table("contracts")
