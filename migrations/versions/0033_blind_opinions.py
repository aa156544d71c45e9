"""opinions: who looked and gives none, and those that came too late"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who looked at the judgement of a case, when an opinion lapsed, and the open ones at hand."""
    op.add_column(
        "review_listenings",
        sa.Column("recused", ARRAY(sa.Uuid()), nullable=False, server_default=sa.text("'{}'")),
    )
    op.add_column(
        "review_listenings", sa.Column("lapsed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_check_constraint(
        op.f("ck_review_listenings_given_or_lapsed"),
        "review_listenings",
        "at IS NULL OR lapsed_at IS NULL",
    )
    op.create_index(
        "ix_review_listenings_open",
        "review_listenings",
        ["asked_at", "id"],
        postgresql_where=sa.text("kind = 'opinion' AND at IS NULL AND lapsed_at IS NULL"),
    )


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("ix_review_listenings_open", "review_listenings")
    op.drop_constraint(
        op.f("ck_review_listenings_given_or_lapsed"), "review_listenings", type_="check"
    )
    op.drop_column("review_listenings", "lapsed_at")
    op.drop_column("review_listenings", "recused")
