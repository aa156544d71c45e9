"""sittings and one-time links"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import role, tenant_rls
from tenants.scope import Login

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def _hearings() -> None:
    op.create_table(
        "clip_hearings",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_by", sa.Uuid(), nullable=False),
        sa.Column("heard_by_name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            ["findings.tenant_id", "findings.id"],
            name=op.f("fk_clip_hearings_tenant_id_finding_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["assessment_forms.tenant_id", "assessment_forms.id"],
            name=op.f("fk_clip_hearings_tenant_id_form_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_clip_hearings")),
        sa.UniqueConstraint(
            "tenant_id", "finding_id", name=op.f("uq_clip_hearings_tenant_id_finding_id")
        ),
    )
    tenant_rls(op, "clip_hearings", "private", company="SELECT, INSERT")


def _links() -> None:
    op.create_table(
        "form_links",
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("person_name", sa.Text(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_name", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "choice IN ('no_objection', 'appeal')", name=op.f("ck_form_links_choice_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["assessment_forms.tenant_id", "assessment_forms.id"],
            name=op.f("fk_form_links_tenant_id_form_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_form_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_form_links_token_hash")),
    )
    op.create_index("ix_form_links_id", "form_links", ["id"])
    op.create_index("ix_form_links_form", "form_links", ["tenant_id", "form_id", "made_at"])
    tenant_rls(
        op,
        "form_links",
        "tenant",
        vendor_insert=True,
        vendor_update=[
            "browser_hash",
            "opened_at",
            "choice",
            "note",
            "answered_at",
            "revoked_at",
        ],
    )
    op.execute(
        """
        CREATE FUNCTION app.form_link(wanted bytea)
        RETURNS TABLE (tenant_id uuid, link_id uuid, company_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
        $$ SELECT l.tenant_id, l.id, (SELECT c.id FROM tenants c WHERE c.kind = 'company')
             FROM form_links l
             JOIN tenants t ON t.id = l.tenant_id
            WHERE l.token_hash = wanted AND l.revoked_at IS NULL AND t.status = 'active' $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION app.form_link(bytea) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION app.form_link(bytea) TO {role(Login.PUBLIC)}")


def upgrade() -> None:
    """What the audit head heard in a sitting; one-time links to a person's page of a form."""
    _hearings()
    _links()


def downgrade() -> None:
    """Take them away again."""
    op.execute("DROP FUNCTION app.form_link(bytea)")
    op.drop_table("form_links")
    op.drop_table("clip_hearings")
