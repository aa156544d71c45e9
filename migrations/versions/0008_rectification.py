"""rectification"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import tenant_rls

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


_FREE = "{state,version,round,due_at,closed_at,closed_by_name,close_reason}"


def _issued_stays() -> None:
    """What was issued, submitted or decided does not change (C2.4)."""
    op.execute(
        f"""
        CREATE FUNCTION app.rectification_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.issued_at IS NOT NULL AND
               (TG_OP = 'DELETE' OR OLD.closed_at IS NOT NULL
                OR (to_jsonb(NEW) - '{_FREE}'::text[])
                   IS DISTINCT FROM (to_jsonb(OLD) - '{_FREE}'::text[])) THEN
                RAISE EXCEPTION 'an issued rectification notice does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION app.rectification_part_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF TG_TABLE_NAME = 'rectification_demands' AND EXISTS (
                    SELECT FROM rectifications r WHERE r.tenant_id = NEW.tenant_id
                    AND r.id = NEW.rectification_id AND r.issued_at IS NOT NULL) THEN
                    RAISE EXCEPTION 'an issued rectification notice does not change'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END IF;
            IF OLD.issued_at IS NOT NULL THEN
                RAISE EXCEPTION 'an issued rectification notice does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION app.rectification_answer_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.state = 'submitted' THEN
                RAISE EXCEPTION 'a submitted answer does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION app.rectification_evidence_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            owner uuid;
            answer uuid;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                owner := NEW.tenant_id;
                answer := NEW.answer_id;
            ELSE
                owner := OLD.tenant_id;
                answer := OLD.answer_id;
            END IF;
            IF EXISTS (SELECT FROM rectification_answers a WHERE a.tenant_id = owner
                       AND a.id = answer AND a.state = 'submitted') THEN
                RAISE EXCEPTION 'a submitted answer does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    for table, when, function in _TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE {when} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION app.{function}()"
        )


_TRIGGERS = (
    ("rectifications", "UPDATE OR DELETE", "rectification_stays"),
    ("rectification_demands", "INSERT OR UPDATE OR DELETE", "rectification_part_stays"),
    ("rectification_decisions", "UPDATE OR DELETE", "rectification_part_stays"),
    ("rectification_answers", "UPDATE OR DELETE", "rectification_answer_stays"),
    ("rectification_evidence", "INSERT OR UPDATE OR DELETE", "rectification_evidence_stays"),
)


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
        sa.Column("grounds", sa.Text(), nullable=False),
        sa.Column("consequence", sa.Text(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_name", sa.Text(), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.Column("document_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('accepted', 'cancelled')) = (closed_at IS NOT NULL)",
            name=op.f("ck_rectifications_closed_is_dated"),
        ),
        sa.CheckConstraint(
            "source IN ('assessment', 'audit', 'complaint', 'regulator', 'inspection')",
            name=op.f("ck_rectifications_source_known"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'issued', 'answered', 'returned', 'accepted', 'cancelled')",
            name=op.f("ck_rectifications_state_known"),
        ),
        sa.CheckConstraint(
            "working_days BETWEEN 1 AND 60", name=op.f("ck_rectifications_working_days_sane")
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
    _issued_stays()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("rectification_demands")
    op.drop_table("rectification_evidence")
    op.drop_table("rectification_decisions")
    op.drop_table("rectification_answers")
    op.drop_table("rectifications")
    for function in dict.fromkeys(function for _table, _when, function in _TRIGGERS):
        op.execute(f"DROP FUNCTION app.{function}()")
