"""Check delivered files in the vendor's scope: type, sound, wave form, a copy that plays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.contacts import service as contacts
from portal.contacts.sheet import TEMPLATE
from portal.files.models import StoredFile
from portal.files.service import get_file, storage
from portal.files.storage import local_copy
from portal.files.workbook import read_list
from portal.jobs.registry import Job, task
from portal.kernel.access import Actor
from portal.kernel.errors import NotFound
from portal.materials.copies import copy_later
from portal.materials.expected import expect_in_open
from portal.materials.kinds import CheckState
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.queries import file_of_delivery, item_of_delivery, request_of_item
from portal.materials.verifying import Checked, verify


@task("materials.take_calls", vendor_may=True)
def take_calls(job: Job, *, list_id: str) -> dict[str, Any]:
    """Record the calls of an uploaded list, in the scope and the name of whoever uploaded it, and
    give each connected call its item on the open requests. A repeated job finds the list taken."""
    row = contacts.get_list(job.session, UUID(list_id), lock=True)
    if row.state != "uploaded":
        return dict(row.report.get("counts", {}))
    file = get_file(job.session, row.file_id)
    with local_copy(storage(), file.storage_key) as path:
        table = read_list(path, TEMPLATE)
    by = Actor(row.uploaded_by, row.uploaded_by_name, job.actor.tenant_id, job.actor.company_id)
    taken = contacts.take(job.session, row, table, actor=by)
    added = 0
    if taken.cases:
        added = expect_in_open(job.session, row.tenant_id, taken.cases, actor=by)
    return {**row.report["counts"], "items": added}


@task("materials.check_delivery", vendor_may=True)
def check_delivery(job: Job, *, delivery_id: str) -> dict[str, Any]:
    """Inspect a delivered file in the sandbox and write what was found; a recording gets its
    wave form, and a playable copy when browsers do not know its codec (if it is long, by the job
    below). A repeated job finds the result and stops."""
    row = job.session.execute(
        sa.select(Delivery, StoredFile, RequestItem, MaterialRequest)
        .join(StoredFile, file_of_delivery())
        .join(RequestItem, item_of_delivery())
        .join(MaterialRequest, request_of_item())
        .where(Delivery.id == UUID(delivery_id))
        .with_for_update(of=Delivery)
    ).first()
    if row is None:
        raise NotFound("delivery")
    delivery, file, item, request = row
    if delivery.check_state != CheckState.PENDING:
        return {"delivery_id": delivery_id}
    verify(job.session, Checked(delivery, file, item, request), actor=job.actor)
    return {"delivery_id": delivery_id, "state": delivery.check_state}


@task("materials.copy_recording", vendor_may=True)
def copy_recording(job: Job, *, delivery_id: str) -> dict[str, Any]:
    """Make the copy that browsers play of a long recording whose check is done."""
    copy_later(job.session, UUID(delivery_id), actor=job.actor)
    return {"delivery_id": delivery_id}
