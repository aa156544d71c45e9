"""signatures, revisions, acknowledgements, steps and seals of papers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import role, tenant_rls
from tenants.scope import Login

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FROZEN = (
    "document_revisions",
    "document_steps",
    "document_scans",
    "document_seals",
    "seal_versions",
)
NEW_COLUMNS = ("supersedes_id", "seal_wanted", "signed_at", "signed_by", "stamped")
MADE = "file_id,sha256,pages,rendered_at,signed_at,signed_by,stamped"
MADE_BEFORE = "file_id,sha256,pages,rendered_at"


def _widen_documents() -> None:
    """What a document supersedes, whether it waits for a seal, and who signed it."""
    op.add_column("documents", sa.Column("supersedes_id", sa.Uuid(), nullable=True))
    op.add_column(
        "documents",
        sa.Column("seal_wanted", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("documents", "seal_wanted", server_default=None)
    op.add_column("documents", sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("documents", sa.Column("signed_by", sa.Text(), nullable=True))
    op.add_column("documents", sa.Column("stamped", sa.Boolean(), nullable=True))
    op.create_unique_constraint(
        "uq_documents_tenant_id_supersedes_id", "documents", ["tenant_id", "supersedes_id"]
    )
    op.create_foreign_key(
        "fk_documents_tenant_id_supersedes_id",
        "documents",
        "documents",
        ["tenant_id", "supersedes_id"],
        ["tenant_id", "id"],
    )
    op.execute(f"GRANT UPDATE (signed_at, signed_by, stamped) ON documents TO {role(Login.VENDOR)}")
    _document_stays(MADE)


def _document_stays(made: str) -> None:
    """An issued paper does not change: what is made of it is set once, nothing else ever."""
    op.execute(
        f"""
        CREATE OR REPLACE FUNCTION app.document_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (to_jsonb(NEW) - '{{{made}}}'::text[])
               IS DISTINCT FROM (to_jsonb(OLD) - '{{{made}}}'::text[])
               OR OLD.file_id IS NOT NULL THEN
                RAISE EXCEPTION 'an issued document does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )


def _verify_function() -> None:
    """What the public login may ask: one paper by its code, its hashes, what became of it."""
    op.execute("DROP FUNCTION app.verify_document(text)")
    op.execute(
        """
        CREATE FUNCTION app.verify_document(wanted text)
        RETURNS TABLE (number text, issued_at timestamptz, hashes text[], signed_by text,
                       signed_at timestamptz, stamped boolean, acknowledged_at timestamptz[],
                       superseded_by text, superseded_at timestamptz, supersedes text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
        $$ SELECT d.number, d.issued_at,
                  coalesce((SELECT array_agg(r.sha256 ORDER BY r.revision)
                            FROM document_revisions r
                            WHERE r.tenant_id = d.tenant_id AND r.document_id = d.id),
                           array_remove(ARRAY[d.sha256], NULL)),
                  d.signed_by, d.signed_at, d.stamped,
                  (SELECT array_agg(a.acknowledged_at ORDER BY a.acknowledged_at)
                   FROM acknowledgements a
                   WHERE a.tenant_id = d.tenant_id AND a.document_id = d.id),
                  next.number, next.issued_at, former.number
           FROM documents d
           LEFT JOIN documents next
             ON next.tenant_id = d.tenant_id AND next.supersedes_id = d.id
                AND next.issued_at IS NOT NULL
           LEFT JOIN documents former
             ON former.tenant_id = d.tenant_id AND former.id = d.supersedes_id
           WHERE d.verify_code = wanted AND d.issued_at IS NOT NULL $$
        """
    )
    _grant_verify()


def _grant_verify() -> None:
    op.execute("REVOKE ALL ON FUNCTION app.verify_document(text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION app.verify_document(text) TO {role(Login.PUBLIC)}")


def _stay() -> None:
    """Revisions, steps, scans, granted seals and seals' pictures are added, never changed; of an
    acknowledgement only the revision that bears it is set, once."""
    op.execute(
        """
        CREATE FUNCTION app.paper_record_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'what belongs to an issued document does not change'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    for table in FROZEN:
        op.execute(
            f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION app.paper_record_stays()"
        )
    op.execute(
        """
        CREATE FUNCTION app.acknowledgement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.revision IS NOT NULL
               OR to_jsonb(NEW) - 'revision' IS DISTINCT FROM to_jsonb(OLD) - 'revision' THEN
                RAISE EXCEPTION 'an acknowledgement does not change'
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER acknowledgements_stay BEFORE UPDATE OR DELETE ON acknowledgements"
        " FOR EACH ROW EXECUTE FUNCTION app.acknowledgement_stays()"
    )


def _first_revisions() -> None:
    """Papers of before have their first revision too."""
    op.execute(
        """
        INSERT INTO document_revisions (tenant_id, id, document_id, revision, file_id, sha256,
                                        signatures, made_at, issued_at)
        SELECT tenant_id, gen_random_uuid(), id, 1, file_id, sha256, 0,
               coalesce(rendered_at, issued_at), issued_at
        FROM documents WHERE file_id IS NOT NULL AND sha256 IS NOT NULL
        """
    )


