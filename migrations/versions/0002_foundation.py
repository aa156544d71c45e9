"""foundation"""

from __future__ import annotations

from pathlib import Path

import procrastinate
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import role, tenant_rls
from tenants.scope import Login

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _journal_function() -> None:
    """Entries come in by this door only; a vendor's session can write its own tenant's."""
    op.execute(
        f"""
        CREATE FUNCTION app.journal_add(
            tenant uuid, entry uuid, at timestamptz, account uuid, name text, action text,
            subject_type text, subject uuid, data jsonb
        ) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            IF session_user = '{role(Login.VENDOR)}' AND tenant IS DISTINCT FROM app.tenant() THEN
                RAISE EXCEPTION 'a vendor writes its own journal only'
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            INSERT INTO journal_entries (tenant_id, id, at, account_id, actor_name, action,
                                         subject_type, subject_id, data)
            VALUES (tenant, entry, at, account, name, action, subject_type, subject, data);
        END $$
        """
    )
    op.execute(
        "REVOKE ALL ON FUNCTION app.journal_add(uuid, uuid, timestamptz, uuid, text, text, text,"
        " uuid, jsonb) FROM PUBLIC"
    )
    op.execute(
        "GRANT EXECUTE ON FUNCTION app.journal_add(uuid, uuid, timestamptz, uuid, text, text,"
        f" text, uuid, jsonb) TO {role(Login.VENDOR)}, {role(Login.COMPANY)}"
    )


def _queue() -> None:
    """The queue's own schema, and the one door through which work gets in."""
    schema = Path(procrastinate.__file__).parent / "sql" / "schema.sql"
    op.execute("CREATE SCHEMA queue")
    op.execute("SET LOCAL search_path = queue, pg_catalog")
    op.get_bind().exec_driver_sql(schema.read_text(encoding="utf-8").replace("%", "%%"))
    op.execute("SET LOCAL search_path = public, pg_catalog")
    op.execute(
        "CREATE TABLE queue.allowed_tasks (name text PRIMARY KEY, vendor_may boolean NOT NULL)"
    )
    queue = role(Login.QUEUE)
    op.execute(f"GRANT USAGE ON SCHEMA queue TO {queue}")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA queue TO {queue}")
    op.execute(f"REVOKE INSERT, UPDATE, DELETE ON queue.allowed_tasks FROM {queue}")
    op.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA queue TO {queue}")
    op.execute("REVOKE ALL ON ALL FUNCTIONS IN SCHEMA queue FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA queue TO {queue}")
    _enqueue_function()


def _enqueue_function() -> None:
    """The scope of a job is stamped here from the session itself, never taken from arguments."""
    vendor, company = role(Login.VENDOR), role(Login.COMPANY)
    op.execute(
        f"""
        CREATE FUNCTION app.enqueue(task text, tenant uuid, run uuid, args jsonb, joblock text)
        RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = queue, public, pg_temp
        AS $$
        DECLARE
            stamped text := 'vendor';
            job bigint;
        BEGIN
            IF NOT EXISTS (SELECT FROM allowed_tasks a WHERE a.name = task
                           AND (a.vendor_may OR session_user <> '{vendor}')) THEN
                RAISE EXCEPTION 'task % is not allowed here', task
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            IF session_user = '{vendor}' THEN
                IF tenant IS DISTINCT FROM app.tenant() THEN
                    RAISE EXCEPTION 'a vendor enqueues for itself only'
                        USING ERRCODE = 'insufficient_privilege';
                END IF;
            ELSIF EXISTS (SELECT FROM tenants t WHERE t.id = tenant AND t.kind = 'company') THEN
                stamped := 'company';
            END IF;
            INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args)
            VALUES ('portal', task, CASE WHEN joblock IS NULL THEN NULL
                                         ELSE tenant::text || ':' || joblock END,
                    jsonb_build_object('login', stamped, 'tenant', tenant, 'run', run,
                                       'args', args))
            RETURNING id INTO job;
            RETURN job;
        END $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION app.enqueue(text, uuid, uuid, jsonb, text) FROM PUBLIC")
    op.execute(
        "GRANT EXECUTE ON FUNCTION app.enqueue(text, uuid, uuid, jsonb, text)"
        f" TO {vendor}, {company}"
    )


def _documents_stay() -> None:
    """An issued paper does not change: its file is set once, nothing else ever."""
    op.execute(
        """
        CREATE FUNCTION app.document_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (to_jsonb(NEW) - '{file_id,sha256,pages,rendered_at}'::text[])
               IS DISTINCT FROM (to_jsonb(OLD) - '{file_id,sha256,pages,rendered_at}'::text[])
               OR OLD.file_id IS NOT NULL THEN
                RAISE EXCEPTION 'an issued document does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER documents_stay BEFORE UPDATE ON documents"
        " FOR EACH ROW EXECUTE FUNCTION app.document_stays()"
    )


