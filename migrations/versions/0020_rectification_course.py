"""rectification course"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import tenant_rls

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_FREE = "{state,version,round,due_at,closed_at,closed_by_name,close_reason%s}"
_UNIQUE = "uq_rectification_decisions_tenant_id_rectification_id_round"
_VERDICTS = "ck_rectification_decisions_verdict_known"


def _notice_stays(free: str, closed: str) -> None:
    """The trigger's function: what was issued does not change but for its state, and what is
    closed stays so unless `closed` allows the change."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION app.rectification_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.issued_at IS NOT NULL AND
               (TG_OP = 'DELETE' OR (OLD.closed_at IS NOT NULL{closed})
                OR (to_jsonb(NEW) - '{free}'::text[])
                   IS DISTINCT FROM (to_jsonb(OLD) - '{free}'::text[])) THEN
                RAISE EXCEPTION 'an issued rectification notice does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )


_REOPENED_OR_RECHECKED = """
                AND NOT (OLD.state = 'accepted' AND NEW.state = 'returned'
                         AND NEW.closed_at IS NULL)
                AND (to_jsonb(NEW) - '{version,recheck_on}'::text[])
                    IS DISTINCT FROM (to_jsonb(OLD) - '{version,recheck_on}'::text[])"""


def _done_stays() -> None:
    """A milestone that is done does not change, and none is done by whom it was planned before."""
    op.execute(
        """
        CREATE FUNCTION app.rectification_milestone_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.done_at IS NOT NULL THEN
                RAISE EXCEPTION 'a milestone that is done does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER rectification_milestones_stay BEFORE UPDATE OR DELETE"
        " ON rectification_milestones"
        " FOR EACH ROW EXECUTE FUNCTION app.rectification_milestone_stays()"
    )
    op.execute(
        "CREATE TRIGGER rectification_rechecks_stay BEFORE UPDATE OR DELETE"
        " ON rectification_rechecks"
        " FOR EACH ROW EXECUTE FUNCTION app.rectification_part_stays()"
    )


def _notices() -> None:
    op.add_column("rectifications", sa.Column("recheck_on", sa.Date(), nullable=True))
    op.add_column("rectifications", sa.Column("follows_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_rectifications_tenant_id_follows_id"),
        "rectifications",
        "rectifications",
        ["tenant_id", "follows_id"],
        ["tenant_id", "id"],
    )
    op.create_index(
        "ix_rectifications_recheck",
        "rectifications",
        ["recheck_on"],
        postgresql_where=sa.text("recheck_on IS NOT NULL"),
    )
    op.drop_constraint(op.f(_VERDICTS), "rectification_decisions", type_="check")
    op.create_check_constraint(
        op.f(_VERDICTS),
        "rectification_decisions",
        "verdict IN ('accepted', 'returned', 'reopened')",
    )
    op.drop_constraint(op.f(_UNIQUE), "rectification_decisions", type_="unique")
    op.create_unique_constraint(
        op.f(f"{_UNIQUE}_verdict"),
        "rectification_decisions",
        ["tenant_id", "rectification_id", "round", "verdict"],
    )
    op.create_index(
        "uq_rectification_decisions_one_answer",
        "rectification_decisions",
        ["tenant_id", "rectification_id", "round"],
        unique=True,
        postgresql_where=sa.text("verdict <> 'reopened'"),
    )


def _tables() -> None:
    op.create_table(
        "rectification_extensions",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("old_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("new_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'asked') = (decided_at IS NULL AND decided_by IS NULL)",
            name=op.f("ck_rectification_extensions_decided_fully"),
        ),
        sa.CheckConstraint(
            "(state = 'granted') = (new_due_at IS NOT NULL)",
            name=op.f("ck_rectification_extensions_granted_has_date"),
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'granted', 'refused')",
            name=op.f("ck_rectification_extensions_state_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "deadline_id"],
            ["deadlines.tenant_id", "deadlines.id"],
            name=op.f("fk_rectification_extensions_tenant_id_deadline_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rectification_id"],
            ["rectifications.tenant_id", "rectifications.id"],
            name=op.f("fk_rectification_extensions_tenant_id_rectification_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_extensions")),
    )
    op.create_index(
        "ix_rectification_extensions_id", "rectification_extensions", ["id"], unique=False
    )
    op.create_index(
        "ix_rectification_extensions_notice",
        "rectification_extensions",
        ["tenant_id", "rectification_id", "asked_at"],
        unique=False,
    )
    op.create_index(
        "ix_rectification_extensions_untold",
        "rectification_extensions",
        ["asked_at"],
        unique=False,
        postgresql_where=sa.text("told_at IS NULL"),
    )
    op.create_index(
        "uq_rectification_extensions_one_open",
        "rectification_extensions",
        ["tenant_id", "deadline_id"],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.create_table(
        "rectification_milestones",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by_name", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by_name", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(done_at IS NULL) = (done_by_name IS NULL)",
            name=op.f("ck_rectification_milestones_done_by_somebody"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rectification_id"],
            ["rectifications.tenant_id", "rectifications.id"],
            name=op.f("fk_rectification_milestones_tenant_id_rectification_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_milestones")),
    )
    op.create_index(
        "ix_rectification_milestones_id", "rectification_milestones", ["id"], unique=False
    )
    op.create_index(
        "ix_rectification_milestones_notice",
        "rectification_milestones",
        ["tenant_id", "rectification_id", "planned_on"],
        unique=False,
    )
    op.create_table(
        "rectification_rechecks",
        sa.Column("rectification_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_name", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "result IN ('effective', 'reopened', 'followed')",
            name=op.f("ck_rectification_rechecks_result_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rectification_id"],
            ["rectifications.tenant_id", "rectifications.id"],
            name=op.f("fk_rectification_rechecks_tenant_id_rectification_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rectification_rechecks")),
        sa.UniqueConstraint(
            "tenant_id",
            "rectification_id",
            "round",
            name=op.f("uq_rectification_rechecks_tenant_id_rectification_id_round"),
        ),
    )
    tenant_rls(op, "rectification_extensions", "tenant", vendor_insert=True)
    tenant_rls(
        op,
        "rectification_milestones",
        "tenant",
        vendor_insert=True,
        vendor_update=["done_at", "done_by_name"],
        vendor_delete=True,
    )
    tenant_rls(op, "rectification_rechecks", "issued")


def upgrade() -> None:
    """Extensions, milestones, re-checks; an accepted notice can be reopened."""
    _notices()
    _notice_stays(_FREE % ",recheck_on", _REOPENED_OR_RECHECKED)
    _tables()
    _done_stays()


def downgrade() -> None:
    """Take them away again."""
    for table in ("rechecks", "milestones", "extensions"):
        op.drop_table(f"rectification_{table}")
    op.execute("DROP FUNCTION app.rectification_milestone_stays()")
    _notice_stays(_FREE % "", "")
    op.drop_index("uq_rectification_decisions_one_answer", "rectification_decisions")
    op.drop_constraint(op.f(f"{_UNIQUE}_verdict"), "rectification_decisions", type_="unique")
    op.create_unique_constraint(
        op.f(_UNIQUE), "rectification_decisions", ["tenant_id", "rectification_id", "round"]
    )
    op.drop_constraint(op.f(_VERDICTS), "rectification_decisions", type_="check")
    op.create_check_constraint(
        op.f(_VERDICTS), "rectification_decisions", "verdict IN ('accepted', 'returned')"
    )
    op.drop_index("ix_rectifications_recheck", "rectifications")
    op.drop_column("rectifications", "follows_id")
    op.drop_column("rectifications", "recheck_on")
