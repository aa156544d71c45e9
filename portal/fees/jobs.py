"""A month's statements of every vendor with an issued score."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.fees.service import prepare
from portal.jobs.registry import Job, task
from portal.kernel.access import Actor
from portal.scoring.models import Score, ScoreState


@task("fees.prepare_month")
def prepare_month(job: Job, *, period: str, account_id: str, name: str) -> dict[str, Any]:
    """Prepare the month for every vendor whose score is issued; confirmed ones stay."""
    vendors = job.session.scalars(
        sa.select(Score.tenant_id)
        .where(Score.period == period, Score.state == ScoreState.ISSUED)
        .order_by(Score.tenant_id)
    ).all()
    asked = Actor(UUID(account_id), name, job.actor.tenant_id, job.actor.company_id)
    done = 0
    for number, tenant_id in enumerate(vendors, start=1):
        done += len(prepare(job.session, tenant_id=tenant_id, period=period, actor=asked))
        job.progress(number, len(vendors))
    return {"prepared": done, "vendors": len(vendors)}
