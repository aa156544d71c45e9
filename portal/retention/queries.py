"""What is near the end of its time, and what keeps it (company scope)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Finding
from portal.cases.models import Case
from portal.files.models import StoredFile
from portal.kernel import clock
from portal.materials.kinds import MaterialKind
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.rules import OPEN_STATES
from portal.rectification.models import Answer, Evidence, Rectification
from portal.retention.kinds import DataClass, HoldOn
from portal.retention.models import Deletion, LegalHold
from portal.retention.rules import Terms, standing
from portal.retention.scheme import terms
from portal.vendors.models import Contract
from tenants.models import Tenant

IMPORTS = ("cases.import", "receipts.import", "contacts.list")
_CLASS_OF = {
    MaterialKind.CALL_RECORDING.value: DataClass.CALL_RECORDING,
    MaterialKind.VISIT_RECORDING.value: DataClass.VISIT_RECORDING,
    MaterialKind.COLLECTION_RECORD.value: DataClass.RECORD,
    MaterialKind.OTHER.value: DataClass.RECORD,
}


@dataclass(frozen=True, slots=True)
class Thing:
    """Something whose time is over or nearly so. `subject_id`: a delivery, an item's proof, a
    case, a piece of evidence or an imported file; `standing` is one of `Standing`."""

    tenant_id: UUID
    data_class: DataClass
    subject_id: UUID
    label: str
    size: int
    sha256: str | None
    expires_on: date
    standing: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Keepers:
    """What keeps a vendor's things beyond their time: holds with their reasons; cases that an
    open request names; cases of an open rectification notice."""

    held_cases: dict[UUID, str] = field(default_factory=dict)
    held_requests: dict[UUID, str] = field(default_factory=dict)
    held_notices: dict[UUID, str] = field(default_factory=dict)
    wanted: dict[UUID, str] = field(default_factory=dict)


def keepers(session: Session, tenant_id: UUID) -> Keepers:
    """The holds, open requests and open notices of a vendor."""
    found = Keepers()
    by_type = {
        HoldOn.CASE.value: found.held_cases,
        HoldOn.REQUEST.value: found.held_requests,
        HoldOn.NOTICE.value: found.held_notices,
    }
    for hold in session.scalars(
        sa.select(LegalHold).where(LegalHold.tenant_id == tenant_id, LegalHold.lifted_at.is_(None))
    ):
        by_type[hold.subject_type][hold.subject_id] = hold.reason
    for case_id, request_id in session.execute(
        sa.select(RequestItem.case_id, RequestItem.request_id)
        .where(
            RequestItem.tenant_id == tenant_id,
            RequestItem.request_id.in_(list(found.held_requests)),
        )
        .distinct()
    ):
        found.held_cases.setdefault(case_id, found.held_requests[request_id])
    for row in session.execute(_cases_of_notices(tenant_id)):
        if row.id in found.held_notices:
            found.held_cases.setdefault(row.case_id, found.held_notices[row.id])
        if row.closed_at is None:
            found.wanted.setdefault(row.case_id, row.number or "")
    found.wanted.update(_wanted(session, tenant_id))
    return found


def _cases_of_notices(tenant_id: UUID) -> Any:
    return (
        sa.select(Rectification.id, Rectification.number, Rectification.closed_at, Finding.case_id)
        .join(
            Finding,
            sa.and_(
                Finding.tenant_id == Rectification.tenant_id,
                Finding.form_id == Rectification.form_id,
            ),
        )
        .where(Rectification.tenant_id == tenant_id, Rectification.issued_at.is_not(None))
        .distinct()
    )


def _wanted(session: Session, tenant_id: UUID) -> dict[UUID, str]:
    rows = session.execute(
        sa.select(RequestItem.case_id, MaterialRequest.number)
        .join(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == RequestItem.tenant_id,
                MaterialRequest.id == RequestItem.request_id,
            ),
        )
        .where(
            RequestItem.tenant_id == tenant_id,
            MaterialRequest.state.in_([state.value for state in OPEN_STATES]),
            RequestItem.state != "cancelled",
        )
        .distinct()
    )
    return {row.case_id: row.number for row in rows}


def things(session: Session, tenant_id: UUID) -> list[Thing]:
    """All of a vendor's (or the company's own) things that are over or nearly so, by class and
    date. Bounded by the dates: what is far from its end is not read."""
    found, today = terms(session), clock.today()
    kept = keepers(session, tenant_id)
    rows = [
        *_files(session, tenant_id, found, today),
        *_proofs(session, tenant_id, found, today),
        *_cases(session, tenant_id, found, today),
        *_evidence(session, tenant_id, found, today),
        *_imports(session, tenant_id, found, today),
    ]
    return [
        made
        for row in sorted(rows, key=lambda row: (row.kind, row.expires_on, row.label))
        if (made := _judged(row, kept, found, today))
    ]


@dataclass(frozen=True, slots=True)
class _Row:
    tenant_id: UUID
    kind: DataClass
    subject_id: UUID
    label: str
    size: int
    sha256: str | None
    expires_on: date
    case_id: UUID | None = None
    request_id: UUID | None = None
    notice_id: UUID | None = None


def _judged(row: _Row, kept: Keepers, found: Terms, today: date) -> Thing | None:
    held = _reason(kept.held_cases, row.case_id) or _reason(kept.held_requests, row.request_id)
    held = held or _reason(kept.held_notices, row.notice_id)
    wanted = _reason(kept.wanted, row.case_id)
    place = standing(
        row.expires_on, today, found.warn_days, held=held is not None, wanted=wanted is not None
    )
    if not place:
        return None
    return Thing(
        row.tenant_id,
        row.kind,
        row.subject_id,
        row.label,
        row.size,
        row.sha256,
        row.expires_on,
        place,
        held or wanted or "",
    )


def _reason(known: dict[UUID, str], key: UUID | None) -> str | None:
    return known.get(key) if key is not None else None


def _horizon(found: Terms, today: date, kinds: Sequence[DataClass]) -> date:
    """Nothing that ended after this day can be near its end yet (a month of slack)."""
    least = min(found.months[kind] for kind in kinds)
    return today + timedelta(days=found.warn_days + 31) - timedelta(days=least * 30)


def _files(session: Session, tenant_id: UUID, found: Terms, today: date) -> Iterator[_Row]:
    rows = session.execute(
        sa.select(
            Delivery.id,
            Delivery.request_id,
            StoredFile.sha256,
            StoredFile.size,
            RequestItem.kind,
            RequestItem.case_id,
            RequestItem.case_no,
            Case.closed_on,
        )
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
            Case, sa.and_(Case.tenant_id == RequestItem.tenant_id, Case.id == RequestItem.case_id)
        )
        .where(
            Delivery.tenant_id == tenant_id,
            StoredFile.state == "stored",
            Case.closed_on <= _horizon(found, today, list(_CLASS_OF.values())),
        )
    )
    for row in rows:
        kind = _CLASS_OF[row.kind]
        expires = found.expires_on(kind, row.closed_on)
        yield _Row(
            tenant_id,
            kind,
            row.id,
            row.case_no,
            row.size,
            row.sha256,
            expires,
            row.case_id,
            row.request_id,
        )


def _proofs(session: Session, tenant_id: UUID, found: Terms, today: date) -> Iterator[_Row]:
    """The proofs that something cannot be provided go with the records."""
    rows = session.execute(
        sa.select(
            StoredFile.id,
            StoredFile.sha256,
            StoredFile.size,
            RequestItem.request_id,
            RequestItem.case_id,
            RequestItem.case_no,
            Case.closed_on,
        )
        .join(
            RequestItem,
            sa.and_(
                RequestItem.tenant_id == StoredFile.tenant_id,
                RequestItem.proof_id == StoredFile.id,
            ),
        )
        .join(
            Case, sa.and_(Case.tenant_id == RequestItem.tenant_id, Case.id == RequestItem.case_id)
        )
        .where(
            StoredFile.tenant_id == tenant_id,
            StoredFile.state == "stored",
            Case.closed_on <= _horizon(found, today, [DataClass.RECORD]),
        )
    )
    seen = set()
    for row in rows:
        expires = found.expires_on(DataClass.RECORD, row.closed_on)
        # One proof may serve several items: the last case to end keeps it.
        if row.id not in seen:
            seen.add(row.id)
            yield _Row(
                tenant_id,
                DataClass.RECORD,
                row.id,
                row.case_no,
                row.size,
                row.sha256,
                expires,
                row.case_id,
                row.request_id,
            )


def _cases(session: Session, tenant_id: UUID, found: Terms, today: date) -> Iterator[_Row]:
    rows = session.execute(
        sa.select(Case.id, Case.case_no, Case.closed_on).where(
            Case.tenant_id == tenant_id,
            Case.closed_on <= _horizon(found, today, [DataClass.CASE_DATA]),
            sa.func.length(Case.debtor_sealed) > 0,
        )
    )
    for row in rows:
        yield _Row(
            tenant_id,
            DataClass.CASE_DATA,
            row.id,
            row.case_no,
            0,
            None,
            found.expires_on(DataClass.CASE_DATA, row.closed_on),
            row.id,
        )


def _evidence(session: Session, tenant_id: UUID, found: Terms, today: date) -> Iterator[_Row]:
    """Proofs of corrections are kept from the end of the vendor's last contract."""
    ended = session.scalar(
        sa.select(sa.func.max(Contract.ends_on)).where(Contract.tenant_id == tenant_id)
    )
    if ended is None or ended > _horizon(found, today, [DataClass.EVIDENCE]):
        return
    rows = session.execute(
        sa.select(
            Evidence.id,
            StoredFile.sha256,
            StoredFile.size,
            Rectification.id.label("notice_id"),
            Rectification.number,
        )
        .join(
            StoredFile,
            sa.and_(StoredFile.tenant_id == Evidence.tenant_id, StoredFile.id == Evidence.file_id),
        )
        .join(
            Answer, sa.and_(Answer.tenant_id == Evidence.tenant_id, Answer.id == Evidence.answer_id)
        )
        .join(
            Rectification,
            sa.and_(
                Rectification.tenant_id == Answer.tenant_id,
                Rectification.id == Answer.rectification_id,
            ),
        )
        .where(Evidence.tenant_id == tenant_id, StoredFile.state == "stored")
    )
    for row in rows:
        yield _Row(
            tenant_id,
            DataClass.EVIDENCE,
            row.id,
            row.number or "",
            row.size,
            row.sha256,
            found.expires_on(DataClass.EVIDENCE, ended),
            notice_id=row.notice_id,
        )