def _verify_function() -> None:
    """What the public login may ask: one paper by its code."""
    op.execute(
        """
        CREATE FUNCTION app.verify_document(wanted text)
        RETURNS TABLE (number text, issued_at timestamptz, sha256 text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
        $$ SELECT d.number, d.issued_at, d.sha256 FROM documents d
           WHERE d.verify_code = wanted AND d.issued_at IS NOT NULL $$
        """
    )
    op.execute("REVOKE ALL ON FUNCTION app.verify_document(text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION app.verify_document(text) TO {role(Login.PUBLIC)}")


def _functions() -> None:
    _verify_function()
    _journal_function()
    _queue()
    _documents_stay()


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    op.create_table(
        "journal_entries",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_journal_entries")),
    )
    op.create_index("ix_journal_entries_at", "journal_entries", ["at", "id"], unique=False)
    op.create_index("ix_journal_entries_id", "journal_entries", ["id"], unique=False)
    op.create_index(
        "ix_journal_entries_subject",
        "journal_entries",
        ["subject_type", "subject_id"],
        unique=False,
    )
    op.create_index(
        "ix_journal_entries_tenant_at", "journal_entries", ["tenant_id", "at", "id"], unique=False
    )
    op.create_table(
        "journal_links",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_journal_links")),
        sa.UniqueConstraint(
            "tenant_id", "position", name=op.f("uq_journal_links_tenant_id_position")
        ),
    )
    op.create_table(
        "journal_seals",
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_position", sa.Integer(), nullable=False),
        sa.Column("last_position", sa.Integer(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_journal_seals")),
        sa.UniqueConstraint(
            "tenant_id", "last_position", name=op.f("uq_journal_seals_tenant_id_last_position")
        ),
    )
    op.create_table(
        "calendar_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('holiday', 'make_up')", name=op.f("ck_calendar_days_kind_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calendar_days")),
        sa.UniqueConstraint("tenant_id", "day", name=op.f("uq_calendar_days_tenant_id_day")),
    )
    op.create_table(
        "calendar_years",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("confirmed_by_name", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calendar_years")),
        sa.UniqueConstraint("tenant_id", "year", name=op.f("uq_calendar_years_tenant_id_year")),
    )
    op.create_table(
        "internal_schemes",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_internal_schemes")),
        sa.UniqueConstraint(
            "tenant_id", "kind", "version", name=op.f("uq_internal_schemes_tenant_id_kind_version")
        ),
    )
    op.create_table(
        "published_schemes",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_by_name", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_published_schemes")),
        sa.UniqueConstraint(
            "tenant_id", "kind", "version", name=op.f("uq_published_schemes_tenant_id_kind_version")
        ),
    )
    op.create_table(
        "deadlines",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("owed_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("target_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "owed_by IN ('vendor', 'company')", name=op.f("ck_deadlines_owed_by_known")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'met', 'breached', 'void')", name=op.f("ck_deadlines_state_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_deadlines")),
        sa.UniqueConstraint(
            "tenant_id",
            "kind",
            "subject_id",
            "round",
            name=op.f("uq_deadlines_tenant_id_kind_subject_id_round"),
        ),
    )
    op.create_index("ix_deadlines_id", "deadlines", ["id"], unique=False)
    op.create_index(
        "ix_deadlines_open",
        "deadlines",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_deadlines_subject", "deadlines", ["tenant_id", "subject_id"], unique=False)
    op.create_index(
        "ix_deadlines_tenant_open", "deadlines", ["tenant_id", "state", "due_at"], unique=False
    )
    op.create_table(
        "job_runs",
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("error", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_job_runs_state_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_job_runs")),
    )
    op.create_index("ix_job_runs_id", "job_runs", ["id"], unique=False)
    op.create_table(
        "stored_files",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("safe_name", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=False),
        sa.Column("uploaded_by_name", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('started', 'stored', 'deleted')", name=op.f("ck_stored_files_state_known")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stored_files")),
        sa.UniqueConstraint(
            "tenant_id", "storage_key", name=op.f("uq_stored_files_tenant_id_storage_key")
        ),
    )
    op.create_index("ix_stored_files_id", "stored_files", ["id"], unique=False)
    op.create_index("ix_stored_files_sha256", "stored_files", ["tenant_id", "sha256"], unique=False)
    op.create_table(
        "notification_reads",
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notification_reads")),
    )
    op.create_table(
        "notifications",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("roles", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("params", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notifications")),
    )
    op.create_index("ix_notifications_id", "notifications", ["id"], unique=False)
    op.create_index(
        "ix_notifications_tenant_at", "notifications", ["tenant_id", "at", "id"], unique=False
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("email_digest", sa.LargeBinary(), nullable=False),
        sa.Column("address_digest", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sign_in_attempts")),
    )
    op.create_index(
        "ix_sign_in_attempts_address", "sign_in_attempts", ["address_digest", "at"], unique=False
    )
    op.create_index(
        "ix_sign_in_attempts_email", "sign_in_attempts", ["email_digest", "at"], unique=False
    )
    op.create_table(
        "accounts",
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_sign_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "status IN ('active', 'disabled')", name=op.f("ck_accounts_status_known")
        ),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_accounts_email_normalised")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_accounts_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_email")),
    )
    op.create_index("ix_accounts_id", "accounts", ["id"], unique=False)
    op.create_table(
        "sign_in_sessions",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "account_id"],
            ["accounts.tenant_id", "accounts.id"],
            name=op.f("fk_sign_in_sessions_tenant_id_account_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sign_in_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sign_in_sessions_token_hash")),
    )
    op.create_index(
        "ix_sign_in_sessions_account", "sign_in_sessions", ["tenant_id", "account_id"], unique=False
    )
    op.create_table(
        "number_series",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_number_series")),
        sa.UniqueConstraint(
            "tenant_id", "kind", "year", name=op.f("uq_number_series_tenant_id_kind_year")
        ),
    )
    op.create_table(
        "documents",
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("subject_type", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("verify_code", sa.Text(), nullable=False),
        sa.Column("issued_by_name", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("rendered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_documents_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_documents")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_documents_tenant_id_number")),
        sa.UniqueConstraint("verify_code", name=op.f("uq_documents_verify_code")),
    )
    op.create_index("ix_documents_id", "documents", ["id"], unique=False)
    op.create_index(
        "ix_documents_issued", "documents", ["tenant_id", "issued_at", "id"], unique=False
    )
    op.create_index("ix_documents_subject", "documents", ["tenant_id", "subject_id"], unique=False)
    op.create_table(
        "document_recipients",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_document_recipients_tenant_id_document_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_document_recipients")),
    )
    op.create_index(
        "ix_document_recipients_document",
        "document_recipients",
        ["tenant_id", "document_id"],
        unique=False,
    )
    tenant_rls(op, "journal_entries", "private", company="SELECT")
    tenant_rls(op, "journal_links", "private", company="SELECT, INSERT")
    tenant_rls(op, "journal_seals", "private", company="SELECT, INSERT")
    tenant_rls(op, "calendar_days", "reference")
    tenant_rls(op, "calendar_years", "reference")
    tenant_rls(op, "internal_schemes", "company")
    tenant_rls(op, "published_schemes", "reference")
    tenant_rls(op, "deadlines", "issued", vendor_update=["state", "met_at", "breached_at"])
    tenant_rls(
        op,
        "job_runs",
        "tenant",
        vendor_insert=True,
        vendor_update=["state", "done", "total", "result", "error", "started_at", "finished_at"],
    )
    tenant_rls(
        op,
        "stored_files",
        "issued",
        vendor_insert=True,
        vendor_update=["state", "completed_at", "size", "sha256", "media_type", "facts"],
    )
    tenant_rls(op, "notification_reads", "tenant", vendor_insert=True, vendor_update=["read_at"])
    tenant_rls(op, "notifications", "tenant", vendor_insert=True)
    tenant_rls(op, "sign_in_attempts", "company", company="", sign_in="SELECT, INSERT")
    tenant_rls(op, "accounts", "company", company="", sign_in="SELECT, INSERT, UPDATE")
    tenant_rls(op, "sign_in_sessions", "company", company="", sign_in="SELECT, INSERT, UPDATE")
    tenant_rls(op, "number_series", "private")
    tenant_rls(
        op,
        "documents",
        "issued",
        vendor_insert=True,
        vendor_update=["file_id", "sha256", "pages", "rendered_at"],
        company="SELECT, INSERT, UPDATE",
    )
    tenant_rls(op, "document_recipients", "issued", vendor_insert=True, vendor_update=["opened_at"])
    _functions()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("document_recipients")
    op.drop_table("documents")
    op.drop_table("number_series")
    op.drop_table("sign_in_sessions")
    op.drop_table("accounts")
    op.drop_table("sign_in_attempts")
    op.drop_table("notifications")
    op.drop_table("notification_reads")
    op.drop_table("stored_files")
    op.drop_table("job_runs")
    op.drop_table("deadlines")
    op.drop_table("published_schemes")
    op.drop_table("internal_schemes")
    op.drop_table("calendar_years")
    op.drop_table("calendar_days")
    op.drop_table("journal_seals")
    op.drop_table("journal_links")
    op.drop_table("journal_entries")
    op.execute("DROP SCHEMA queue CASCADE")
    op.execute(
        "DROP FUNCTION app.verify_document, app.journal_add, app.enqueue, app.document_stays"
    )
