"""Hold, warn, and delete what is beyond its time; the fact and the hash stay (C4.1)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.models import AppealEvidence
from portal.cases.models import Case
from portal.contacts.models import CallRecord
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.jobs.service import enqueue
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import phrase, plural
from portal.kernel.reasons import reason_of
from portal.materials.models import Delivery, MaterialRequest, SoundKey, SoundPrint, Upload
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from portal.rectification.models import Evidence, Rectification
from portal.retention.kinds import DELETED_PURPOSES, DataClass, HoldOn, Standing
from portal.retention.models import Deletion, LegalHold, RetentionWarning
from portal.retention.queries import owners
from portal.retention.receipts import rule_in
from portal.retention.scheme import RETENTION
from portal.retention.things import Thing, things
from portal.schemes.service import in_force

WARNED = (Role.AUDIT_HEAD, Role.ADMINISTRATOR)
GONE = "—"
"""What stands in the place of a masked name or number that was deleted."""


def place_hold(
    session: Session, tenant_id: UUID, on: HoldOn, number: str, *, reason: str, actor: Actor
) -> LegalHold:
    """Put a hold on a vendor's case, request or notice, by its number, with the reason.

    Nothing of it is deleted until the hold is lifted. `Invalid` for an unknown number, `Conflict`
    when it is held already.
    """
    text = reason_of(reason)
    subject_id = _find(session, tenant_id, on, number.strip())
    standing = session.scalar(
        sa.select(LegalHold.id).where(
            LegalHold.tenant_id == tenant_id,
            LegalHold.subject_id == subject_id,
            LegalHold.lifted_at.is_(None),
        )
    )
    if standing is not None:
        raise Conflict(
            phrase("There is a hold on it already."), phrase("Lift that one first, or leave it.")
        )
    made = LegalHold(
        tenant_id=tenant_id,
        subject_type=on,
        subject_id=subject_id,
        label=number.strip(),
        reason=text,
        placed_at=clock.now(),
        placed_by_name=actor.name,
    )
    session.add(made)
    session.flush()
    _record(session, "retention.hold.placed", made, actor=actor)
    return made


def _find(session: Session, tenant_id: UUID, on: HoldOn, number: str) -> UUID:
    if on is HoldOn.CASE:
        statement = sa.select(Case.id).where(Case.tenant_id == tenant_id, Case.case_no == number)
    else:
        table = MaterialRequest if on is HoldOn.REQUEST else Rectification
        statement = sa.select(table.id).where(table.tenant_id == tenant_id, table.number == number)
    found = session.scalar(statement)
    if found is None:
        raise Invalid(
            phrase("This vendor has nothing with the number %(number)s.", number=number),
            phrase("Correct the number, or choose the vendor that has it."),
        )
    return found


def lift_hold(session: Session, hold_id: UUID, *, reason: str, actor: Actor) -> None:
    """Lift a hold, with the reason; from then on the times count again."""
    text = reason_of(reason)
    row = session.scalars(
        sa.select(LegalHold).where(LegalHold.id == hold_id).with_for_update()
    ).first()
    if row is None:
        raise NotFound("hold")
    if row.lifted_at is not None:
        raise Conflict(phrase("This hold is lifted already."), phrase("Reload the page."))
    row.lifted_at, row.lifted_by_name, row.lift_reason = clock.now(), actor.name, text
    session.flush()
    _record(session, "retention.hold.lifted", row, actor=actor)


def _record(session: Session, action: str, row: LegalHold, *, actor: Actor) -> None:
    record(
        session,
        action,
        (row.subject_type, row.subject_id),
        actor=actor,
        data={"vendor": str(row.tenant_id), "label": row.label},
    )


def warn(session: Session, *, actor: Actor) -> int:
    """Tell the company, once each, of what is requested or disputed and nearly over (company
    scope); returns how many things were warned of. They are kept meanwhile."""
    count = 0
    for tenant_id, name in owners(session):
        wanted = [one for one in things(session, tenant_id) if one.standing == Standing.WANTED]
        known = {
            (row.subject_id, row.expires_on)
            for row in session.execute(
                sa.select(RetentionWarning.subject_id, RetentionWarning.expires_on).where(
                    RetentionWarning.tenant_id == tenant_id
                )
            )
        }
        fresh = [one for one in wanted if (one.subject_id, one.expires_on) not in known]
        for one in fresh:
            session.add(
                RetentionWarning(
                    tenant_id=tenant_id,
                    subject_id=one.subject_id,
                    expires_on=one.expires_on,
                    warned_at=clock.now(),
                )
            )
        if fresh:
            notify(
                session,
                tenant_id=actor.company_id,
                roles=WARNED,
                message=plural(
                    "%(count)s thing of %(vendor)s that is requested or disputed is near the end "
                    "of its time. It is kept; put a hold on it if it is evidence.",
                    "%(count)s things of %(vendor)s that are requested or disputed are near the "
                    "end of their time. They are kept; put a hold on them if they are evidence.",
                    by="count",
                    count=len(fresh),
                    vendor=name,
                ),
                path="/retention",
                kind=MessageKind.WORK,
            )
        count += len(fresh)
    session.flush()
    return count


def start_deletion(session: Session, tenant_id: UUID, *, actor: Actor) -> UUID:
    """Have a vendor's things that are beyond their time deleted by a job; returns its run.

    `Invalid` when nothing is due.
    """
    due = [one for one in things(session, tenant_id) if one.standing == Standing.DUE]
    if not due:
        raise Invalid(phrase("Nothing is beyond its time."), phrase("Reload the page."))
    run = enqueue(
        session,
        "retention.delete",
        {"vendor_id": tenant_id, "by_name": actor.name},
        actor=actor,
        lock=f"retention.{tenant_id}",
    )
    record(
        session,
        "retention.deletion.asked",
        ("vendor", tenant_id),
        actor=actor,
        data={"things": len(due), "run": str(run)},
    )
    return run


def delete(
    session: Session, tenant_id: UUID, run_id: UUID, *, by_name: str, actor: Actor
) -> dict[str, int]:
    """Delete what is due now (a hold placed meanwhile counts): personal fields at once, bytes
    when this is committed (`remove_bytes`). Each leaves a row with hash and date; one journal
    entry a class. Returns how many of each class."""
    counts: dict[str, int] = {}
    content = in_force(session, RETENTION, clock.today()).content
    for one in things(session, tenant_id):
        if one.standing != Standing.DUE:
            continue
        keys = _DELETE[one.data_class](session, one)
        session.add(
            Deletion(
                tenant_id=tenant_id,
                data_class=one.data_class.value,
                subject_id=one.subject_id,
                label=one.label,
                sha256=one.sha256,
                size=one.size,
                expired_on=one.expires_on,
                rule=rule_in(content, one.data_class.value),
                keys=keys,
                run_id=run_id,
                deleted_at=clock.now(),
                deleted_by_name=by_name,
                bytes_gone_at=None if keys else clock.now(),
            )
        )
        counts[one.data_class.value] = counts.get(one.data_class.value, 0) + 1
    session.flush()
    for kind, number in counts.items():
        record(
            session,
            "retention.deleted",
            ("vendor", tenant_id),
            actor=actor,
            data={"class": kind, "things": number, "run": str(run_id), "by": by_name},
        )
    return counts


def _file(session: Session, tenant_id: UUID, file_id: UUID | None) -> list[str]:
    """Blank a file's row; the keys of its bytes."""
    row = session.get(StoredFile, (tenant_id, file_id)) if file_id else None
    if row is None or row.state != "stored":
        return []
    if row.purpose not in DELETED_PURPOSES:
        raise ValueError(f"a file of the purpose {row.purpose} is never deleted")
    row.state, row.name_sealed, row.facts = "deleted", b"", {}
    row.safe_name = f"{row.sha256[:12]}.deleted"
    return [row.storage_key]


