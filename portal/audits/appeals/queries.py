"""Reads of appeals: lists, one with its evidence, the window of a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.models import Appeal, AppealEvidence, FindingCorrection
from portal.audits.appeals.rules import LAST, AppealState, Earlier
from portal.audits.models import AssessmentForm, Finding, Review
from portal.audits.reviews.models import Listening
from portal.audits.terms import terms_on
from portal.calendar.rules import WorkingCalendar
from portal.files.models import StoredFile
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.notices.models import Acknowledgement, Document, DocumentStep
from portal.notices.queries import documents_of
from portal.notices.rules import StepKind
from tenants.models import Tenant

CLOCKS = {1: "appeal", LAST: "appeal_last"}
"""The kinds of the company's clock of an appeal, by instance: whoever decides follows it."""


def get_appeal(session: Session, appeal_id: UUID, *, lock: bool = False) -> Appeal:
    """An appeal that this scope sees; raises `NotFound`."""
    statement = sa.select(Appeal).where(Appeal.id == appeal_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("appeal")
    return row


def of_findings(
    session: Session, tenant_id: UUID, finding_ids: Sequence[UUID]
) -> dict[UUID, list[Appeal]]:
    """The appeals of findings, the first instance first."""
    found: dict[UUID, list[Appeal]] = {}
    if not finding_ids:
        return found
    for row in session.scalars(
        sa.select(Appeal)
        .where(Appeal.tenant_id == tenant_id, Appeal.finding_id.in_(finding_ids))
        .order_by(Appeal.instance)
    ):
        found.setdefault(row.finding_id, []).append(row)
    return found


def earlier(appeals: Sequence[Appeal]) -> list[Earlier]:
    """Appeals as the rules ask for them."""
    return [Earlier(row.instance, AppealState(row.state)) for row in appeals]


@dataclass(frozen=True, slots=True)
class Filed:
    """A file beside an appeal."""

    id: UUID
    name: str
    size: int


def evidence_of(session: Session, appeal: Appeal) -> list[Filed]:
    """The files that support an appeal."""
    rows = session.execute(
        sa.select(AppealEvidence.id, StoredFile.safe_name, StoredFile.size)
        .join(
            StoredFile,
            sa.and_(
                StoredFile.tenant_id == AppealEvidence.tenant_id,
                StoredFile.id == AppealEvidence.file_id,
            ),
        )
        .where(AppealEvidence.tenant_id == appeal.tenant_id, AppealEvidence.appeal_id == appeal.id)
        .order_by(AppealEvidence.id)
    )
    return [Filed(*row) for row in rows]


def evidence_file(session: Session, appeal: Appeal, evidence_id: UUID) -> StoredFile:
    """One of the files; raises `NotFound`."""
    row = session.scalars(
        sa.select(StoredFile)
        .join(
            AppealEvidence,
            sa.and_(
                AppealEvidence.tenant_id == StoredFile.tenant_id,
                AppealEvidence.file_id == StoredFile.id,
            ),
        )
        .where(
            AppealEvidence.tenant_id == appeal.tenant_id,
            AppealEvidence.appeal_id == appeal.id,
            AppealEvidence.id == evidence_id,
        )
    ).first()
    if row is None:
        raise NotFound("evidence")
    return row


def corrections_of(session: Session, appeal: Appeal) -> list[tuple[FindingCorrection, Finding]]:
    """What an upheld appeal changed, finding by finding."""
    rows = session.execute(
        sa.select(FindingCorrection, Finding)
        .join(
            Finding,
            sa.and_(
                Finding.tenant_id == FindingCorrection.tenant_id,
                Finding.id == FindingCorrection.finding_id,
            ),
        )
        .where(
            FindingCorrection.tenant_id == appeal.tenant_id,
            FindingCorrection.appeal_id == appeal.id,
        )
        .order_by(FindingCorrection.id)
    )
    return [(row[0], row[1]) for row in rows]


# --- windows -------------------------------------------------------------------------------------


def papers_of(session: Session, form: AssessmentForm) -> list[Document]:
    """The papers of a form, as issued first; the last is in force."""
    return [row for row in documents_of(session, form.id) if row.tenant_id == form.tenant_id]


def served_at(session: Session, form: AssessmentForm) -> datetime | None:
    """When the form was acknowledged (签收) or counted as served (视为送达), the earlier; None when
    neither has happened."""
    ids = [row.id for row in papers_of(session, form)]
    if not ids:
        return None
    acknowledged = session.scalar(
        sa.select(sa.func.min(Acknowledgement.acknowledged_at)).where(
            Acknowledgement.tenant_id == form.tenant_id, Acknowledgement.document_id.in_(ids)
        )
    )
    served = session.scalar(
        sa.select(sa.func.min(DocumentStep.at)).where(
            DocumentStep.tenant_id == form.tenant_id,
            DocumentStep.document_id.in_(ids),
            DocumentStep.kind == StepKind.SERVED,
        )
    )
    return min((at for at in (acknowledged, served) if at is not None), default=None)


def window_until(
    session: Session,
    form: AssessmentForm,
    calendar: WorkingCalendar,
    decided: Sequence[Appeal] = (),
) -> datetime | None:
    """Until when a finding of the form may be appealed: so many working days after the form was
    served, and after the first decision for the last appeal. None while it has not begun."""
    since = max((row.decided_at for row in decided if row.decided_at), default=None)
    since = since or served_at(session, form)
    if since is None:
        return None
    days = terms_on(session, clock.beijing(since).date()).appeal
    return calendar.due_after(since, days).due_at


# --- who was involved ----------------------------------------------------------------------------


def involved(session: Session, finding: Finding, appeals: Sequence[Appeal]) -> list[UUID | None]:
    """Who had a part in a finding, so that none of them decides about it (company scope): who wrote
    or confirmed it, listened to its case, judged it or gave an opinion of it, who prepared and who
    signed its form, and who decided an appeal of it before."""
    heard = session.scalars(
        sa.select(Listening.by).where(
            Listening.tenant_id == finding.tenant_id, Listening.review_id == finding.review_id
        )
    )
    judged = session.execute(
        sa.select(Review.first_by, Review.judged_by).where(
            Review.tenant_id == finding.tenant_id, Review.id == finding.review_id
        )
    ).one()
    formed = session.execute(
        sa.select(AssessmentForm.prepared_by, AssessmentForm.confirmed_by).where(
            AssessmentForm.tenant_id == finding.tenant_id, AssessmentForm.id == finding.form_id
        )
    ).one()
    before = [row.decided_by for row in appeals]
    return [finding.found_by, finding.confirmed_by, *heard, *judged, *formed, *before]


# --- lists ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AppealRow:
    """An appeal in a list."""

    id: UUID
    vendor: str
    form_number: str
    case_no: str
    clause_no: str
    level: str
    person: str
    instance: int
    state: str
    raised_at: datetime
    raised_by: str
    due_at: datetime | None
    decided_at: datetime | None
    decided_by: str


def list_appeals(
    session: Session,
    *,
    vendor_id: UUID | None = None,
    state: str = "",
    cursor: str | None = None,
    size: int = 50,
) -> Page[AppealRow]:
    """Appeals, newest first. A vendor's scope shows its own."""
    statement = (
        sa.select(
            Appeal,
            Appeal.id,
            Appeal.raised_at.label("sort_key"),
            Tenant.short_name,
            AssessmentForm.number,
            Finding.case_no,
            Finding.clause_no,
            Finding.level,
            Finding.person_name,
        )
        .join(Tenant, Tenant.id == Appeal.tenant_id)
        .join(
            Finding,
            sa.and_(Finding.tenant_id == Appeal.tenant_id, Finding.id == Appeal.finding_id),
        )
        .join(
            AssessmentForm,
            sa.and_(
                AssessmentForm.tenant_id == Appeal.tenant_id, AssessmentForm.id == Appeal.form_id
            ),
        )
    )
    if vendor_id:
        statement = statement.where(Appeal.tenant_id == vendor_id)
    if state:
        statement = statement.where(Appeal.state == state)
    page = paginate(session, statement, Sort(Appeal.raised_at, Appeal.id, True), cursor, size=size)
    return page.map(
        lambda row: AppealRow(
            row.id,
            row.short_name,
            row.number or "",
            row.case_no,
            row.clause_no,
            row.level,
            row.person_name,
            row.Appeal.instance,
            row.Appeal.state,
            row.Appeal.raised_at,
            row.Appeal.raised_by_name,
            row.Appeal.due_at,
            row.Appeal.decided_at,
            row.Appeal.decided_by_name or "",
        )
    )
