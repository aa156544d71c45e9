"""draw record"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """What a vendor recomputes its sample from; requests issued before have none."""
    op.add_column("material_requests", sa.Column("draw_record", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take the column away."""
    op.drop_column("material_requests", "draw_record")
