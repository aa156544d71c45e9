"""When the company was told of hand-ins and answers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UNTOLD = {
    "hand_ins": ("at", "told_at IS NULL"),
    "rectification_answers": ("submitted_at", "state = 'submitted' AND told_at IS NULL"),
}


def _answer_stays(but: str = "") -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION app.rectification_answer_stays() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            {but}
            IF OLD.state = 'submitted' THEN
                RAISE EXCEPTION 'a submitted answer does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )


TOLD_ONCE = """
            IF TG_OP = 'UPDATE' THEN
                IF OLD.told_at IS NULL
                    AND to_jsonb(NEW) - 'told_at' = to_jsonb(OLD) - 'told_at' THEN
                    RETURN NEW;
                END IF;
            END IF;
"""


def upgrade() -> None:
    """What is there already needs no message any more."""
    _answer_stays(TOLD_ONCE)
    for table, (column, where) in UNTOLD.items():
        op.add_column(table, sa.Column("told_at", sa.DateTime(timezone=True), nullable=True))
        op.execute(f"UPDATE {table} SET told_at = {column} WHERE {where}")
        op.create_index(f"ix_{table}_untold", table, [column], postgresql_where=sa.text(where))


def downgrade() -> None:
    """Take them away again."""
    _answer_stays()
    for table in UNTOLD:
        op.drop_index(f"ix_{table}_untold", table)
        op.drop_column(table, "told_at")
