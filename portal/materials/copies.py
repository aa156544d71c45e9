"""What a checked file is heard and seen by: wave form, playable copy, re-encoded picture.

A recording that browsers do not play can be listened to when its copy is there. A short one has it
with its check; a long one gets it by a job of its own, so that what was found shows in seconds.
"""

from __future__ import annotations

import io
import logging
import tempfile
from pathlib import Path
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files import audio, images
from portal.files.kinds import FileKind, kind_of_name
from portal.files.models import StoredFile
from portal.files.names import display_name
from portal.files.service import get_file, keep, storage
from portal.files.storage import local_copy, make_key
from portal.jobs.service import enqueue
from portal.kernel.access import Actor
from portal.materials.models import Delivery

AT_ONCE = 600.0
"""Seconds of a recording that are copied within its check."""

log = logging.getLogger(__name__)


def keep_sound(
    session: Session,
    delivery: Delivery,
    file: StoredFile,
    path: Path,
    peaks: bytes,
    *,
    actor: Actor,
) -> None:
    """Make a checked recording (facts in `check_result`) fit to be listened to, now or by a job."""
    facts = delivery.check_result["facts"]
    if facts.get("playable", True):
        _keep_peaks(delivery, peaks)
    elif facts["duration"] <= AT_ONCE:
        _keep_copy(session, delivery, file, path, peaks, actor=actor)
    else:
        delivery.check_result = {**delivery.check_result, "copy": "waiting"}
        enqueue(
            session,
            "materials.copy_recording",
            {"delivery_id": str(delivery.id)},
            actor=actor,
            tenant_id=delivery.tenant_id,
        )


def copy_later(session: Session, delivery_id: UUID, *, actor: Actor) -> None:
    """Make the copy of a long recording. A repeated job finds it and stops."""
    delivery = session.scalars(
        sa.select(Delivery).where(Delivery.id == delivery_id).with_for_update()
    ).one()
    if delivery.check_result.get("copy") != "waiting":
        return
    file = get_file(session, delivery.file_id)
    with local_copy(storage(), file.storage_key) as path:
        peaks = audio.peaks(path, delivery.check_result["kind"])
        _keep_copy(session, delivery, file, path, peaks, actor=actor)
    rest = {name: said for name, said in delivery.check_result.items() if name != "copy"}
    delivery.check_result = rest


def keep_image(
    session: Session,
    delivery: Delivery,
    file: StoredFile,
    path: Path,
    kind: FileKind,
    *,
    actor: Actor,
) -> None:
    """A picture re-encoded, without metadata or anything behind it: what is shown in a page."""
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        target = Path(folder) / "copy"
        images.clean_copy(path, kind.value, target)
        ending = kind.extensions[0]
        delivery.playable_id = _kept(
            session, delivery, file, target, "clean_copy", ending, actor=actor
        )


def _keep_peaks(delivery: Delivery, peaks: bytes) -> None:
    key = make_key(delivery.tenant_id, delivery.delivered_at, of=uuid5(delivery.id, "peaks"))
    storage().put(key, io.BytesIO(peaks), length=len(peaks))
    delivery.peaks_key = key


def _keep_copy(
    session: Session,
    delivery: Delivery,
    file: StoredFile,
    path: Path,
    peaks: bytes,
    *,
    actor: Actor,
) -> None:
    """An MP3 copy of a recording in a codec that browsers do not play (ADPCM, G.711, GSM, AMR).
    Where none can be made, the recording can be downloaded and not listened to."""
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        target = Path(folder) / "copy.mp3"
        try:
            audio.transcode(path, delivery.check_result["kind"], target)
        except ValueError as error:
            log.warning("delivery %s has no playable copy: %s", delivery.id, error)
            return
        delivery.playable_id = _kept(
            session, delivery, file, target, "playable_copy", "mp3", actor=actor
        )
    _keep_peaks(delivery, peaks)


def _kept(
    session: Session,
    delivery: Delivery,
    file: StoredFile,
    target: Path,
    purpose: str,
    ending: str,
    *,
    actor: Actor,
) -> UUID:
    kind = kind_of_name(f"copy.{ending}")
    stem, _dot, _ending = file.safe_name.rpartition(".")
    with target.open("rb") as copy:
        made = keep(
            session,
            copy,
            tenant_id=delivery.tenant_id,
            purpose=purpose,
            original_name=file.safe_name,
            safe_name=display_name(f"{stem or file.safe_name}.{ending}"),
            media_type=kind.media_type if kind else file.media_type,
            actor=actor,
            made_from=(uuid5(delivery.id, "copy"), delivery.delivered_at),
        )
    return made.id