def upgrade() -> None:
    """Create the tables, their policies and grants."""
    _widen_documents()
    op.create_table(
        "paper_languages",
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "locale IN ('zh_Hans_CN', 'zh_Hant_TW', 'en')",
            name=op.f("ck_paper_languages_locale_known"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_paper_languages")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_paper_languages_tenant_id")),
    )
    op.create_table(
        "seals",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seals")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_seals_tenant_id_name")),
    )
    op.create_table(
        "seal_rules",
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("seal_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "seal_id"],
            ["seals.tenant_id", "seals.id"],
            name=op.f("fk_seal_rules_tenant_id_seal_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seal_rules")),
        sa.UniqueConstraint("tenant_id", "template", name=op.f("uq_seal_rules_tenant_id_template")),
    )
    op.create_table(
        "seal_versions",
        sa.Column("seal_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("added_by_name", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "seal_id"],
            ["seals.tenant_id", "seals.id"],
            name=op.f("fk_seal_versions_tenant_id_seal_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seal_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "seal_id",
            "version",
            name=op.f("uq_seal_versions_tenant_id_seal_id_version"),
        ),
    )
    op.create_table(
        "acknowledgements",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "choice IN ('no_objection', 'appeal')", name=op.f("ck_acknowledgements_choice_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_acknowledgements_tenant_id_document_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_acknowledgements")),
        sa.UniqueConstraint(
            "tenant_id",
            "document_id",
            "account_id",
            name=op.f("uq_acknowledgements_tenant_id_document_id_account_id"),
        ),
    )
    op.create_table(
        "document_revisions",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("signatures", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_document_revisions_tenant_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_document_revisions_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_document_revisions")),
        sa.UniqueConstraint(
            "tenant_id",
            "document_id",
            "revision",
            name=op.f("uq_document_revisions_tenant_id_document_id_revision"),
        ),
    )
    op.create_table(
        "document_scans",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("added_by_name", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_document_scans_tenant_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "file_id"],
            ["stored_files.tenant_id", "stored_files.id"],
            name=op.f("fk_document_scans_tenant_id_file_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_document_scans")),
    )
    op.create_index(
        "ix_document_scans_document", "document_scans", ["tenant_id", "document_id"], unique=False
    )
    op.create_index("ix_document_scans_id", "document_scans", ["id"], unique=False)
    op.create_table(
        "document_seals",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("seal_name", sa.Text(), nullable=False),
        sa.Column("seal_version", sa.Integer(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by_name", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("picture", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_document_seals_tenant_id_document_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_document_seals")),
        sa.UniqueConstraint(
            "tenant_id", "document_id", name=op.f("uq_document_seals_tenant_id_document_id")
        ),
    )
    op.create_table(
        "document_steps",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('mailed', 'opened', 'escalated', 'served')",
            name=op.f("ck_document_steps_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_document_steps_tenant_id_document_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_document_steps")),
    )
    op.create_index(
        "ix_document_steps_document",
        "document_steps",
        ["tenant_id", "document_id", "at"],
        unique=False,
    )
    op.create_table(
        "seal_uses",
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("seal_id", sa.Uuid(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('asked', 'granted', 'refused')", name=op.f("ck_seal_uses_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["documents.tenant_id", "documents.id"],
            name=op.f("fk_seal_uses_tenant_id_document_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seal_uses")),
        sa.UniqueConstraint(
            "tenant_id", "document_id", name=op.f("uq_seal_uses_tenant_id_document_id")
        ),
    )
    op.create_index("ix_seal_uses_id", "seal_uses", ["id"], unique=False)
    op.create_index("ix_seal_uses_state", "seal_uses", ["state", "asked_at"], unique=False)
    tenant_rls(op, "paper_languages", "shared")
    tenant_rls(op, "seals", "company", company="SELECT, INSERT, UPDATE")
    tenant_rls(op, "seal_rules", "company")
    tenant_rls(op, "seal_versions", "company", company="SELECT, INSERT")
    tenant_rls(
        op,
        "acknowledgements",
        "issued",
        vendor_insert=True,
        vendor_update=["revision"],
        company="SELECT",
    )
    tenant_rls(op, "document_revisions", "issued", vendor_insert=True, company="SELECT, INSERT")
    tenant_rls(op, "document_scans", "issued", vendor_insert=True, company="SELECT")
    tenant_rls(op, "document_seals", "issued", company="SELECT, INSERT")
    tenant_rls(op, "document_steps", "issued", vendor_insert=True, company="SELECT, INSERT")
    tenant_rls(op, "seal_uses", "private", company="SELECT, INSERT, UPDATE")
    _first_revisions()
    _stay()
    _verify_function()


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("seal_uses")
    op.drop_table("document_steps")
    op.drop_table("document_seals")
    op.drop_table("document_scans")
    op.drop_table("document_revisions")
    op.drop_table("acknowledgements")
    op.drop_table("seal_versions")
    op.drop_table("seal_rules")
    op.drop_table("seals")
    op.drop_table("paper_languages")
    op.execute("DROP FUNCTION app.paper_record_stays()")
    op.execute("DROP FUNCTION app.acknowledgement_stays()")
    op.execute("DROP FUNCTION app.verify_document(text)")
    for column in NEW_COLUMNS:
        op.drop_column("documents", column)
    _document_stays(MADE_BEFORE)
    op.execute(
        """
        CREATE FUNCTION app.verify_document(wanted text)
        RETURNS TABLE (number text, issued_at timestamptz, sha256 text)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
        $$ SELECT d.number, d.issued_at, d.sha256 FROM documents d
           WHERE d.verify_code = wanted AND d.issued_at IS NOT NULL $$
        """
    )
    _grant_verify()
