"""The working-day calendar: what differs from Monday-to-Friday, and which years are confirmed."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped

from tenants.rows import Base, ReferenceRow, one_of


class CalendarDay(ReferenceRow, Base):
    """A public holiday, or a make-up working day (调休)."""

    __tablename__ = "calendar_days"
    __table_args__ = (
        one_of("kind", ("holiday", "make_up")),
        sa.UniqueConstraint("tenant_id", "day"),
    )

    day: Mapped[date]
    kind: Mapped[str]
    name: Mapped[str]


class CalendarYear(ReferenceRow, Base):
    """A year whose days somebody confirmed. A year without refuses to give a date."""

    __tablename__ = "calendar_years"
    __table_args__ = (sa.UniqueConstraint("tenant_id", "year"),)

    year: Mapped[int]
    confirmed_by_name: Mapped[str]
    confirmed_at: Mapped[datetime]
