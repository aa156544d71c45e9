"""stages of reviews: listenings, the vendor's check of facts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ASKED = "state,agreed,answer,answered_at,answered_by,answered_by_name,told_at,version"


def _widen_reviews() -> None:
    """Where an open case is, and who listened first; what is judged stays so."""
    op.add_column("reviews", sa.Column("stage", sa.Text(), nullable=False, server_default="first"))
    op.execute("UPDATE reviews SET stage = 'judged' WHERE state = 'judged'")
    op.alter_column("reviews", "stage", server_default=None)
    op.add_column("reviews", sa.Column("first_by", sa.Uuid(), nullable=True))
    op.add_column("reviews", sa.Column("first_by_name", sa.Text(), nullable=True))
    op.add_column("reviews", sa.Column("first_verdict", sa.Text(), nullable=True))
    for name, rule in (
        ("stage_known", "stage IN ('first', 'second', 'facts', 'judged')"),
        ("stage_of_state", "(state = 'judged') = (stage = 'judged')"),
        ("heard", "stage IN ('first', 'judged') OR first_by IS NOT NULL"),
        ("first_verdict_known", "first_verdict IN ('pass', 'fail')"),
    ):
        op.create_check_constraint(op.f(f"ck_reviews_{name}"), "reviews", rule)
    op.create_index("ix_reviews_stage", "reviews", ["stage", "opened_at", "id"])


def _asked_stays() -> None:
    """What a vendor was asked does not change, nor does its answer once it is given."""
    op.execute(
        f"""
        CREATE FUNCTION app.fact_check_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.issued_at IS NOT NULL AND
               (TG_OP = 'DELETE'
                OR (to_jsonb(NEW) - '{{{_ASKED}}}'::text[])
                   IS DISTINCT FROM (to_jsonb(OLD) - '{{{_ASKED}}}'::text[])
                OR (OLD.state <> 'asked'
                    AND (to_jsonb(NEW) - '{{told_at}}'::text[])
                        IS DISTINCT FROM (to_jsonb(OLD) - '{{told_at}}'::text[]))) THEN
                RAISE EXCEPTION 'a check of facts that was sent does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER fact_checks_stay BEFORE UPDATE OR DELETE ON fact_checks"
        " FOR EACH ROW EXECUTE FUNCTION app.fact_check_stays()"
    )


def upgrade() -> None:
    """Widen the reviews; create the tables, their policies, grants and trigger."""
    _widen_reviews()
    _make_tables()
    tenant_rls(
        op,
        "fact_checks",
        "issued",
        vendor_update=[
            "state",
            "agreed",
            "answer",
            "answered_at",
            "answered_by",
            "answered_by_name",
            "version",
        ],
    )
    tenant_rls(op, "review_listenings", "private")
    _asked_stays()


def _make_tables() -> None:
    op.create_table(
        "fact_checks",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_by_name", sa.Text(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'answered') = (answered_at IS NOT NULL AND agreed IS NOT NULL)",
            name=op.f("ck_fact_checks_answered_fully"),
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'answered', 'lapsed')", name=op.f("ck_fact_checks_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_id"],
            ["cases.tenant_id", "cases.id"],
            name=op.f("fk_fact_checks_tenant_id_case_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "request_id"],
            ["material_requests.tenant_id", "material_requests.id"],
            name=op.f("fk_fact_checks_tenant_id_request_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_fact_checks_tenant_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fact_checks")),
    )
    op.create_index("ix_fact_checks_id", "fact_checks", ["id"], unique=False)
    op.create_index(
        "ix_fact_checks_review", "fact_checks", ["tenant_id", "review_id"], unique=False
    )
    op.create_index(
        "ix_fact_checks_tenant_issued",
        "fact_checks",
        ["tenant_id", "issued_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_fact_checks_untold",
        "fact_checks",
        ["answered_at"],
        unique=False,
        postgresql_where=sa.text("state = 'answered' AND told_at IS NULL"),
    )
    op.create_table(
        "review_listenings",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("clause_no", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind = 'opinion' OR at IS NOT NULL",
            name=op.f("ck_review_listenings_only_opinions_wait"),
        ),
        sa.CheckConstraint(
            "kind IN ('first', 'second', 'opinion')", name=op.f("ck_review_listenings_kind_known")
        ),
        sa.CheckConstraint(
            "verdict IN ('pass', 'fail')", name=op.f("ck_review_listenings_verdict_known")
        ),
        sa.CheckConstraint(
            "(at IS NULL) = (verdict IS NULL)", name=op.f("ck_review_listenings_given_with_verdict")
        ),
        sa.CheckConstraint(
            "at IS NULL OR by IS NOT NULL", name=op.f("ck_review_listenings_given_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_review_listenings_tenant_id_review_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_review_listenings")),
    )
    op.create_index("ix_review_listenings_id", "review_listenings", ["id"], unique=False)
    op.create_index(
        "ix_review_listenings_kind", "review_listenings", ["kind", "asked_at", "id"], unique=False
    )
    op.create_index(
        "ix_review_listenings_review", "review_listenings", ["tenant_id", "review_id"], unique=False
    )
    op.create_index(
        "uq_review_listenings_one_opinion",
        "review_listenings",
        ["tenant_id", "review_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'opinion'"),
    )


def downgrade() -> None:
    """Drop the tables and the columns."""
    op.drop_table("review_listenings")
    op.drop_table("fact_checks")
    op.execute("DROP FUNCTION app.fact_check_stays()")
    op.drop_index("ix_reviews_stage", "reviews")
    for name in ("stage_known", "stage_of_state", "heard", "first_verdict_known"):
        op.drop_constraint(op.f(f"ck_reviews_{name}"), "reviews", type_="check")
    for name in ("stage", "first_by", "first_by_name", "first_verdict"):
        op.drop_column("reviews", name)
