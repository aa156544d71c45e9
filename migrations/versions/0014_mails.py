"""mails"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import role, tenant_rls
from tenants.scope import Login

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _feed_function() -> None:
    """What the public login may ask: whose calendar feed a secret address is."""
    op.execute(
        """
        CREATE FUNCTION app.calendar_feed(wanted bytea)
        RETURNS TABLE (account_id uuid, tenant_id uuid, tenant_kind text, roles jsonb, locale text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
        $$ SELECT a.id, a.tenant_id, t.kind, a.roles, a.locale
             FROM calendar_feeds f
             JOIN accounts a ON a.tenant_id = f.tenant_id AND a.id = f.account_id
             JOIN tenants t ON t.id = a.tenant_id
            WHERE f.token_hash = wanted AND f.revoked_at IS NULL
              AND a.status = 'active' AND t.status = 'active' $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION app.calendar_feed(bytea) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION app.calendar_feed(bytea) TO {role(Login.PUBLIC)}")


def _feeds() -> None:
    op.add_column(
        "accounts",
        sa.Column(
            "mail_choice",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
    )
    op.create_table(
        "calendar_feeds",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name=op.f("fk_calendar_feeds_tenant_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feeds_token_hash")),
    )
    op.create_index(
        "uq_calendar_feeds_one_open",
        "calendar_feeds",
        ["tenant_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    tenant_rls(op, "calendar_feeds", "company", company="", sign_in="SELECT, INSERT, UPDATE")


def _outbox() -> None:
    op.create_table(
        "mail_orders",
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expanded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "id"],
            ["notifications.tenant_id", "notifications.id"],
            name=op.f("fk_mail_orders_tenant_id_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mail_orders")),
    )
    op.create_index("ix_mail_orders_id", "mail_orders", ["id"])
    op.create_index(
        "ix_mail_orders_waiting",
        "mail_orders",
        ["tenant_id", "id"],
        postgresql_where=sa.text("expanded_at IS NULL"),
    )
    tenant_rls(op, "mail_orders", "tenant", vendor_insert=True)
    op.create_table(
        "digest_runs",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_digest_runs")),
        sa.UniqueConstraint("tenant_id", "day", name=op.f("uq_digest_runs_tenant_id_day")),
    )
    tenant_rls(op, "digest_runs", "company")


def upgrade() -> None:
    """The outbox, mails, digests, people's choices, and secret addresses of calendar feeds."""
    _outbox()
    op.create_table(
        "mails",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'sending', 'sent', 'failed', 'dead')",
            name=op.f("ck_mails_state_known"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mails")),
        sa.UniqueConstraint(
            "tenant_id",
            "order_id",
            "account_id",
            name=op.f("uq_mails_tenant_id_order_id_account_id"),
        ),
    )
    op.create_index("ix_mails_created", "mails", ["created_at", "id"])
    op.create_index(
        "ix_mails_due",
        "mails",
        ["next_at", "id"],
        postgresql_where=sa.text("state IN ('queued', 'sending', 'failed')"),
    )
    op.create_index("ix_mails_id", "mails", ["id"])
    tenant_rls(op, "mails", "company", company="SELECT, INSERT, UPDATE")
    _feeds()
    _feed_function()


def downgrade() -> None:
    """Drop them."""
    op.execute("DROP FUNCTION app.calendar_feed(bytea)")
    op.drop_table("calendar_feeds")
    op.drop_column("accounts", "mail_choice")
    for table in ("mails", "digest_runs", "mail_orders"):
        op.drop_table(table)
