"""Reads of assessment forms: lists, one form with its rows, what it lacks (A6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import AssessmentForm, Finding, FindingState, Review
from portal.audits.queries import fell
from portal.audits.rules import Row, what_is_missing
from portal.cases.models import Case
from portal.kernel import clock
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import Phrase
from portal.materials.models import Delivery, MaterialRequest
from portal.vendors.models import Member, Project
from portal.vendors.penalties import catalogue_on
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class FormRow:
    """A form in a list. `points` and `deduction` are the sums of its findings."""

    id: UUID
    vendor: str
    number: str
    request_no: str
    period: str
    state: str
    reviewed: int
    passed: int
    unjudged: int
    findings: int
    points: Decimal
    deduction: Decimal
    prepared_at: datetime
    prepared_by: str
    confirmed_by: str
    issued_at: datetime | None


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding as it stands on the form: with its case, personal data masked (A6)."""

    finding: Finding
    entrusting_company: str
    card: str
    customer: str
    age_band: str
    project: str
    call_seconds: int | None
    merged_into: str = ""
    """The clause that counts in its place on the same call (一事不二罚); empty when it counts."""

    @property
    def overturned(self) -> bool:
        """Whether an appeal was upheld: the finding stands no more."""
        return self.finding.state == FindingState.OVERTURNED

    @property
    def points(self) -> Decimal:
        """What it costs: nothing while it is merged into another, or overturned."""
        return Decimal(0) if self.merged_into or self.overturned else self.finding.points

    @property
    def deduction(self) -> Decimal:
        """The same, in money."""
        return Decimal(0) if self.merged_into or self.overturned else self.finding.deduction

    @property
    def recording_path(self) -> str:
        """Where the recording is, at the moment of the problem; empty when none is named."""
        row = self.finding
        if row.delivery_id is None:
            return ""
        path = f"/requests/{row.request_id}/files/{row.delivery_id}/listen"
        return path if row.clip_from is None else f"{path}#t={row.clip_from}"


@dataclass(frozen=True, slots=True)
class ReviewedRow:
    """A reviewed case of the form with its verdict, passed when all its findings fell on appeal
    (company scope only)."""

    review_id: UUID
    case_no: str
    entrusting_company: str
    card: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Addressee:
    """To whom the form goes (A5): 经理, 组长, 责任人."""

    part: str
    name: str
    account_id: UUID | None


def get_form(session: Session, form_id: UUID, *, lock: bool = False) -> AssessmentForm:
    """A form that this scope sees; raises `NotFound`."""
    statement = sa.select(AssessmentForm).where(AssessmentForm.id == form_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("assessment form")
    return row


def list_forms(
    session: Session,
    *,
    vendor_id: UUID | None = None,
    state: str = "",
    cursor: str | None = None,
    size: int = 50,
) -> Page[FormRow]:
    """Forms, newest first. A vendor's scope shows the issued ones of its own."""
    statement = (
        sa.select(
            AssessmentForm,
            AssessmentForm.id,
            AssessmentForm.prepared_at.label("sort_key"),
            MaterialRequest.number.label("request_no"),
            Tenant.short_name,
        )
        .join(Tenant, Tenant.id == AssessmentForm.tenant_id)
        .join(
            MaterialRequest,
            sa.and_(
                MaterialRequest.tenant_id == AssessmentForm.tenant_id,
                MaterialRequest.id == AssessmentForm.request_id,
            ),
        )
    )
    if vendor_id:
        statement = statement.where(AssessmentForm.tenant_id == vendor_id)
    if state:
        statement = statement.where(AssessmentForm.state == state)
    sort = Sort(AssessmentForm.prepared_at, AssessmentForm.id, True)
    page = paginate(session, statement, sort, cursor, size=size)
    sums = _sums(session, page.items)
    return page.map(lambda row: _form_row(row, sums))


_COUNTS = Finding.merged_into_id.is_(None)


def _sums(session: Session, rows: Sequence[Any]) -> dict[UUID, tuple[int, Decimal, Decimal]]:
    keys = [(row.AssessmentForm.tenant_id, row.id) for row in rows]
    found = session.execute(
        sa.select(
            Finding.form_id,
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(Finding.points).filter(_COUNTS), 0),
            sa.func.coalesce(sa.func.sum(Finding.deduction).filter(_COUNTS), 0),
        )
        .where(
            sa.tuple_(Finding.tenant_id, Finding.form_id).in_(keys),
            Finding.state != FindingState.OVERTURNED,
        )
        .group_by(Finding.form_id)
    )
    return {form_id: (count, points, money) for form_id, count, points, money in found if form_id}


def _form_row(row: Any, sums: dict[UUID, tuple[int, Decimal, Decimal]]) -> FormRow:
    form: AssessmentForm = row.AssessmentForm
    count, points, deduction = sums.get(form.id, (0, Decimal(0), Decimal(0)))
    return FormRow(
        form.id,
        row.short_name,
        form.number or "",
        row.request_no,
        form.period,
        form.state,
        form.reviewed,
        form.passed,
        form.unjudged,
        count,
        points,
        deduction,
        form.prepared_at,
        form.prepared_by_name,
        form.confirmed_by_name or "",
        form.issued_at,
    )


