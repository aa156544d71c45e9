"""The import's background work: checking a file, and taking it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.jobs.registry import Job, task
from portal.receipts.imports import service


@task("receipts.check_import")
def check_import(job: Job, *, import_id: str) -> dict[str, Any]:
    """Check the file of an import; the result is the counts of its rows."""
    return service.check(job.session, UUID(import_id), job.progress)


@task("receipts.take_import")
def take_import(job: Job, *, import_id: str) -> dict[str, Any]:
    """Record the good rows of a confirmed import."""
    return service.take(job.session, UUID(import_id), job.progress)
