"""appeals of several points, upheld in part; who confirmed a finding"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_STATE = "ck_appeals_state_known"
_BEFORE = "state,version,level,outcome,points,deduction,repeated,handling,merged_into_id"
_NOW = f"{_BEFORE},clause_no,clause_text,clause_version,times,facts"
_DECIDED = "state,told_at,due_at,decided_at,decided_by,decided_by_name,decision,version"


def _finding_stays(open_to_correction: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION app.finding_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE open text[] := '{{{open_to_correction}}}';
        BEGIN
            IF OLD.issued_at IS NOT NULL AND
               (TG_OP = 'DELETE'
                OR (to_jsonb(NEW) - open) IS DISTINCT FROM (to_jsonb(OLD) - open)
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


def _appeal_stays(changing: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION app.appeal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE open text[] := '{{{changing}}}';
        BEGIN
            IF TG_OP = 'INSERT' THEN
                IF NEW.state IN ('upheld', 'partly', 'rejected') THEN
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
        """
    )


def upgrade() -> None:
    """Points of an appeal, its handing over, the state `partly`; more of a finding may be put right
    by a recorded correction."""
    op.add_column("findings", sa.Column("confirmed_by", sa.Uuid(), nullable=True))
    everything = sa.text("'{facts,clause,severity}'")
    op.add_column(
        "appeals",
        sa.Column("disputed", ARRAY(sa.Text()), nullable=False, server_default=everything),
    )
    op.alter_column("appeals", "disputed", server_default=None)
    op.add_column("appeals", sa.Column("referred_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("appeals", sa.Column("referred_by_name", sa.Text(), nullable=True))
    op.drop_constraint(op.f(_STATE), "appeals", type_="check")
    for name, rule in (
        (_STATE, "state IN ('open', 'upheld', 'partly', 'rejected')"),
        (
            "ck_appeals_disputed_known",
            "disputed <@ ARRAY['facts', 'clause', 'severity'] AND cardinality(disputed) > 0",
        ),
        (
            "ck_appeals_referred_by_somebody",
            "(referred_at IS NULL) = (referred_by_name IS NULL)",
        ),
    ):
        op.create_check_constraint(op.f(name), "appeals", rule)
    _finding_stays(_NOW)
    _appeal_stays(f"{_DECIDED},referred_at,referred_by_name")


def downgrade() -> None:
    """Take them away again."""
    _appeal_stays(_DECIDED)
    _finding_stays(_BEFORE)
    for name in ("ck_appeals_disputed_known", "ck_appeals_referred_by_somebody", _STATE):
        op.drop_constraint(op.f(name), "appeals", type_="check")
    op.create_check_constraint(op.f(_STATE), "appeals", "state IN ('open', 'upheld', 'rejected')")
    for column in ("disputed", "referred_at", "referred_by_name"):
        op.drop_column("appeals", column)
    op.drop_column("findings", "confirmed_by")
