"""appeals"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_STATES = "ck_findings_state_known"
_OPEN_TO_CORRECTION = (
    "{state,version,level,outcome,points,deduction,repeated,handling,merged_into_id}"
)


def _findings() -> None:
    op.add_column("findings", sa.Column("merged_into_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_findings_tenant_id_merged_into_id"),
        "findings",
        "findings",
        ["tenant_id", "merged_into_id"],
        ["tenant_id", "id"],
    )
    op.drop_constraint(op.f(_STATES), "findings", type_="check")
    op.create_check_constraint(
        op.f(_STATES),
        "findings",
        "state IN ('draft', 'confirmed', 'issued', 'withdrawn', 'overturned')",
    )


def _tables() -> None:
    op.create_table(
        "appeals",
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("instance", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("window_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=False),
        sa.Column("raised_by_name", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL AND decided_by IS NULL)",
            name=op.f("ck_appeals_decided_fully"),
        ),
        sa.CheckConstraint("instance IN (1, 2)", name=op.f("ck_appeals_instance_known")),
        sa.CheckConstraint(
            "state IN ('open', 'upheld', 'rejected')", name=op.f("ck_appeals_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            ["findings.tenant_id", "findings.id"],
            name=op.f("fk_appeals_tenant_id_finding_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "form_id"],
            ["assessment_forms.tenant_id", "assessment_forms.id"],
            name=op.f("fk_appeals_tenant_id_form_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_appeals")),
        sa.UniqueConstraint(
            "tenant_id",
            "finding_id",
            "instance",
            name=op.f("uq_appeals_tenant_id_finding_id_instance"),
        ),
    )
    op.create_index("ix_appeals_id", "appeals", ["id"])
    op.create_index("ix_appeals_raised", "appeals", ["raised_at", "id"])
    op.create_index("ix_appeals_tenant_raised", "appeals", ["tenant_id", "raised_at", "id"])
    op.create_index(
        "ix_appeals_untold",
        "appeals",
        ["raised_at"],
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_table(
        "appeal_evidence",
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appeal_id"],
            ["appeals.tenant_id", "appeals.id"],
            name=op.f("fk_appeal_evidence_tenant_id_appeal_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_appeal_evidence_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_appeal_evidence")),
        sa.UniqueConstraint(
            "tenant_id",
            "appeal_id",
            "file_id",
            name=op.f("uq_appeal_evidence_tenant_id_appeal_id_file_id"),
        ),
    )
    op.create_index("ix_appeal_evidence_id", "appeal_evidence", ["id"])
    op.create_table(
        "finding_corrections",
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("to_version", sa.Integer(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "appeal_id"],
            ["appeals.tenant_id", "appeals.id"],
            name=op.f("fk_finding_corrections_tenant_id_appeal_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            ["findings.tenant_id", "findings.id"],
            name=op.f("fk_finding_corrections_tenant_id_finding_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_finding_corrections")),
        sa.UniqueConstraint(
            "tenant_id",
            "finding_id",
            "to_version",
            name=op.f("uq_finding_corrections_tenant_id_finding_id_to_version"),
        ),
    )
    op.create_index("ix_finding_corrections_id", "finding_corrections", ["id"])
    _adjustments()
    tenant_rls(op, "appeals", "tenant", vendor_insert=True)
    tenant_rls(op, "appeal_evidence", "tenant", vendor_insert=True, company="SELECT")
    tenant_rls(op, "finding_corrections", "issued", company="SELECT, INSERT")


def _adjustments() -> None:
    op.create_table(
        "fee_adjustments",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("origin_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=2), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("appeal_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("taken_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_fee_adjustments_amount_not_zero")),
        *(
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                [f"{table}.tenant_id", f"{table}.id"],
                name=op.f(f"fk_fee_adjustments_tenant_id_{column}"),
            )
            for column, table in (
                ("contract_id", "contracts"),
                ("origin_id", "statements"),
                ("taken_id", "statements"),
            )
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_fee_adjustments")),
    )
    op.create_index(
        "ix_fee_adjustments_contract", "fee_adjustments", ["tenant_id", "contract_id", "taken_id"]
    )
    tenant_rls(op, "fee_adjustments", "private")


def _stays() -> None:
    """An issued finding changes by a recorded correction alone; an appeal begins undecided, keeps
    what was raised, and does not change once it is decided."""
    op.execute(
        f"""
        CREATE FUNCTION app.finding_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.issued_at IS NOT NULL AND
               (TG_OP = 'DELETE'
                OR (to_jsonb(NEW) - '{_OPEN_TO_CORRECTION}'::text[])
                   IS DISTINCT FROM (to_jsonb(OLD) - '{_OPEN_TO_CORRECTION}'::text[])
                OR NEW.version <> OLD.version + 1
                OR NOT EXISTS (SELECT FROM finding_corrections c
                               WHERE c.tenant_id = OLD.tenant_id AND c.finding_id = OLD.id
                                 AND c.to_version = NEW.version)) THEN
                RAISE EXCEPTION 'what was issued by an assessment form does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute("DROP TRIGGER findings_stay ON findings")
    op.execute(
        "CREATE TRIGGER findings_stay BEFORE UPDATE OR DELETE ON findings"
        " FOR EACH ROW EXECUTE FUNCTION app.finding_stays()"
    )
    op.execute(
        """
        CREATE FUNCTION app.appeal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE open text[] := '{state,told_at,due_at,decided_at,decided_by,decided_by_name,decision,version}';
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state IN ('upheld', 'rejected') THEN
                    RAISE EXCEPTION 'an appeal begins undecided'
                        USING ERRCODE = 'integrity_constraint_violation';
                END IF;
                RETURN NEW;
            END IF;
            IF TG_OP = 'DELETE'
               OR (to_jsonb(NEW) - open) IS DISTINCT FROM (to_jsonb(OLD) - open)
               OR (OLD.state <> 'open' AND (to_jsonb(NEW) - 'told_at'::text)
                                           IS DISTINCT FROM (to_jsonb(OLD) - 'told_at'::text)) THEN
                RAISE EXCEPTION 'an appeal does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """  # noqa: E501 - the list of columns
    )
    op.execute(
        "CREATE TRIGGER appeals_stay BEFORE INSERT OR UPDATE OR DELETE ON appeals"
        " FOR EACH ROW EXECUTE FUNCTION app.appeal_stays()"
    )


def upgrade() -> None:
    """Appeals with evidence and corrections; one call is judged once."""
    _findings()
    _tables()
    _stays()


def downgrade() -> None:
    """Take them away again."""
    op.execute("DROP TRIGGER findings_stay ON findings")
    op.execute(
        "CREATE TRIGGER findings_stay BEFORE UPDATE OR DELETE ON findings"
        " FOR EACH ROW EXECUTE FUNCTION app.audit_issued_stays()"
    )
    for table in ("fee_adjustments", "finding_corrections", "appeal_evidence", "appeals"):
        op.drop_table(table)
    op.execute("DROP FUNCTION app.finding_stays()")
    op.execute("DROP FUNCTION app.appeal_stays()")
    op.drop_constraint(op.f(_STATES), "findings", type_="check")
    op.create_check_constraint(
        op.f(_STATES), "findings", "state IN ('draft', 'confirmed', 'issued', 'withdrawn')"
    )
    op.drop_column("findings", "merged_into_id")
