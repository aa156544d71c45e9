"""The deletion of what is beyond its time, as a job (company scope)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.jobs.registry import Job, task
from portal.retention import service


@task("retention.delete")
def delete(job: Job, *, vendor_id: str, by_name: str) -> dict[str, Any]:
    """Delete a vendor's things that are due. A repeated job finds nothing left to do."""
    return dict(
        service.delete(job.session, UUID(vendor_id), job.run_id, by_name=by_name, actor=job.actor)
    )
