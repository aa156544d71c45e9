"""Draft a migration that creates the tables of one module, with their tenancy.

`python -m migrations.draft 0005 vendors portal.vendors.models` writes
`migrations/versions/0005_vendors.py`, following the highest lower number. What is drafted is read,
completed by hand where a table needs more (triggers, functions), and then never changed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.migration import MigrationContext
from alembic.operations import ops
from sqlalchemy.dialects import postgresql

from portal.app.tables import METADATA, rows

VERSIONS = Path(__file__).parent / "versions"
HEAD = '''"""{title}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.migration import tenant_rls

revision = "{number}"
down_revision = {down}
branch_labels = None
depends_on = None

'''


def tables_of(module: str) -> list[sa.Table]:
    """The module's tables, referenced ones first."""
    names = {
        mapper.local_table.name for mapper in METADATA_MAPPERS if mapper.class_.__module__ == module
    }
    return [table for table in METADATA.sorted_tables if table.name in names]


METADATA_MAPPERS = next(iter(rows().values())).registry.mappers  # type: ignore[attr-defined]


def _rls_call(table: str) -> str:
    row = rows().get(table)
    if row is None:
        return f'    tenant_rls(op, "{table}", "root", company="SELECT, INSERT, UPDATE")\n'
    extra = ""
    if row.vendor_insert:
        extra += ", vendor_insert=True"
    if row.vendor_update:
        extra += f", vendor_update={list(row.vendor_update)!r}"
    if row.vendor_delete:
        extra += ", vendor_delete=True"
    if row.company_grants != "SELECT, INSERT, UPDATE, DELETE":
        extra += f', company="{row.company_grants}"'
    if row.sign_in_grants:
        extra += f', sign_in="{row.sign_in_grants}"'
    return f'    tenant_rls(op, "{table}", "{row.row_class}"{extra})\n'


def draft(number: str, title: str, modules: list[str]) -> Path:
    """Write the migration; returns its path."""
    context = MigrationContext.configure(
        dialect=postgresql.dialect(),
        opts={"target_metadata": METADATA, "sqlalchemy_module_prefix": "sa."},
    )
    tables = [table for module in modules for table in tables_of(module)]
    body: list[Any] = []
    for table in tables:
        body.append(ops.CreateTableOp.from_table(table))
        body.extend(
            ops.CreateIndexOp.from_index(index)
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        )
    code = render_python_code(
        ops.UpgradeOps(body), migration_context=context, render_as_batch=False
    )
    drop = "\n".join(f'    op.drop_table("{table.name}")' for table in reversed(tables))
    earlier = sorted(p.name[:4] for p in VERSIONS.glob("[0-9]*.py") if p.name[:4] < number)
    down = f'"{earlier[-1]}"' if earlier else "None"
    text = HEAD.format(title=title, number=number, down=down)
    text += 'def upgrade() -> None:\n    """Create the tables, their policies and grants."""\n    '
    text += code.lstrip() + "\n" + "".join(_rls_call(table.name) for table in tables)
    text += '\n\ndef downgrade() -> None:\n    """Drop the tables."""\n' + drop + "\n"
    path = VERSIONS / f"{number}_{title}.py"
    path.write_text(text, encoding="utf-8")
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{draft(sys.argv[1], sys.argv[2], sys.argv[3:])}\n")
