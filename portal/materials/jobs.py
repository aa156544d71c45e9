"""Check delivered files in the vendor's scope: type, sound, wave form, a copy that plays."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import sqlalchemy as sa

from portal.contacts import service as contacts
from portal.contacts.sheet import TEMPLATE
from portal.files import audio
from portal.files.inspect import Inspection, inspect
from portal.files.models import StoredFile
from portal.files.names import download_name
from portal.files.service import NAME_PLACE, get_file, keep, storage
from portal.files.storage import local_copy, make_key
from portal.files.workbook import read_list
from portal.jobs.registry import Job, task
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.materials.expected import expect_in_open
from portal.materials.kinds import CheckState
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.settling import settle
from portal.materials.uploads import formats_of
from tenants.vault import installed


@task("materials.take_calls", vendor_may=True)
def take_calls(job: Job, *, list_id: str) -> dict[str, Any]:
    """Record the calls of an uploaded list, in the scope of whoever uploaded it, and give each
    connected call its item on the open requests. A repeated job finds the list taken."""
    row = contacts.get_list(job.session, UUID(list_id), lock=True)
    if row.state != "uploaded":
        return dict(row.report.get("counts", {}))
    file = get_file(job.session, row.file_id)
    with local_copy(storage(), file.storage_key) as path:
        table = read_list(path, TEMPLATE)
    taken = contacts.take(job.session, row, table, actor=job.actor)
    added = 0
    if taken.cases:
        added = expect_in_open(job.session, row.tenant_id, taken.cases, actor=job.actor)
    return {**row.report["counts"], "items": added}


@task("materials.check_delivery", vendor_may=True)
def check_delivery(job: Job, *, delivery_id: str) -> dict[str, Any]:
    """Inspect a delivered file in the sandbox and write what was found; a recording gets its
    wave form, and a playable copy when browsers do not know its codec. A repeated job finds the
    result and stops."""
    row = job.session.execute(
        sa.select(Delivery, StoredFile, RequestItem, MaterialRequest)
        .join(
            StoredFile,
            sa.and_(StoredFile.tenant_id == Delivery.tenant_id, StoredFile.id == Delivery.file_id),
        )
        .join(
            RequestItem,
            sa.and_(
                RequestItem.tenant_id == Delivery.tenant_id, RequestItem.id == Delivery.item_id
            ),
        )
        .join(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == Delivery.tenant_id,
                MaterialRequest.id == Delivery.request_id,
            ),
        )
        .where(Delivery.id == UUID(delivery_id))
        .with_for_update(of=Delivery)
    ).first()
    if row is None:
        raise NotFound("delivery")
    delivery, file, item, request = row
    if delivery.check_state != CheckState.PENDING:
        return {"delivery_id": delivery_id}
    key = installed().key(job.session, delivery.tenant_id)
    name = key.open(NAME_PLACE, file.id, file.name_sealed)
    with local_copy(storage(), file.storage_key) as path:
        settle(job.session, delivery, file, path)
        found = inspect(path, name, formats_of(request, item.kind))
        _write(delivery, file, found)
        if found.ok and found.kind is not None and found.kind.is_audio:
            _keep_peaks(delivery, found)
            if not found.facts.get("playable", True):
                _keep_copy(job, delivery, file, path, found)
    return {"delivery_id": delivery_id, "state": delivery.check_state}


def _write(delivery: Delivery, file: StoredFile, found: Inspection) -> None:
    delivery.check_state = CheckState.SOUND if found.ok else CheckState.PROBLEM
    delivery.check_result = {
        "kind": found.kind.value if found.kind else "",
        "problems": [
            {"code": problem.code, "params": dict(problem.params)} for problem in found.problems
        ],
        "facts": dict(found.facts),
        "checked_at": clock.now().isoformat(),
        "virus_scan": "not_scanned",
    }
    file.facts = dict(found.facts)
    file.media_type = found.media_type or "application/octet-stream"


def _keep_peaks(delivery: Delivery, found: Inspection) -> None:
    if found.peaks is None:
        return
    key = make_key(delivery.tenant_id, delivery.delivered_at, of=uuid5(delivery.id, "peaks"))
    storage().put(key, io.BytesIO(found.peaks), length=len(found.peaks))
    delivery.peaks_key = key


def _keep_copy(
    job: Job, delivery: Delivery, file: StoredFile, path: Path, found: Inspection
) -> None:
    """An MP3 copy of a recording in a codec that browsers do not play (ADPCM, G.711)."""
    if found.kind is None:
        return
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        target = Path(folder) / "copy.mp3"
        audio.transcode(path, found.kind.value, target)
        with target.open("rb") as copy:
            made = keep(
                job.session,
                copy,
                tenant_id=delivery.tenant_id,
                purpose="playable_copy",
                original_name=file.safe_name,
                safe_name=f"{download_name(file.safe_name, found.kind).rpartition('.')[0]}.mp3",
                media_type="audio/mpeg",
                actor=job.actor,
                made_from=(uuid5(delivery.id, "copy"), delivery.delivered_at),
            )
    delivery.playable_id = made.id
