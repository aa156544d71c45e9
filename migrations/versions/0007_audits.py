"""audits"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _issued_stays() -> None:
    """Issued forms, their findings and the verdicts they report do not change (rule A6)."""
    op.execute(
        """
        CREATE FUNCTION app.audit_issued_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.issued_at IS NOT NULL THEN
                RAISE EXCEPTION 'what was issued by an assessment form does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    for table in ("assessment_forms", "findings"):
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION app.audit_issued_stays()"
        )
    op.execute(
        """
        CREATE FUNCTION app.review_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.form_id IS NOT NULL
               AND EXISTS (SELECT FROM assessment_forms f WHERE f.tenant_id = OLD.tenant_id
                           AND f.id = OLD.form_id AND f.issued_at IS NOT NULL)
               AND (TG_OP = 'DELETE' OR (to_jsonb(NEW) - '{notes,marks,version}'::text[])
                    IS DISTINCT FROM (to_jsonb(OLD) - '{notes,marks,version}'::text[])) THEN
                RAISE EXCEPTION 'a verdict that an issued form reports does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER reviews_stay BEFORE UPDATE OR DELETE ON reviews"
        " FOR EACH ROW EXECUTE FUNCTION app.review_stays()"
    )


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "draw_shares",
        sa.Column("draw_id", sa.Uuid(), nullable=False),
        sa.Column("in_hand", sa.Integer(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("population", sa.LargeBinary(), nullable=False),
        sa.Column("population_hash", sa.Text(), nullable=False),
        sa.Column("vendor_seed", sa.Text(), nullable=True),
        sa.Column("positions", postgresql.ARRAY(sa.Integer()), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_draw_shares")),
        sa.UniqueConstraint("tenant_id", "draw_id", name=op.f("uq_draw_shares_tenant_id_draw_id")),
    )
    # Random bytes do not shrink: no time is spent on trying.
    op.execute("ALTER TABLE draw_shares ALTER COLUMN population SET STORAGE EXTERNAL")
    op.create_index("ix_draw_shares_draw", "draw_shares", ["draw_id"], unique=False)
    op.create_table(
        "draws",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=6, scale=3), nullable=True),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("population_hash", sa.Text(), nullable=True),
        sa.Column("seed", sa.Text(), nullable=True),
        sa.Column("wanted", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("drawn_by_name", sa.Text(), nullable=True),
        sa.Column("issuing_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issuing_by", sa.Uuid(), nullable=True),
        sa.Column("issuing_by_name", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state = 'planned' OR (population_hash IS NOT NULL AND frozen_at IS NOT NULL)",
            name=op.f("ck_draws_frozen_has_hash"),
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'frozen') OR (seed IS NOT NULL AND drawn_at IS NOT NULL)",
            name=op.f("ck_draws_drawn_has_seed"),
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'frozen', 'drawn', 'issued')", name=op.f("ck_draws_state_known")
        ),
        sa.CheckConstraint(
            "total IS NOT NULL OR rate IS NOT NULL", name=op.f("ck_draws_size_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_draws")),
        sa.UniqueConstraint(
            "tenant_id", "period", "name", name=op.f("uq_draws_tenant_id_period_name")
        ),
    )
    op.create_index("ix_draws_period", "draws", ["period", "planned_at", "id"], unique=False)
    op.create_index("ix_draws_planned", "draws", ["planned_at", "id"], unique=False)
    op.create_table(
        "assessment_forms",
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("manner", sa.Text(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("reviewed", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("unjudged", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=False),
        sa.Column("prepared_by_name", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_by_name", sa.Text(), nullable=True),
        sa.Column("return_reason", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('prepared', 'issued', 'returned')",
            name=op.f("ck_assessment_forms_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_assessment_forms_tenant_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_assessment_forms_tenant_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assessment_forms")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_assessment_forms_tenant_id_number")
        ),
    )
    op.create_index("ix_assessment_forms_id", "assessment_forms", ["id"], unique=False)
    op.create_index(
        "ix_assessment_forms_prepared", "assessment_forms", ["prepared_at", "id"], unique=False
    )
    op.create_index(
        "ix_assessment_forms_tenant_prepared",
        "assessment_forms",
        ["tenant_id", "prepared_at", "id"],
        unique=False,
    )
    op.create_table(
        "reviews",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("marks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_by", sa.Uuid(), nullable=True),
        sa.Column("judged_by_name", sa.Text(), nullable=True),
        sa.Column("form_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'judged')", name=op.f("ck_reviews_state_known")),
        sa.CheckConstraint("verdict IN ('pass', 'fail')", name=op.f("ck_reviews_verdict_known")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_reviews_tenant_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["assessment_forms.tenant_id", "assessment_forms.id"],
            name=op.f("fk_reviews_tenant_id_form_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_reviews_tenant_id_request_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reviews")),
        sa.UniqueConstraint(
            "tenant_id",
            "request_id",
            "case_id",
            name=op.f("uq_reviews_tenant_id_request_id_case_id"),
        ),
    )
    op.create_index("ix_reviews_id", "reviews", ["id"], unique=False)
    op.create_index("ix_reviews_opened", "reviews", ["opened_at", "id"], unique=False)
    op.create_index("ix_reviews_state", "reviews", ["state", "opened_at", "id"], unique=False)
    op.create_index(
        "ix_reviews_tenant_opened", "reviews", ["tenant_id", "opened_at", "id"], unique=False
    )
    op.create_table(
        "findings",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("clause_no", sa.Text(), nullable=False),
        sa.Column("clause_text", sa.Text(), nullable=False),
        sa.Column("clause_version", sa.Integer(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("repeated", sa.Boolean(), nullable=False),
        sa.Column("points", sa.Numeric(precision=8, scale=2), nullable=False),
        sa.Column("deduction", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.Text(), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=False),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("leader_name", sa.Text(), nullable=False),
        sa.Column("occurred_on", sa.Date(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("clip_from", sa.Integer(), nullable=True),
        sa.Column("clip_to", sa.Integer(), nullable=True),
        sa.Column("call_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("handling", sa.Text(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.Column("correct_by", sa.Date(), nullable=True),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("found_by", sa.Uuid(), nullable=False),
        sa.Column("found_by_name", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("form_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'confirmed', 'issued', 'withdrawn')",
            name=op.f("ck_findings_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_findings_tenant_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "delivery_id"],
            ["deliveries.tenant_id", "deliveries.id"],
            name=op.f("fk_findings_tenant_id_delivery_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["assessment_forms.tenant_id", "assessment_forms.id"],
            name=op.f("fk_findings_tenant_id_form_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "member_id"],
            ["members.tenant_id", "members.id"],
            name=op.f("fk_findings_tenant_id_member_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_findings_tenant_id_request_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_findings_tenant_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_findings")),
    )
    op.create_index("ix_findings_form", "findings", ["tenant_id", "form_id"], unique=False)
    op.create_index("ix_findings_id", "findings", ["id"], unique=False)
    op.create_index("ix_findings_review", "findings", ["tenant_id", "review_id"], unique=False)
    op.create_index(
        "ix_findings_tenant_issued", "findings", ["tenant_id", "issued_at"], unique=False
    )
    op.create_index(
        "ix_findings_tenant_occurred", "findings", ["tenant_id", "occurred_on"], unique=False
    )
    op.create_table(
        "escalations",
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by_name", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by_name", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            ["findings.tenant_id", "findings.id"],
            name=op.f("fk_escalations_tenant_id_finding_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_escalations")),
        sa.UniqueConstraint(
            "tenant_id", "finding_id", name=op.f("uq_escalations_tenant_id_finding_id")
        ),
    )
    op.create_index("ix_escalations_id", "escalations", ["id"], unique=False)
    op.create_index("ix_escalations_raised", "escalations", ["raised_at", "id"], unique=False)
    op.create_table(
        "finding_decisions",
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by_name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('repeat_taken', 'repeat_refused', 'withdrawn')",
            name=op.f("ck_finding_decisions_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            ["findings.tenant_id", "findings.id"],
            name=op.f("fk_finding_decisions_tenant_id_finding_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_finding_decisions")),
    )
    op.create_index(
        "ix_finding_decisions_finding",
        "finding_decisions",
        ["tenant_id", "finding_id"],
        unique=False,
    )
    op.create_index("ix_finding_decisions_id", "finding_decisions", ["id"], unique=False)
    tenant_rls(op, "draw_shares", "private")
    tenant_rls(op, "draws", "company")
    tenant_rls(op, "assessment_forms", "issued")
    tenant_rls(op, "reviews", "private")
    tenant_rls(op, "findings", "issued")
    tenant_rls(op, "escalations", "private")
    tenant_rls(op, "finding_decisions", "private")
    _issued_stays()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("finding_decisions")
    op.drop_table("escalations")
    op.drop_table("findings")
    op.drop_table("reviews")
    op.drop_table("assessment_forms")
    op.drop_table("draws")
    op.drop_table("draw_shares")
    op.execute("DROP FUNCTION app.review_stays()")
    op.execute("DROP FUNCTION app.audit_issued_stays()")