def finding_rows(session: Session, form: AssessmentForm) -> list[FindingRow]:
    """The form's findings by case number, as they stand or will stand on paper; those that fell on
    appeal among them."""
    rows = session.execute(
        sa.select(Finding, Case, Project.name, Delivery.check_result)
        .join(Case, sa.and_(Case.tenant_id == Finding.tenant_id, Case.id == Finding.case_id))
        .join(Project, sa.and_(Project.tenant_id == Case.tenant_id, Project.id == Case.project_id))
        .outerjoin(
            Delivery,
            sa.and_(Delivery.tenant_id == Finding.tenant_id, Delivery.id == Finding.delivery_id),
        )
        .where(Finding.tenant_id == form.tenant_id, Finding.form_id == form.id)
        .order_by(Finding.case_no, Finding.id)
    ).all()
    clauses = {finding.id: finding.clause_no for finding, *_rest in rows}
    return [
        FindingRow(
            finding,
            case.entrusting_company,
            case.card_masked,
            case.debtor_masked,
            case.age_band,
            project,
            _seconds(checked),
            clauses.get(finding.merged_into_id, "") if finding.merged_into_id else "",
        )
        for finding, case, project, checked in rows
    ]


def _seconds(checked: dict[str, Any] | None) -> int | None:
    found = ((checked or {}).get("facts") or {}).get("duration")
    return None if found is None else int(found)


def reviewed_rows(session: Session, form: AssessmentForm) -> list[ReviewedRow]:
    """The cases that the form reports, by case number."""
    rows = session.execute(
        sa.select(
            Review.id,
            Review.case_no,
            Case.entrusting_company,
            Case.card_masked,
            sa.or_(Review.verdict == "pass", fell()),
        )
        .join(Case, sa.and_(Case.tenant_id == Review.tenant_id, Case.id == Review.case_id))
        .where(Review.tenant_id == form.tenant_id, Review.form_id == form.id)
        .order_by(Review.case_no, Review.id)
    )
    return [
        ReviewedRow(review_id, case_no, company, card, passed)
        for review_id, case_no, company, card, passed in rows
    ]


def missing(session: Session, form: AssessmentForm, rows: Sequence[FindingRow]) -> list[Phrase]:
    """What keeps the form from being issued (A5, A6), for people; empty when it is complete."""
    texts: dict[tuple[str, date], str] = {}
    checked = []
    for row in rows:
        finding = row.finding
        key = (finding.clause_no, finding.occurred_on)
        if key not in texts:
            texts[key] = _clause_text(session, *key)
        checked.append(
            Row(
                case_no=finding.case_no,
                entrusting_company=row.entrusting_company,
                card=row.card,
                handling=finding.handling,
                clause_no=finding.clause_no,
                clause_text=finding.clause_text,
                clause_text_in_force=texts[key],
                person=finding.person_name,
                facts=finding.facts,
            )
        )
    parts = {addressee.part for addressee in addressees(session, form.tenant_id, rows)}
    return list(what_is_missing(checked, has_manager=bool(parts & {"经理", "主管"})))


def _clause_text(session: Session, clause_no: str, day: date) -> str:
    try:
        return catalogue_on(session, day).catalogue.get(clause_no).text
    except Invalid:
        return ""


def addressees(session: Session, tenant_id: UUID, rows: Sequence[FindingRow]) -> list[Addressee]:
    """The recipients of A5: the vendor's manager (or supervisor), the leaders of the groups
    concerned, the persons responsible; with their accounts where they have one."""
    today = clock.today()
    members = list(
        session.scalars(
            sa.select(Member)
            .where(
                Member.tenant_id == tenant_id,
                sa.or_(Member.until.is_(None), Member.until >= today),
            )
            .order_by(Member.staff_no)
        )
    )
    managers = [m for m in members if m.role == "manager"]
    chosen = [Addressee("经理", m.name, m.account_id) for m in managers] or [
        Addressee("主管", m.name, m.account_id) for m in members if m.role == "supervisor"
    ]
    groups = {m.group_id for row in rows for m in members if m.id == row.finding.member_id}
    leaders = {row.finding.leader_name for row in rows} - {""}
    chosen += [
        Addressee("组长", m.name, m.account_id)
        for m in members
        if m.role == "team_leader" and (m.group_id in groups - {None} or m.name in leaders)
    ]
    accounts = {m.id: m.account_id for m in members}
    people = {
        (row.finding.member_id or row.finding.person_name): Addressee(
            "责任人",
            row.finding.person_name,
            accounts.get(row.finding.member_id) if row.finding.member_id else None,
        )
        for row in rows
        if row.finding.person_name
    }
    return [*chosen, *people.values()]
