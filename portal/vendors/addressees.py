"""Whom a paper for a vendor goes to."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.notices.service import Recipient
from portal.vendors.models import Member


def addressees(session: Session, tenant_id: UUID, parts: Mapping[str, str]) -> list[Recipient]:
    """The vendor's present members with one of these roles, each in the part that the paper gives
    the role."""
    rows = session.scalars(
        sa.select(Member)
        .where(
            Member.tenant_id == tenant_id,
            Member.role.in_(tuple(parts)),
            sa.or_(Member.until.is_(None), Member.until >= clock.today()),
        )
        .order_by(Member.role, Member.staff_no)
    )
    return [Recipient(parts[row.role], row.name, row.account_id) for row in rows]
