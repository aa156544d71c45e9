"""extensions of any clock, in one table"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from tenants.migration import tenant_rls

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_SUBJECTS = {
    "request_extensions": ("request_id", "material_requests"),
    "rectification_extensions": ("rectification_id", "rectifications"),
}
_COLUMNS = (
    "tenant_id, id, deadline_id, state, reason, old_due_at, wanted_at, asked_at, asked_by,"
    " asked_by_name, told_at, new_due_at, decision_note, decided_at, decided_by, decided_by_name"
)


def _create(table: str, *more: sa.schema.SchemaItem) -> None:
    """A table of extensions, with what else one of the former tables has."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        table,
        sa.Column("deadline_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("old_due_at", moment, nullable=False),
        sa.Column("wanted_at", moment, nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("asked_by", sa.Uuid(), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("told_at", moment, nullable=True),
        sa.Column("new_due_at", moment, nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.Text(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'asked') = (decided_at IS NULL AND decided_by IS NULL)",
            name=op.f(f"ck_{table}_decided_fully"),
        ),
        sa.CheckConstraint(
            "(state = 'granted') = (new_due_at IS NOT NULL)",
            name=op.f(f"ck_{table}_granted_has_date"),
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'granted', 'refused')", name=op.f(f"ck_{table}_state_known")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "deadline_id"],
            ["deadlines.tenant_id", "deadlines.id"],
            name=op.f(f"fk_{table}_tenant_id_deadline_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
        *more,
    )
    op.create_index(f"ix_{table}_id", table, ["id"])
    tenant_rls(op, table, "tenant", vendor_insert=True)


def _indexes(table: str, place: tuple[str, str], one_open: str, *, untold: bool) -> None:
    """`place`: the index by which a subject's extensions are found, its name and column."""
    name, column = place
    op.create_index(f"ix_{table}_{name}", table, ["tenant_id", column, "asked_at"])
    op.create_index(
        f"uq_{table}_one_open",
        table,
        ["tenant_id", one_open],
        unique=True,
        postgresql_where=sa.text("state = 'asked'"),
    )
    if untold:
        op.create_index(
            f"ix_{table}_untold", table, ["asked_at"], postgresql_where=sa.text("told_at IS NULL")
        )


def upgrade() -> None:
    """One table beside the clocks; what the two slices had moves there."""
    table = "deadline_extensions"
    _create(table)
    _indexes(table, ("deadline", "deadline_id"), "deadline_id", untold=True)
    for former in _SUBJECTS:
        op.execute(f"INSERT INTO {table} ({_COLUMNS}) SELECT {_COLUMNS} FROM {former}")
        op.drop_table(former)


def downgrade() -> None:
    """Each slice has its own again."""
    for table, (column, owner) in _SUBJECTS.items():
        _create(
            table,
            sa.Column(column, sa.Uuid(), nullable=False),
            sa.ForeignKeyConstraint(
                ["tenant_id", column],
                [f"{owner}.tenant_id", f"{owner}.id"],
                name=op.f(f"fk_{table}_tenant_id_{column}"),
            ),
        )
        of_requests = owner == "material_requests"
        name = "request" if of_requests else "notice"
        one_open = column if of_requests else "deadline_id"
        _indexes(table, (name, column), one_open, untold=not of_requests)
        kept = ", ".join(f"e.{one.strip()}" for one in _COLUMNS.split(","))
        op.execute(
            f"INSERT INTO {table} ({_COLUMNS}, {column}) SELECT {kept}, d.subject_id"
            " FROM deadline_extensions e JOIN deadlines d"
            " ON d.tenant_id = e.tenant_id AND d.id = e.deadline_id"
            f" WHERE EXISTS (SELECT FROM {owner} o"
            " WHERE o.tenant_id = d.tenant_id AND o.id = d.subject_id)"
        )
    op.drop_table("deadline_extensions")
