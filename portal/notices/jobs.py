"""Render an issued paper in the scope of the vendor it goes to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.files.service import keep
from portal.jobs.registry import Job, task
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.notices.models import Document
from portal.notices.render import render


@task("notices.render", vendor_may=True)
def render_document(job: Job, *, document_id: str) -> dict[str, Any]:
    """Make the PDF of a document, once: a repeated job finds the file and stops."""
    document = job.session.scalars(
        sa.select(Document).where(Document.id == UUID(document_id)).with_for_update()
    ).first()
    if document is None:
        raise NotFound("document")
    if document.file_id is None:
        made = render(document.template, document.content, document.locale)
        row = keep(
            job.session,
            made.pdf,
            tenant_id=document.tenant_id,
            purpose="document",
            original_name=f"{document.number}.pdf",
            safe_name=f"{document.number}.pdf",
            media_type="application/pdf",
            actor=job.actor,
            made_from=(document.id, document.issued_at or clock.now()),
        )
        document.file_id, document.sha256 = row.id, made.sha256
        document.pages, document.rendered_at = made.pages, clock.now()
    return {"document_id": document_id, "file_id": str(document.file_id)}
