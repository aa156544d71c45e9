"""One table for every clock of the portal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.deadlines.rules import DeadlineState, ExtensionState
from tenants.rows import Base, IssuedRow, TenantRow, id_index, one_of, tenant_fk


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


class Extension(TenantRow, Base):
    """A vendor asks for more time before a clock runs out (延期申请), and what became of it.

    `deadline_id` is the clock asked about, `old_due_at` its time then; `told_at`: when the
    company's people were told (a vendor's scope cannot write to their inbox). The company grants
    a date, which may be another than the wanted one, or refuses; both with the reason.
    """

    __tablename__ = "deadline_extensions"
    __table_args__ = (
        tenant_fk("deadline_id", "deadlines"),
        one_of("state", ExtensionState),
        sa.CheckConstraint(
            "(state = 'asked') = (decided_at IS NULL AND decided_by IS NULL)", name="decided_fully"
        ),
        sa.CheckConstraint(
            "(state = 'granted') = (new_due_at IS NOT NULL)", name="granted_has_date"
        ),
        sa.Index(
            "uq_deadline_extensions_one_open",
            "tenant_id",
            "deadline_id",
            unique=True,
            postgresql_where=sa.text("state = 'asked'"),
        ),
        sa.Index("ix_deadline_extensions_deadline", "tenant_id", "deadline_id", "asked_at"),
        sa.Index(
            "ix_deadline_extensions_untold",
            "asked_at",
            postgresql_where=sa.text("told_at IS NULL"),
        ),
        id_index("deadline_extensions"),
    )
    vendor_insert = True

    deadline_id: Mapped[UUID]
    state: Mapped[str]
    reason: Mapped[str]
    old_due_at: Mapped[datetime]
    wanted_at: Mapped[datetime]
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID]
    asked_by_name: Mapped[str]
    told_at: Mapped[datetime | None]
    new_due_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None]