def _imports(session: Session, tenant_id: UUID, found: Terms, today: date) -> Iterator[_Row]:
    rows = session.execute(
        sa.select(
            StoredFile.id,
            StoredFile.purpose,
            StoredFile.sha256,
            StoredFile.size,
            StoredFile.completed_at,
        ).where(
            StoredFile.tenant_id == tenant_id,
            StoredFile.state == "stored",
            StoredFile.purpose.in_(IMPORTS),
            StoredFile.completed_at.is_not(None),
        )
    )
    for row in rows:
        day = clock.beijing(row.completed_at).date()
        yield _Row(
            tenant_id,
            DataClass.IMPORT_FILE,
            row.id,
            f"{row.purpose} {day.isoformat()}",
            row.size,
            row.sha256,
            found.expires_on(DataClass.IMPORT_FILE, day),
        )


# --- for the page --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One vendor's things of a class: how many stand where, bytes and first day of those due."""

    tenant_id: UUID
    vendor: str
    data_class: DataClass
    due: int
    due_bytes: int
    soon: int
    wanted: int
    held: int
    first: date


def owners(session: Session) -> list[tuple[UUID, str]]:
    """Everybody who may have things: the vendors and the company."""
    rows = session.execute(sa.select(Tenant.id, Tenant.short_name).order_by(Tenant.code))
    return [(row.id, row.short_name) for row in rows]


