"""requests for one-time links are counted beside failed sign-ins, and forgotten after a minute"""

from __future__ import annotations

from alembic import op

from tenants.migration import role
from tenants.scope import Login

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The sign-in login may take away what it counted."""
    op.execute(f"GRANT DELETE ON sign_in_attempts TO {role(Login.SIGN_IN)}")


def downgrade() -> None:
    """It may not."""
    op.execute(f"REVOKE DELETE ON sign_in_attempts FROM {role(Login.SIGN_IN)}")
