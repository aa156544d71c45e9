"""strata and weights of draws"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The plan's text of a draw, and the strata's of a vendor's part; none for method /1."""
    op.add_column("draws", sa.Column("options", sa.Text(), nullable=True))
    op.add_column("draw_shares", sa.Column("strata", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop the texts."""
    op.drop_column("draw_shares", "strata")
    op.drop_column("draws", "options")