def lines_of(found: Sequence[Thing], vendor: str) -> list[Line]:
    """The counts of a vendor's things, class by class."""
    made = []
    for kind in DataClass:
        mine = [one for one in found if one.data_class is kind]
        if not mine:
            continue
        due = [one for one in mine if one.standing == "due"]
        count = {
            place: sum(one.standing == place for one in mine)
            for place in ("soon", "wanted", "held")
        }
        made.append(
            Line(
                mine[0].tenant_id,
                vendor,
                kind,
                len(due),
                sum(one.size for one in due),
                count["soon"],
                count["wanted"],
                count["held"],
                min(one.expires_on for one in mine),
            )
        )
    return made


def holds(session: Session, limit: int = 200) -> list[tuple[LegalHold, str]]:
    """The holds, open ones first, newest first, with the vendor's name."""
    rows = session.execute(
        sa.select(LegalHold, Tenant.short_name)
        .join(Tenant, Tenant.id == LegalHold.tenant_id)
        .order_by(LegalHold.lifted_at.is_not(None), LegalHold.placed_at.desc())
        .limit(limit)
    )
    return [(row[0], row.short_name) for row in rows]


def deletions(session: Session, limit: int = 50) -> list[tuple[Deletion, str]]:
    """The newest deletions, with the vendor's name."""
    rows = session.execute(
        sa.select(Deletion, Tenant.short_name)
        .join(Tenant, Tenant.id == Deletion.tenant_id)
        .order_by(Deletion.deleted_at.desc(), Deletion.id.desc())
        .limit(limit)
    )
    return [(row[0], row.short_name) for row in rows]
