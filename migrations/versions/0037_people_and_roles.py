"""people and roles: appointments, one-time links for passwords, and the journal of both"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import role, tenant_rls
from tenants.scope import Login

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

ROLES = (
    "administrator",
    "auditor",
    "audit_head",
    "vendor_manager",
    "finance",
    "complaints",
    "general_department",
    "general_manager",
    "manager",
    "supervisor",
    "team_leader",
    "agent",
    "office",
)
JOURNAL = "app.journal_add(uuid, uuid, timestamptz, uuid, text, text, text, uuid, jsonb)"
MAIL = "app.mail_password_link(uuid, uuid, uuid, uuid, text, text, text, text, timestamptz)"


def _journal_function(sign_in: str) -> None:
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION app.journal_add(
            tenant uuid, entry uuid, at timestamptz, account uuid, name text, action text,
            subject_type text, subject uuid, data jsonb
        ) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            IF session_user = '{role(Login.VENDOR)}' AND tenant IS DISTINCT FROM app.tenant() THEN
                RAISE EXCEPTION 'a vendor writes its own journal only'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            {sign_in}
            INSERT INTO journal_entries (tenant_id, id, at, account_id, actor_name, action,
                                         subject_type, subject_id, data)
            VALUES (tenant, entry, at, account, name, action, subject_type, subject, data);
        END $$
        """
    )


def _sign_in_writes_the_journal() -> None:
    """What is done to accounts is journalled in its transaction, and nothing else by this login."""
    _journal_function(
        f"""IF session_user = '{role(Login.SIGN_IN)}' AND action NOT LIKE 'identity.%' THEN
                RAISE EXCEPTION 'the sign-in login records what is done to accounts only'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;"""
    )
    op.execute(f"GRANT EXECUTE ON FUNCTION {JOURNAL} TO {role(Login.SIGN_IN)}")


def _outbox_function() -> None:
    """The one mail that the sign-in login may order: a link, to the account's own address."""
    op.execute(
        """
        CREATE FUNCTION app.mail_password_link(
            tenant uuid, mail uuid, link uuid, account uuid, subject text, body text, html text,
            message_id text, at timestamptz
        ) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
            INSERT INTO mails (tenant_id, id, order_id, account_id, kind, address, subject, text,
                               html, message_id, state, attempts, created_at, next_at, reply)
            SELECT a.tenant_id, mail, l.id, a.id, 'password_link', a.email, subject, body,
                   html, message_id, 'queued', 0, at, at, ''
              FROM password_links l
              JOIN accounts a ON a.tenant_id = l.tenant_id AND a.id = l.account_id
             WHERE l.tenant_id = tenant AND l.id = link AND a.id = account
        $$
        """
    )
    op.execute(f"REVOKE ALL ON FUNCTION {MAIL} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {MAIL} TO {role(Login.SIGN_IN)}")


def _accounts() -> None:
    for name in ("password_set_at", "disabled_at"):
        op.add_column("accounts", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in ("disabled_by_name", "disabled_ground"):
        op.add_column("accounts", sa.Column(name, sa.Text(), nullable=True))
    op.add_column(
        "accounts",
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
    )
    op.execute("UPDATE accounts SET password_set_at = created_at")


def _appointments() -> None:
    listed = ", ".join(f"'{one}'" for one in ROLES)
    op.create_table(
        "appointments",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("named_by", sa.Uuid(), nullable=True),
        sa.Column("named_by_name", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_by_name", sa.Text(), nullable=True),
        sa.Column("withdrawn_ground", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(f"role IN ({listed})", name=op.f("ck_appointments_role_known")),
        sa.CheckConstraint("until >= since", name=op.f("ck_appointments_ends_after_it_began")),
        sa.CheckConstraint(
            "(until IS NULL) = (withdrawn_by_name IS NULL)",
            name=op.f("ck_appointments_an_end_has_somebody"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name=op.f("fk_appointments_tenant_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_appointments")),
    )
    op.create_index("ix_appointments_id", "appointments", ["id"])
    op.create_index("ix_appointments_role", "appointments", ["tenant_id", "role", "since"])
    op.create_index(
        "uq_appointments_one_standing",
        "appointments",
        ["tenant_id", "account_id", "role"],
        unique=True,
        postgresql_where=sa.text("until IS NULL"),
    )
    tenant_rls(op, "appointments", "company", company="", sign_in="SELECT, INSERT, UPDATE")
    op.execute(
        """
        CREATE FUNCTION app.keep_appointment() RETURNS trigger LANGUAGE plpgsql
        SET search_path = pg_catalog AS $$
        BEGIN
            IF OLD.until IS NOT NULL
               OR (to_jsonb(NEW)
                     - ARRAY['until', 'withdrawn_by', 'withdrawn_by_name', 'withdrawn_ground'])
                  IS DISTINCT FROM
                  (to_jsonb(OLD)
                     - ARRAY['until', 'withdrawn_by', 'withdrawn_by_name', 'withdrawn_ground'])
            THEN
                RAISE EXCEPTION 'an appointment on record does not change; it ends, once'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    # Roles from before the record: held since the account was added; by whom, nobody knows.
    op.execute(
        """
        INSERT INTO appointments (tenant_id, id, account_id, role, since, named_by_name, ground,
                                  withdrawn_ground)
        SELECT a.tenant_id, gen_random_uuid(), a.id, held.role, a.created_at, '', '', ''
          FROM accounts a, jsonb_array_elements_text(a.roles) AS held(role)
        """
    )
    op.execute(
        "CREATE TRIGGER keep_appointment BEFORE UPDATE ON appointments"
        " FOR EACH ROW EXECUTE FUNCTION app.keep_appointment()"
    )


def _links() -> None:
    op.create_table(
        "password_links",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.Text(), nullable=False),
        sa.Column("mailed", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('invitation', 'reset')", name=op.f("ck_password_links_purpose_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name=op.f("fk_password_links_tenant_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_password_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_password_links_token_hash")),
    )
    op.create_index(
        "ix_password_links_account", "password_links", ["tenant_id", "account_id", "made_at"]
    )
    op.create_index(
        "uq_password_links_one_open",
        "password_links",
        ["tenant_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
    )
    tenant_rls(op, "password_links", "company", company="", sign_in="SELECT, INSERT, UPDATE")


def upgrade() -> None:
    """Appointments with those that stand, links, and the doors of the sign-in login."""
    _accounts()
    _appointments()
    _links()
    _outbox_function()
    _sign_in_writes_the_journal()


def downgrade() -> None:
    """As it was; the record of appointments goes, the accounts' roles stay."""
    op.execute(f"REVOKE EXECUTE ON FUNCTION {JOURNAL} FROM {role(Login.SIGN_IN)}")
    _journal_function("")
    op.execute(f"DROP FUNCTION {MAIL}")
    op.drop_table("password_links")
    op.drop_table("appointments")
    op.execute("DROP FUNCTION app.keep_appointment()")
    for name in (
        "version",
        "disabled_ground",
        "disabled_by_name",
        "disabled_at",
        "password_set_at",
    ):
        op.drop_column("accounts", name)
