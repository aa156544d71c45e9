"""Numbers that people see: per vendor, kind and Beijing year (ZG-HC-2026-0012).

They count per vendor, so that nobody reads another's volume from a gap.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.kernel import clock
from portal.notices.models import NumberSeries
from tenants.models import Tenant
from tenants.rows import new_id


def next_number(session: Session, tenant_id: UUID, kind: str, at: datetime | None = None) -> str:
    """Take the next number of `kind` (DQ, JH, ZG, TS, FY, KH) in the running transaction."""
    year = clock.beijing(at or clock.now()).year
    taken = session.execute(
        insert(NumberSeries)
        .values(tenant_id=tenant_id, id=new_id(), kind=kind, year=year, last=1)
        .on_conflict_do_update(
            index_elements=["tenant_id", "kind", "year"], set_={"last": NumberSeries.last + 1}
        )
        .returning(NumberSeries.last)
    ).scalar_one()
    code = session.scalar(sa.select(Tenant.code).where(Tenant.id == tenant_id))
    return f"{kind}-{code}-{year}-{taken:04d}"
