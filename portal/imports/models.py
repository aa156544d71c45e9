"""Columns that every import's tables share; each slice maps its own tables from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from tenants.rows import CompanyRow

STATES = ("uploaded", "checked", "taking", "taken", "refused")


class ImportRow(CompanyRow):
    """An uploaded file: checked by a job, confirmed by a person, taken by a job.

    `report` holds counts and problems of the whole file, never a cell's personal data.
    """

    file_id: Mapped[UUID]
    sha256: Mapped[str]
    safe_name: Mapped[str]
    state: Mapped[str]
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    run_id: Mapped[UUID | None]
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[UUID]
    uploaded_by_name: Mapped[str]
    taken_at: Mapped[datetime | None]
    taken_by: Mapped[UUID | None]
    taken_by_name: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


class RemarkRow(CompanyRow):
    """What the check says of one cell, named as Excel shows it; never what the cell of a personal
    column holds. A table with a column `note` keeps also what is taken but to be known."""

    import_id: Mapped[UUID]
    position: Mapped[int]
    row_number: Mapped[int]
    letter: Mapped[str]
    title: Mapped[str]
    code: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSONB)
    shown: Mapped[str]