def _delivery(session: Session, one: Thing) -> list[str]:
    row = session.get(Delivery, (one.tenant_id, one.subject_id))
    if row is None:
        return _file(session, one.tenant_id, one.subject_id)
    keys = _file(session, one.tenant_id, row.file_id)
    keys += _file(session, one.tenant_id, row.playable_id)
    if row.peaks_key:
        keys.append(row.peaks_key)
        row.peaks_key = None
    prints = sa.select(SoundPrint.id).where(
        SoundPrint.tenant_id == one.tenant_id, SoundPrint.delivery_id == row.id
    )
    session.execute(
        sa.delete(SoundKey).where(
            SoundKey.tenant_id == one.tenant_id, SoundKey.print_id.in_(prints)
        )
    )
    session.execute(
        sa.delete(SoundPrint).where(
            SoundPrint.tenant_id == one.tenant_id, SoundPrint.delivery_id == row.id
        )
    )
    session.execute(
        sa.update(Upload)
        .where(Upload.tenant_id == one.tenant_id, Upload.delivery_id == row.id)
        .values(name_sealed=b"", name_index=b"", safe_name=f"{row.sha256[:12]}.deleted")
    )
    return keys


def _case(session: Session, one: Thing) -> list[str]:
    session.execute(
        sa.update(Case)
        .where(Case.tenant_id == one.tenant_id, Case.id == one.subject_id)
        .values(
            debtor_sealed=b"",
            debtor_masked=GONE,
            phone_sealed=b"",
            phone_masked=GONE,
            phone_index=b"",
            card_sealed=b"",
            card_masked=GONE,
            card_index=b"",
        )
    )
    session.execute(
        sa.update(CallRecord)
        .where(CallRecord.tenant_id == one.tenant_id, CallRecord.case_id == one.subject_id)
        .values(
            call_sealed=None,
            call_shown=GONE,
            call_index=None,
            phone_sealed=b"",
            phone_masked=GONE,
            phone_index=b"",
        )
    )
    return []


def _evidence(session: Session, one: Thing) -> list[str]:
    key = (one.tenant_id, one.subject_id)
    row = session.get(Evidence, key) or session.get(AppealEvidence, key)
    return _file(session, one.tenant_id, row.file_id) if row else []


def _import(session: Session, one: Thing) -> list[str]:
    return _file(session, one.tenant_id, one.subject_id)


_DELETE: dict[DataClass, Callable[[Session, Thing], list[str]]] = {
    DataClass.CALL_RECORDING: _delivery,
    DataClass.VISIT_RECORDING: _delivery,
    DataClass.RECORD: _delivery,
    DataClass.CASE_DATA: _case,
    DataClass.EVIDENCE: _evidence,
    DataClass.IMPORT_FILE: _import,
}


def remove_bytes(session: Session, limit: int = 500) -> int:
    """Remove the bytes of what is deleted and committed (company scope); returns of how many.

    Killed in between, it begins again: a key that is gone already is no error.
    """
    rows = session.scalars(
        sa.select(Deletion)
        .where(Deletion.bytes_gone_at.is_(None))
        .order_by(Deletion.deleted_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        for key in row.keys:
            storage().delete(key)
        row.bytes_gone_at = clock.now()
    session.flush()
    return len(rows)
