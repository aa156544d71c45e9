"""Uploads come in parts; a delivery's SHA-256 may become known after it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import role
from tenants.scope import Login

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """New columns, the same bytes once among the files that count, a hash that is set once."""
    op.add_column(
        "uploads", sa.Column("store_reference", sa.Text(), nullable=False, server_default="")
    )
    op.alter_column("uploads", "store_reference", server_default=None)
    op.add_column("uploads", sa.Column("modified_ms", sa.BigInteger(), nullable=True))
    op.drop_constraint(op.f("uq_deliveries_tenant_id_item_id_sha256"), "deliveries", type_="unique")
    op.create_index(
        "uq_deliveries_same_bytes",
        "deliveries",
        ["tenant_id", "item_id", "sha256"],
        unique=True,
        postgresql_where=sa.text("state = 'current' AND sha256 <> ''"),
    )
    op.execute(f"GRANT UPDATE (sha256) ON deliveries TO {role(Login.VENDOR)}")
    op.execute(
        """
        CREATE FUNCTION app.delivery_bytes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.sha256 <> '' AND NEW.sha256 IS DISTINCT FROM OLD.sha256 THEN
                RAISE EXCEPTION 'the SHA-256 of a delivery is set once'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER deliveries_bytes_stay BEFORE UPDATE OF sha256 ON deliveries"
        " FOR EACH ROW EXECUTE FUNCTION app.delivery_bytes_stay()"
    )


def downgrade() -> None:
    """As it was; deliveries of the same bytes must be settled first."""
    op.execute("DROP TRIGGER deliveries_bytes_stay ON deliveries")
    op.execute("DROP FUNCTION app.delivery_bytes_stay()")
    op.execute(f"REVOKE UPDATE (sha256) ON deliveries FROM {role(Login.VENDOR)}")
    op.drop_index("uq_deliveries_same_bytes", "deliveries")
    op.create_unique_constraint(
        op.f("uq_deliveries_tenant_id_item_id_sha256"),
        "deliveries",
        ["tenant_id", "item_id", "sha256"],
    )
    op.drop_column("uploads", "modified_ms")
    op.drop_column("uploads", "store_reference")
