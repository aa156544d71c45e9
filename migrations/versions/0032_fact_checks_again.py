"""checks of facts: taken back, asked again, extended"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_STATE = "ck_fact_checks_state_known"
_ASKED = "state,agreed,answer,answered_at,answered_by,answered_by_name,told_at,version"


def _stays(changing: str, later: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION app.fact_check_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE open text[] := '{{{changing}}}';
        BEGIN
            IF OLD.issued_at IS NOT NULL AND
               (TG_OP = 'DELETE'
                OR (to_jsonb(NEW) - open) IS DISTINCT FROM (to_jsonb(OLD) - open)
                {later}
                OR (OLD.state <> 'asked'
                    AND (to_jsonb(NEW) - 'told_at'::text)
                        IS DISTINCT FROM (to_jsonb(OLD) - 'told_at'::text))) THEN
                RAISE EXCEPTION 'a check of facts that was sent does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )


def upgrade() -> None:
    """A question may be taken back with a reason, asked again, and have its time extended."""
    op.add_column("fact_checks", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_fact_checks_tenant_id_replaces_id"),
        "fact_checks",
        "fact_checks",
        ["tenant_id", "replaces_id"],
        ["tenant_id", "id"],
    )
    moment = sa.DateTime(timezone=True)
    op.add_column("fact_checks", sa.Column("recalled_at", moment, nullable=True))
    op.add_column(
        "fact_checks", sa.Column("recall_reason", sa.Text(), nullable=False, server_default="")
    )
    op.drop_constraint(op.f(_STATE), "fact_checks", type_="check")
    op.create_check_constraint(
        op.f(_STATE), "fact_checks", "state IN ('asked', 'answered', 'lapsed', 'recalled')"
    )
    op.create_check_constraint(
        op.f("ck_fact_checks_recalled_at_a_time"),
        "fact_checks",
        "(state = 'recalled') = (recalled_at IS NOT NULL)",
    )
    _stays(f"{_ASKED},due_at,recalled_at,recall_reason", "OR NEW.due_at < OLD.due_at")


def downgrade() -> None:
    """Take them away again."""
    _stays(_ASKED, "")
    for name in ("ck_fact_checks_recalled_at_a_time", _STATE):
        op.drop_constraint(op.f(name), "fact_checks", type_="check")
    op.create_check_constraint(
        op.f(_STATE), "fact_checks", "state IN ('asked', 'answered', 'lapsed')"
    )
    op.drop_constraint(op.f("fk_fact_checks_tenant_id_replaces_id"), "fact_checks")
    for column in ("replaces_id", "recalled_at", "recall_reason"):
        op.drop_column("fact_checks", column)
