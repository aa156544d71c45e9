"""The draw's background work: freezing, and issuing one vendor's request."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.audits.draws import service
from portal.jobs.registry import Job, task


@task("draws.freeze")
def freeze(job: Job, *, draw_id: str) -> dict[str, Any]:
    """Freeze the population of a planned draw."""
    row = service.freeze(job.session, UUID(draw_id))
    return {"population": row.population, "hash": row.population_hash}


@task("draws.issue_request")
def issue_request(job: Job, *, draw_id: str, vendor_id: str) -> dict[str, Any]:
    """Issue the request of one vendor."""
    return {"request_id": str(service.issue_share(job.session, UUID(draw_id), UUID(vendor_id)))}
