"""papers: whole card numbers, sealed apart from the content"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A paper's whole card numbers; the trigger that keeps issued papers keeps them too."""
    op.add_column("documents", sa.Column("cards_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take them away again."""
    op.drop_column("documents", "cards_sealed")
