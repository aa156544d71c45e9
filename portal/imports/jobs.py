"""The background work of a kind of import: checking a file, and taking it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.imports.kinds import Found, Row
from portal.imports.service import ImportFlow
from portal.jobs.registry import Job, task


def register(flow: ImportFlow[Row, Found]) -> None:
    """Register the two tasks of the kind, `<name>.check_import` and `<name>.take_import`."""

    def check_import(job: Job, *, import_id: str) -> dict[str, Any]:
        """Check the file of an import; the result is the counts of its rows."""
        return flow.check(job.session, UUID(import_id), job.progress)

    def take_import(job: Job, *, import_id: str) -> dict[str, Any]:
        """Take the good rows of a confirmed import."""
        return flow.take(job.session, UUID(import_id), job.progress)

    task(f"{flow.kind.name}.check_import")(check_import)
    task(f"{flow.kind.name}.take_import")(take_import)
