"""What was deleted when its time was over: by which rule, and read by the vendor whose it was"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tenants.migration import VENDOR_POLICY, role
from tenants.scope import Login

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

TABLE = "retention_deletions"


def upgrade() -> None:
    """A vendor's receipts tell which of their files are gone, when, and by what rule."""
    op.add_column(TABLE, sa.Column("rule", JSONB(), nullable=False, server_default=sa.text("'{}'")))
    rule, vendor = VENDOR_POLICY["shared"], role(Login.VENDOR)
    op.execute(
        f"CREATE POLICY vendor_own ON {TABLE} TO {vendor} USING ({rule}) WITH CHECK ({rule})"
    )
    op.execute(f"GRANT SELECT ON {TABLE} TO {vendor}")


def downgrade() -> None:
    """Keep them from the vendors again."""
    op.execute(f"REVOKE SELECT ON {TABLE} FROM {role(Login.VENDOR)}")
    op.execute(f"DROP POLICY vendor_own ON {TABLE}")
    op.drop_column(TABLE, "rule")
