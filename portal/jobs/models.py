"""What a person sees of background work."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import Base, TenantRow, id_index, one_of


class RunState(StrEnum):
    """A run's states: queued → running → done | failed."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobRun(TenantRow, Base):
    """One run of a task: its progress, and its result or error, in the tenant it works for."""

    __tablename__ = "job_runs"
    __table_args__ = (one_of("state", RunState), id_index("job_runs"))
    vendor_insert = True
    vendor_update = ("state", "done", "total", "result", "error", "started_at", "finished_at")

    task: Mapped[str]
    state: Mapped[str]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    result: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    requested_by: Mapped[UUID]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
