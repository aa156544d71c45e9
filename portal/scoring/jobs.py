"""A month's scores of every vendor, one transaction each."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from portal.jobs.registry import Job, task
from portal.scoring.models import Score, ScoreState
from portal.scoring.service import compute
from tenants.models import Tenant, TenantKind, TenantStatus


@task("scoring.compute_month")
def compute_month(job: Job, *, period: str) -> dict[str, Any]:
    """Compute the month for every active vendor; issued scores are left as they are."""
    vendors = job.session.scalars(
        sa.select(Tenant.id)
        .where(Tenant.kind == TenantKind.VENDOR, Tenant.status == TenantStatus.ACTIVE)
        .order_by(Tenant.id)
    ).all()
    issued = set(
        job.session.scalars(
            sa.select(Score.tenant_id).where(
                Score.period == period, Score.state == ScoreState.ISSUED
            )
        )
    )
    done = 0
    for number, tenant_id in enumerate(vendors, start=1):
        if tenant_id not in issued:
            compute(job.session, tenant_id=tenant_id, period=period, actor=job.actor)
            done += 1
        job.progress(number, len(vendors))
    return {"computed": done, "left": len(issued)}
