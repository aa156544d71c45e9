"""changes of who is signed in are told at once"""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

# What `portal.identity.service.find_signed` reads. The last use of a session changes every minute
# and is not among it; a new session nobody remembers yet.
_TOLD = {
    "sign_in_sessions": "token_hash, account_id, tenant_id, created_at, ended_at",
    "accounts": "tenant_id, name, roles, locale, email, status",
    "tenants": "kind, short_name, status",
}


def upgrade() -> None:
    """Triggers that tell whoever listens that something changed, and not what."""
    op.execute(
        """
        CREATE FUNCTION app.tell_signed_changed() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM pg_notify('signed_changed', '');
            RETURN NULL;
        END $$
        """
    )
    for table, columns in _TOLD.items():
        op.execute(
            f"CREATE TRIGGER tell_signed_changed AFTER UPDATE OF {columns} OR DELETE OR TRUNCATE "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION app.tell_signed_changed()"
        )


def downgrade() -> None:
    """Take them away again."""
    for table in _TOLD:
        op.execute(f"DROP TRIGGER tell_signed_changed ON {table}")
    op.execute("DROP FUNCTION app.tell_signed_changed()")
