"""What other slices and the general manager's office read of the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import AssessmentForm, Escalation, Finding, FindingState, Review
from portal.kernel import clock
from portal.kernel.money import Money
from portal.kernel.paging import Page, Sort, paginate
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class ReviewFact:
    """A case that was judged in the period."""

    id: UUID
    case_id: UUID
    case_no: str
    passed: bool
    judged_at: datetime


@dataclass(frozen=True, slots=True)
class FindingFact:
    """A finding that a form of the period reports, as judged (repetition counted in)."""

    id: UUID
    form_id: UUID
    case_id: UUID
    case_no: str
    clause: str
    clause_text: str
    level: str
    points: Decimal
    deduction: Money
    person: str
    occurred_on: date
    request_id: UUID
    delivery_id: UUID | None
    clip_from: int | None
    issued_at: datetime

    @property
    def moment_path(self) -> str:
        """The address of the moment in the recording; empty when the finding names none."""
        if self.delivery_id is None:
            return ""
        path = f"/requests/{self.request_id}/files/{self.delivery_id}/listen"
        return path if self.clip_from is None else f"{path}#t={self.clip_from}"


@dataclass(frozen=True, slots=True)
class FormFact:
    """A form issued in the period; its findings are among `ScoreFacts.findings`."""

    id: UUID
    number: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class ScoreFacts:
    """What the audit recorded of a vendor in a month: cases judged in it, and what forms issued
    in it report. Both are what stands: neither withdrawn findings nor those that fell on appeal are
    among them, a case whose findings all fell has passed, and of several findings on one call the
    heaviest counts (一事不二罚)."""

    reviews: tuple[ReviewFact, ...]
    findings: tuple[FindingFact, ...]
    forms: tuple[FormFact, ...]

    @property
    def reviewed(self) -> int:
        """Cases that were judged."""
        return len(self.reviews)

    @property
    def passed(self) -> int:
        """Of those, 合格."""
        return sum(review.passed for review in self.reviews)


def month_bounds(period: str) -> tuple[datetime, datetime]:
    """The first moment of a Beijing month ("YYYY-MM") and of the one after it."""
    year, month = map(int, period.split("-"))
    following = date(year + month // 12, month % 12 + 1, 1)
    return clock.at_beijing(date(year, month, 1)), clock.at_beijing(following)


def fell() -> sa.ColumnElement[bool]:
    """Of a failed case: whether every finding that stood against it has fallen on appeal."""
    of_review = (Finding.tenant_id == Review.tenant_id, Finding.review_id == Review.id)
    return sa.and_(
        sa.exists().where(*of_review, Finding.state == FindingState.OVERTURNED),
        ~sa.exists().where(
            *of_review, Finding.state.in_((FindingState.CONFIRMED, FindingState.ISSUED))
        ),
    )


def _rows(session: Session, statement: sa.Select[*tuple[Any, ...]]) -> sa.Result[*tuple[Any, ...]]:
    return session.execute(statement)


def score_facts(session: Session, tenant_id: UUID, period: str) -> ScoreFacts:
    """The audit's facts of a vendor and Beijing month, for the score (company scope)."""
    first, after = month_bounds(period)
    reviews = session.execute(
        sa.select(
            Review.id,
            Review.case_id,
            Review.case_no,
            sa.or_(Review.verdict == "pass", fell()).label("passed"),
            Review.judged_at,
        )
        .where(
            Review.tenant_id == tenant_id,
            Review.state == "judged",
            Review.judged_at >= first,
            Review.judged_at < after,
        )
        .order_by(Review.judged_at, Review.id)
    )
    findings = _rows(
        session,
        sa.select(
            Finding.id,
            Finding.form_id,
            Finding.case_id,
            Finding.case_no,
            Finding.clause_no,
            Finding.clause_text,
            Finding.level,
            Finding.points,
            Finding.deduction,
            Finding.person_name,
            Finding.occurred_on,
            Finding.request_id,
            Finding.delivery_id,
            Finding.clip_from,
            Finding.issued_at,
        )
        .where(
            Finding.tenant_id == tenant_id,
            Finding.state == FindingState.ISSUED,
            Finding.merged_into_id.is_(None),
            Finding.issued_at >= first,
            Finding.issued_at < after,
        )
        .order_by(Finding.issued_at, Finding.id),
    )
    forms = _rows(
        session,
        sa.select(AssessmentForm.id, AssessmentForm.number, AssessmentForm.issued_at)
        .where(
            AssessmentForm.tenant_id == tenant_id,
            AssessmentForm.issued_at >= first,
            AssessmentForm.issued_at < after,
        )
        .order_by(AssessmentForm.issued_at, AssessmentForm.id),
    )
    return ScoreFacts(
        tuple(
            ReviewFact(row.id, row.case_id, row.case_no, row.passed, row.judged_at)
            for row in reviews
        ),
        tuple(FindingFact(*row) for row in findings),
        tuple(FormFact(*row) for row in forms),
    )


@dataclass(frozen=True, slots=True)
class EscalationRow:
    """What was reported to the general manager's office at once (A5)."""

    id: UUID
    vendor: str
    case_no: str
    level: str
    clause_no: str
    clause_text: str
    facts: str
    person: str
    raised_at: datetime
    raised_by: str
    seen_at: datetime | None
    seen_by: str
    review_id: UUID
    state: str


def escalations(
    session: Session, cursor: str | None = None, *, but: Sequence[UUID] = ()
) -> Page[EscalationRow]:
    """Escalations, newest first; without those of the reviews `but`."""
    statement = (
        sa.select(
            Escalation.id,
            Escalation.raised_at.label("sort_key"),
            Escalation.raised_by_name,
            Escalation.seen_at,
            Escalation.seen_by_name,
            Escalation.state,
            Tenant.short_name,
            Finding.case_no,
            Finding.level,
            Finding.clause_no,
            Finding.clause_text,
            Finding.facts,
            Finding.person_name,
            Finding.review_id,
        )
        .join(
            Finding,
            sa.and_(Finding.tenant_id == Escalation.tenant_id, Finding.id == Escalation.finding_id),
        )
        .join(Tenant, Tenant.id == Escalation.tenant_id)
    )
    if but:
        statement = statement.where(Finding.review_id.not_in(but))
    page = paginate(session, statement, Sort(Escalation.raised_at, Escalation.id, True), cursor)
    return page.map(
        lambda row: EscalationRow(
            row.id,
            row.short_name,
            row.case_no,
            row.level,
            row.clause_no,
            row.clause_text,
            row.facts,
            row.person_name,
            row.sort_key,
            row.raised_by_name,
            row.seen_at,
            row.seen_by_name or "",
            row.review_id,
            row.state,
        )
    )
