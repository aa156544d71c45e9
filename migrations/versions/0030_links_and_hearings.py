"""links that are over are told so; a clip is heard by a person before the form is signed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import role
from tenants.scope import Login

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

UNIQUE = "uq_clip_hearings_tenant_id_finding_id"
UNIQUE_NOW = "uq_clip_hearings_tenant_id_form_id_finding_id_heard_by"


def _form_link(ended: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION app.form_link(wanted bytea)
        RETURNS TABLE (tenant_id uuid, link_id uuid, company_id uuid)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
        $$ SELECT l.tenant_id, l.id, (SELECT c.id FROM tenants c WHERE c.kind = 'company')
             FROM form_links l
             JOIN tenants t ON t.id = l.tenant_id
            WHERE l.token_hash = wanted {ended} AND t.status = 'active' $$
        """


GUARD = """
CREATE FUNCTION app.keep_hearing() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS
$$ BEGIN
     IF OLD.heard_at IS NOT NULL
        OR (to_jsonb(NEW) - 'heard_at') IS DISTINCT FROM (to_jsonb(OLD) - 'heard_at') THEN
       RAISE EXCEPTION 'a hearing on record does not change'
         USING ERRCODE = 'integrity_constraint_violation';
     END IF;
     RETURN NEW;
   END $$
"""


def upgrade() -> None:
    """The public login finds links that ended, too; hearings have a beginning and a listener."""
    op.execute(_form_link(""))
    op.add_column("clip_hearings", sa.Column("sent_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE clip_hearings SET sent_at = heard_at")
    op.alter_column("clip_hearings", "sent_at", nullable=False)
    op.alter_column("clip_hearings", "heard_at", nullable=True)
    op.drop_constraint(UNIQUE, "clip_hearings")
    op.create_unique_constraint(
        UNIQUE_NOW, "clip_hearings", ["tenant_id", "form_id", "finding_id", "heard_by"]
    )
    op.execute(GUARD)
    op.execute(
        "CREATE TRIGGER keep_hearing BEFORE UPDATE ON clip_hearings"
        " FOR EACH ROW EXECUTE FUNCTION app.keep_hearing()"
    )
    op.execute("GRANT UPDATE ON clip_hearings TO " + role(Login.COMPANY))


def downgrade() -> None:
    """As it was; hearings that were only begun go."""
    op.execute("REVOKE UPDATE ON clip_hearings FROM " + role(Login.COMPANY))
    op.execute("DROP TRIGGER keep_hearing ON clip_hearings")
    op.execute("DROP FUNCTION app.keep_hearing()")
    op.drop_constraint(UNIQUE_NOW, "clip_hearings")
    op.execute("DELETE FROM clip_hearings WHERE heard_at IS NULL")
    op.create_unique_constraint(UNIQUE, "clip_hearings", ["tenant_id", "finding_id"])
    op.alter_column("clip_hearings", "heard_at", nullable=False)
    op.drop_column("clip_hearings", "sent_at")
    op.execute(_form_link("AND l.revoked_at IS NULL"))
