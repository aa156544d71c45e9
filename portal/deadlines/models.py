"""One table for every clock of the portal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.deadlines.rules import DeadlineState
from tenants.rows import Base, IssuedRow, id_index, one_of


class Deadline(IssuedRow, Base):
    """A clock: what, who owes it, when it is due and why then, and what became of it.

    `round` counts the clocks of one subject: returned or added items run on a clock of their own.
    A clock that was extended (延期) keeps each earlier date with the reason in `basis`.

    Clocks that a vendor owes carry `issued_at`; the company's own (A5: the form's 3 to 5 working
    days) do not, and do not exist for the vendor. `basis` says which days did not count.
    """

    __tablename__ = "deadlines"
    __table_args__ = (
        one_of("state", DeadlineState),
        one_of("owed_by", ("vendor", "company")),
        sa.UniqueConstraint("tenant_id", "kind", "subject_id", "round"),
        sa.Index("ix_deadlines_open", "due_at", postgresql_where=sa.text("state = 'open'")),
        sa.Index("ix_deadlines_tenant_open", "tenant_id", "state", "due_at"),
        sa.Index("ix_deadlines_subject", "tenant_id", "subject_id"),
        id_index("deadlines"),
    )
    vendor_update = ("state", "met_at", "breached_at")

    kind: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID]
    round: Mapped[int] = mapped_column(default=1)
    label: Mapped[str]
    owed_by: Mapped[str]
    opened_at: Mapped[datetime]
    target_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    basis: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str]
    met_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    reminded: Mapped[list[str]] = mapped_column(JSONB, default=list)
