"""a submitted answer is in time or late by the clock that holds"""

from __future__ import annotations

from alembic import op

from tenants.migration import role
from tenants.scope import Login

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_RECOUNTED = """
                IF current_user <> '%s'
                    AND to_jsonb(NEW) - 'in_time' = to_jsonb(OLD) - 'in_time' THEN
                    RETURN NEW;
                END IF;"""


def _answer_stays(but: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION app.rectification_answer_stays() RETURNS trigger
        LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' THEN
                IF OLD.told_at IS NULL
                    AND to_jsonb(NEW) - 'told_at' = to_jsonb(OLD) - 'told_at' THEN
                    RETURN NEW;
                END IF;{but}
            END IF;
            IF OLD.state = 'submitted' THEN
                RAISE EXCEPTION 'a submitted answer does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
        END $$
        """
    )


def upgrade() -> None:
    """An extension that the company grants later may change whether an answer was in time."""
    _answer_stays(_RECOUNTED % role(Login.VENDOR))


def downgrade() -> None:
    """It never changes."""
    _answer_stays("")
