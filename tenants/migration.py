"""What migrations call for tenancy: policies, grants, and the names of the database roles.

The catalogue test compares what stands in the database with what the models declare, so a
migration that forgets one of these calls fails the build.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Protocol

from tenants.scope import Login

OWN = "tenant_id = (select app.tenant())"
VENDOR_POLICY = {
    "tenant": OWN,
    "shared": OWN,
    "issued": f"{OWN} AND issued_at IS NOT NULL",
    "reference": "true",
    "root": "id = (select app.tenant())",
}
ALL_GRANTS = "SELECT, INSERT, UPDATE, DELETE"


class Operations(Protocol):
    """The part of Alembic's `op` that is needed here."""

    def execute(self, sqltext: str) -> None:
        """Run a statement."""


def role(login: Login) -> str:
    """The database's name of a login role; the prefix is a setting (several installations)."""
    return f"{os.environ.get('PORTAL_DB_ROLE_PREFIX', 'portal')}_{login.value}"


def tenant_rls(
    op: Operations,
    table: str,
    row_class: str,
    *,
    vendor_insert: bool = False,
    vendor_update: Sequence[str] = (),
    vendor_delete: bool = False,
    company: str = ALL_GRANTS,
    sign_in: str = "",
) -> None:
    """Force row-level security on `table` and grant each login what its class allows.

    One policy per database role, never one with OR (design: Tenancy 5).
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    owner, vendor = role(Login.OWNER), role(Login.VENDOR)
    company_role, sign_in_role = role(Login.COMPANY), role(Login.SIGN_IN)
    op.execute(f"CREATE POLICY owner_all ON {table} TO {owner} USING (true) WITH CHECK (true)")
    if company:
        op.execute(
            f"CREATE POLICY company_all ON {table} TO {company_role} USING (true) WITH CHECK (true)"
        )
        op.execute(f"GRANT {company} ON {table} TO {company_role}")
    if sign_in:
        op.execute(
            f"CREATE POLICY signin_all ON {table} TO {sign_in_role} USING (true) WITH CHECK (true)"
        )
        op.execute(f"GRANT {sign_in} ON {table} TO {sign_in_role}")
    if row_class in VENDOR_POLICY:
        rule = VENDOR_POLICY[row_class]
        op.execute(
            f"CREATE POLICY vendor_own ON {table} TO {vendor} USING ({rule}) WITH CHECK ({rule})"
        )
        op.execute(f"GRANT SELECT ON {table} TO {vendor}")
    if vendor_insert:
        op.execute(f"GRANT INSERT ON {table} TO {vendor}")
    if vendor_update:
        op.execute(f"GRANT UPDATE ({', '.join(vendor_update)}) ON {table} TO {vendor}")
    if vendor_delete:
        op.execute(f"GRANT DELETE ON {table} TO {vendor}")
