"""What is near the end of its time, thing by thing (company scope)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.models import Appeal, AppealEvidence
from portal.audits.models import Finding
from portal.cases.models import Case
from portal.files.models import StoredFile
from portal.kernel import clock
from portal.materials.kinds import MaterialKind
from portal.materials.models import Delivery, RequestItem
from portal.materials.queries import file_of_delivery, item_of_delivery
from portal.rectification.models import Answer, Evidence, Rectification
from portal.retention.keeping import Keepers, keepers
from portal.retention.kinds import IMPORTS, PROOF, DataClass
from portal.retention.rules import Terms, standing
from portal.retention.scheme import terms
from portal.vendors.models import Contract

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
    cases: tuple[UUID, ...] = ()
    requests: tuple[UUID, ...] = ()
    notice_id: UUID | None = None
    of_whom_is_unknown: bool = False


def _judged(row: _Row, kept: Keepers, found: Terms, today: date) -> Thing | None:
    held, wanted = _held(row, kept), _first(kept.wanted, row.cases)
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


def _held(row: _Row, kept: Keepers) -> str | None:
    """The reason of the hold that keeps a row; of what nobody can tell whose it is, any hold of
    the vendor's."""
    if row.of_whom_is_unknown:
        return kept.any_hold
    notices = (row.notice_id,) if row.notice_id else ()
    return (
        _first(kept.held_cases, row.cases)
        or _first(kept.held_requests, row.requests)
        or _first(kept.held_notices, notices)
    )


def _first(known: Mapping[UUID, str], keys: Iterable[UUID]) -> str | None:
    return next((known[key] for key in keys if key in known), None)


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
        .join(StoredFile, file_of_delivery())
        .join(RequestItem, item_of_delivery())
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
            (row.case_id,),
            (row.request_id,),
        )


def _proofs(session: Session, tenant_id: UUID, found: Terms, today: date) -> Iterator[_Row]:
    """The proofs that something cannot be provided go with the records. One may serve items of
    several cases: it is kept as long as the last of them, and by whatever keeps any of them."""
    rows = session.execute(
        sa.select(
            StoredFile.id,
            StoredFile.sha256,
            StoredFile.size,
            StoredFile.completed_at,
            sa.func.min(RequestItem.case_no).label("case_no"),
            sa.func.array_agg(RequestItem.case_id.distinct()).label("cases"),
            sa.func.array_agg(RequestItem.request_id.distinct()).label("requests"),
            sa.func.bool_and(Case.closed_on.is_not(None)).label("closed"),
            sa.func.max(Case.closed_on).label("closed_on"),
        )
        .outerjoin(
            RequestItem,
            sa.and_(
                RequestItem.tenant_id == StoredFile.tenant_id,
                RequestItem.proof_id == StoredFile.id,
            ),
        )
        .outerjoin(
            Case, sa.and_(Case.tenant_id == RequestItem.tenant_id, Case.id == RequestItem.case_id)
        )
        .where(
            StoredFile.tenant_id == tenant_id,
            StoredFile.state == "stored",
            StoredFile.purpose == PROOF,
            StoredFile.completed_at.is_not(None),
        )
        .group_by(StoredFile.tenant_id, StoredFile.id)
    )
    horizon = _horizon(found, today, [DataClass.RECORD])
    for row in rows:
        unknown = row.case_no is None
        ended = clock.beijing(row.completed_at).date() if unknown else row.closed_on
        if (unknown or row.closed) and ended <= horizon:
            yield _Row(
                tenant_id,
                DataClass.RECORD,
                row.id,
                row.case_no or f"{PROOF} {ended.isoformat()}",
                row.size,
                row.sha256,
                found.expires_on(DataClass.RECORD, ended),
                () if unknown else tuple(row.cases),
                () if unknown else tuple(row.requests),
                of_whom_is_unknown=unknown,
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
            (row.id,),
        )


def _evidence(session: Session, tenant_id: UUID, found: Terms, today: date) -> Iterator[_Row]:
    """Proofs of corrections and of appeals are kept from the end of the vendor's last contract."""
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
    yield from _appealed(session, tenant_id, found.expires_on(DataClass.EVIDENCE, ended))


def _appealed(session: Session, tenant_id: UUID, expires_on: date) -> Iterator[_Row]:
    """What the vendor brought forward in appeals; holds on the case keep it."""
    rows = session.execute(
        sa.select(
            AppealEvidence.id,
            StoredFile.sha256,
            StoredFile.size,
            Finding.case_id,
            Finding.case_no,
        )
        .join(
            StoredFile,
            sa.and_(
                StoredFile.tenant_id == AppealEvidence.tenant_id,
                StoredFile.id == AppealEvidence.file_id,
            ),
        )
        .join(
            Appeal,
            sa.and_(
                Appeal.tenant_id == AppealEvidence.tenant_id,
                Appeal.id == AppealEvidence.appeal_id,
            ),
        )
        .join(
            Finding,
            sa.and_(Finding.tenant_id == Appeal.tenant_id, Finding.id == Appeal.finding_id),
        )
        .where(AppealEvidence.tenant_id == tenant_id, StoredFile.state == "stored")
    )
    for row in rows:
        yield _Row(
            tenant_id,
            DataClass.EVIDENCE,
            row.id,
            row.case_no,
            row.size,
            row.sha256,
            expires_on,
            (row.case_id,),
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
