"""Contact records: the calls of a case, by the dialler's lists of vendor and company (A3, C3.3)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.contacts.rules import Direction
from tenants.rows import Base, IssuedRow, TenantRow, id_index, one_of, tenant_fk


class CallList(IssuedRow, Base):
    """A dialler's list (话单) that was imported for a vendor, by the vendor or by the company.

    `issued_at` is set on the vendor's own lists only: of the company's it sees nothing but the
    calls that are expected. `report` holds counts, problems of the whole file and the wrong cells
    (never what a cell of a personal column holds).
    """

    __tablename__ = "call_lists"
    __table_args__ = (
        tenant_fk("file_id", "stored_files"),
        one_of("state", ("uploaded", "taken", "refused")),
        sa.Index("ix_call_lists_tenant", "tenant_id", "uploaded_at", "id"),
        id_index("call_lists"),
    )
    vendor_insert = True
    vendor_update = ("state", "report", "run_id", "taken_at")

    file_id: Mapped[UUID]
    sha256: Mapped[str]
    safe_name: Mapped[str]
    by_company: Mapped[bool]
    state: Mapped[str]
    report: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    run_id: Mapped[UUID | None]
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[UUID]
    uploaded_by_name: Mapped[str]
    taken_at: Mapped[datetime | None]


class CallRecord(TenantRow, Base):
    """One call of a case, as a list tells of it. Never removed; a later list only adds to it.

    The number stands encrypted, masked and as a blind index, and so does the dialler's call id,
    which often holds the number. `seconds` is the talk's length. `vendor_list_id` and
    `company_list_id` say whose list has it: what the company's has and the vendor's lacks is shown
    to the company.
    """

    __tablename__ = "call_records"
    __table_args__ = (
        tenant_fk("case_id", "cases"),
        tenant_fk("vendor_list_id", "call_lists"),
        tenant_fk("company_list_id", "call_lists"),
        one_of("direction", Direction),
        sa.CheckConstraint("seconds >= 0", name="seconds_not_negative"),
        sa.UniqueConstraint("tenant_id", "call_index"),
        sa.Index("ix_call_records_case", "tenant_id", "case_id", "started_at"),
        id_index("call_records"),
    )
    vendor_insert = True
    vendor_update = ("vendor_list_id",)

    case_id: Mapped[UUID]
    call_sealed: Mapped[bytes | None]
    call_shown: Mapped[str]
    call_index: Mapped[bytes | None]
    phone_sealed: Mapped[bytes]
    phone_masked: Mapped[str]
    phone_index: Mapped[bytes]
    extension: Mapped[str]
    agent: Mapped[str]
    started_at: Mapped[datetime]
    seconds: Mapped[int]
    connected: Mapped[bool]
    direction: Mapped[str]
    vendor_list_id: Mapped[UUID | None]
    company_list_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
