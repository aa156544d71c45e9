"""The check of a delivered file in the vendor's scope: what it is, if it was used before.

Files are read in the sandbox; the scanner is asked where one is configured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files import fingerprint, virus
from portal.files.inspect import Inspection, inspect
from portal.files.models import StoredFile
from portal.files.problems import Problem
from portal.files.service import NAME_PLACE, storage
from portal.files.storage import local_copy
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.settings import settings
from portal.materials import lengths
from portal.materials.copies import keep_image, keep_sound
from portal.materials.kinds import CheckState
from portal.materials.models import (
    Delivery,
    MaterialRequest,
    RequestItem,
    SoundKey,
    SoundPrint,
)
from portal.materials.queries import item_of_delivery, request_of_item
from portal.materials.settling import settle
from portal.materials.uploads import formats_of
from tenants.rows import new_id
from tenants.vault import installed

MOSTLY = 0.9
"""A recording with a larger silent share is remarked on."""
OVERDRIVEN = 0.1
_CANDIDATES = 20


@dataclass(frozen=True, slots=True)
class Checked:
    """A delivery under check, with what it belongs to."""

    delivery: Delivery
    file: StoredFile
    item: RequestItem
    request: MaterialRequest


def verify(session: Session, checked: Checked, *, actor: Actor) -> None:
    """Check the file and write on the delivery what was found.

    A problem makes the file unusable: wrong type, damaged, empty, two things in one, a virus.
    Remarks are for people to look at: a length that the call list contradicts, silence, overdrive,
    the same bytes or the same sound delivered for another case of this vendor.
    """
    delivery, file = checked.delivery, checked.file
    key = installed().key(session, delivery.tenant_id)
    name = key.open(NAME_PLACE, file.id, file.name_sealed)
    with local_copy(storage(), file.storage_key) as path:
        settle(session, delivery, file, path)
        found = inspect(path, name, formats_of(checked.request, checked.item.kind))
        verdict = virus.scan(path, settings().clamd, settings().clamd_max_mb << 20)
        problems = list(found.problems)
        if verdict.scan is virus.Scan.FOUND:
            problems.append(Problem("virus_found", {"name": verdict.name}))
        remarks = _remarks(session, checked, found) if found.ok else []
        _write(checked, found, problems, remarks, verdict)
        if problems or found.kind is None:
            return
        if found.kind.is_audio and found.peaks is not None:
            keep_sound(session, delivery, file, path, found.peaks, actor=actor)
        elif found.kind.is_image:
            keep_image(session, delivery, file, path, found.kind, actor=actor)


def _write(
    checked: Checked,
    found: Inspection,
    problems: Sequence[Problem],
    remarks: Sequence[Problem],
    verdict: virus.Verdict,
) -> None:
    delivery, file = checked.delivery, checked.file
    delivery.check_state = CheckState.PROBLEM if problems else CheckState.SOUND
    delivery.check_result = {
        "kind": found.kind.value if found.kind else "",
        "problems": _as_data(problems),
        "remarks": _as_data(remarks),
        "facts": dict(found.facts),
        "checked_at": clock.now().isoformat(),
        "virus_scan": verdict.scan.value,
        "virus_why": verdict.why,
        "sound_compared": found.sound is not None,
    }
    file.facts = dict(found.facts)
    file.media_type = found.media_type or "application/octet-stream"


def _as_data(said: Sequence[Problem]) -> list[dict[str, Any]]:
    return [{"code": one.code, "params": dict(one.params)} for one in said]


# --- remarks -------------------------------------------------------------------------------------


def _remarks(session: Session, checked: Checked, found: Inspection) -> list[Problem]:
    remarks = []
    same = _same_bytes(session, checked)
    if same is not None:
        remarks.append(Problem("same_bytes", same))
    if found.kind is None or not found.kind.is_audio:
        return remarks
    seconds = float(found.facts.get("duration", 0))
    differs = lengths.remark(seconds, lengths.listed_seconds(session, checked.item))
    if differs is not None:
        remarks.append(differs)
    for code, fact, most in (
        ("mostly_silent", "silence", MOSTLY),
        ("clipped", "clipping", OVERDRIVEN),
    ):
        share = float(found.facts.get(fact, 0))
        if share > most:
            remarks.append(Problem(code, {"share": round(share * 100)}))
    if found.sound is not None:
        again = _same_sound(session, checked, found.sound, seconds)
        if again is not None and same is None:
            remarks.append(Problem("same_sound", again))
    return remarks


def _elsewhere(checked: Checked) -> Any:
    """Deliveries of this vendor for other cases, or for other calls of this case, with what they
    were delivered for."""
    item = checked.item
    another_call = sa.and_(RequestItem.call_id.is_not(None), RequestItem.call_id != item.call_id)
    return (
        sa.select(RequestItem.case_no, MaterialRequest.number)
        .select_from(Delivery)
        .join(RequestItem, item_of_delivery())
        .join(MaterialRequest, request_of_item())
        .where(
            Delivery.tenant_id == item.tenant_id,
            Delivery.id != checked.delivery.id,
            sa.or_(RequestItem.case_id != item.case_id, another_call),
        )
        .order_by(Delivery.id)
        .limit(1)
    )


def _said(row: Any) -> dict[str, str | int] | None:
    return {"case": row.case_no, "number": row.number} if row is not None else None


def _same_bytes(session: Session, checked: Checked) -> dict[str, str | int] | None:
    statement = _elsewhere(checked).where(Delivery.sha256 == checked.delivery.sha256)
    return _said(session.execute(statement).first())


def _same_sound(
    session: Session, checked: Checked, words: bytes, seconds: float
) -> dict[str, str | int] | None:
    """Keep the fingerprint, and look for the same sound under another case of the vendor."""
    tenant_id = checked.delivery.tenant_id
    keys = fingerprint.keys(words)
    shared = sa.func.count().label("shared")
    found = session.execute(
        sa.select(SoundKey.print_id, shared)
        .where(SoundKey.tenant_id == tenant_id, SoundKey.word.in_(keys))
        .group_by(SoundKey.print_id)
        .having(shared >= fingerprint.FEWEST_KEYS)
        .order_by(shared.desc(), SoundKey.print_id)
        .limit(_CANDIDATES)
    ).all()
    prints = session.scalars(
        sa.select(SoundPrint).where(
            SoundPrint.tenant_id == tenant_id, SoundPrint.id.in_([row.print_id for row in found])
        )
    ).all()
    known = [one for one in prints if one.delivery_id != checked.delivery.id]
    matching = [one.delivery_id for one in known if fingerprint.same_sound(words, one.words)]
    if len(known) == len(prints):
        _keep_print(session, checked.delivery, words, seconds, keys)
    statement = _elsewhere(checked).where(Delivery.id.in_(matching))
    return _said(session.execute(statement).first())


def _keep_print(
    session: Session, delivery: Delivery, words: bytes, seconds: float, keys: Sequence[int]
) -> None:
    made = SoundPrint(
        tenant_id=delivery.tenant_id,
        id=new_id(),
        delivery_id=delivery.id,
        seconds=round(seconds),
        words=words,
    )
    session.add(made)
    session.flush()
    session.add_all(
        SoundKey(tenant_id=delivery.tenant_id, print_id=made.id, word=word) for word in keys
    )
    session.flush()
