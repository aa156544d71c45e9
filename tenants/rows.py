"""Table classes: what a vendor may do with the rows of a table.

Every mapped class inherits exactly one of the six row classes. The class decides the row-level
policy and the grants that the migrations write, the criteria that the session adds to every
query of a vendor, and what the isolation tests try.

==============  ===========================================================================
`TenantRow`     a vendor reads its own rows and writes what `vendor_insert`/`vendor_update` name
`IssuedRow`     the same once `issued_at` is set; before that the row does not exist for it
`SharedRow`     a vendor reads its own rows and writes none
`PrivateRow`    rows about a vendor that it may not see: notes, drafts, sampling plans
`CompanyRow`    the company's own rows: schemes, settings
`ReferenceRow`  the company's published rows that every vendor may read: calendar, clauses
==============  ===========================================================================
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base of every table of the portal."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: sa.DateTime(timezone=True),
        str: sa.Text(),
        bytes: sa.LargeBinary(),
    }


def new_id() -> UUID:
    """A time-ordered id (UUIDv7)."""
    return uuid7()


class Row:
    """What all tenanted tables share: the composite key, and a plain index on `id` for the company.

    The key starts with `tenant_id`, so that a reference across tenants cannot be stored.
    """

    row_class: ClassVar[str]
    vendor_insert: ClassVar[bool] = False
    vendor_update: ClassVar[tuple[str, ...]] = ()
    vendor_delete: ClassVar[bool] = False
    company_grants: ClassVar[str] = "SELECT, INSERT, UPDATE, DELETE"
    sign_in_grants: ClassVar[str] = ""

    tenant_id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True, default=new_id)


class TenantRow(Row):
    """A vendor reads its own rows, and writes what the class attributes grant."""

    row_class = "tenant"


class IssuedRow(Row):
    """A vendor reads its own rows once `issued_at` is set."""

    row_class = "issued"

    issued_at: Mapped[datetime | None] = mapped_column(default=None)


class SharedRow(Row):
    """A vendor reads its own rows."""

    row_class = "shared"


class PrivateRow(Row):
    """About a vendor, but not for it."""

    row_class = "private"


class CompanyRow(Row):
    """The company's own."""

    row_class = "company"


class ReferenceRow(Row):
    """Published by the company to every vendor alike; holds nothing of any vendor."""

    row_class = "reference"


ROW_CLASSES: tuple[type[Row], ...] = (
    TenantRow,
    IssuedRow,
    SharedRow,
    PrivateRow,
    CompanyRow,
    ReferenceRow,
)


def tenant_fk(column: str, target: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """A reference that cannot leave the tenant: `(tenant_id, column)` → `(tenant_id, id)`."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], ondelete=ondelete
    )


def id_index(table: str) -> sa.Index:
    """The plain index on `id` by which the company finds a row whose vendor it does not know."""
    return sa.Index(f"ix_{table}_id", "id")


def one_of(column: str, values: type | tuple[str, ...], *, name: str | None = None) -> Any:
    """A CHECK that `column` is one of `values` (text with a CHECK, not ENUM: only leak-proof
    operators reach an index under row-level security)."""
    items = tuple(str(getattr(v, "value", v)) for v in values)  # type: ignore[union-attr]
    listed = ", ".join("'" + item.replace("'", "''") + "'" for item in items)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=name or f"{column}_known")
