"""One-time links to a person's page of an assessment form (A5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.notices.rules import Choice
from tenants.rows import Base, TenantRow, id_index, one_of, tenant_fk


class FormLink(TenantRow, Base):
    """A secret address by which somebody without an account sees the own findings of one form, and
    acknowledges them (签收).

    Only the token's SHA-256 is kept. The first browser that opens it is the only one
    (`browser_hash`); it ends at `expires_at`, or when a later link or `revoked_at` ends it.
    """

    __tablename__ = "form_links"
    __table_args__ = (
        tenant_fk("form_id", "assessment_forms"),
        one_of("choice", Choice),
        sa.UniqueConstraint("token_hash"),
        sa.Index("ix_form_links_form", "tenant_id", "form_id", "made_at"),
        id_index("form_links"),
    )
    vendor_insert = True
    vendor_update = ("browser_hash", "opened_at", "choice", "note", "answered_at", "revoked_at")

    form_id: Mapped[UUID]
    person_name: Mapped[str]
    staff_no: Mapped[str]
    token_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    made_by_name: Mapped[str]
    expires_at: Mapped[datetime]
    browser_hash: Mapped[bytes | None]
    opened_at: Mapped[datetime | None]
    choice: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
