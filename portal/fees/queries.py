"""Reads of statements: the list, and the page of one with every line's link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import AssessmentForm, Finding
from portal.fees.models import Statement
from portal.fees.reasons import multiplier_shown, sentence
from portal.fees.rules import Line, LineKind
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import Phrase, phrase
from portal.scoring.addresses import first_open, of_project
from portal.vendors.models import Contract
from tenants.models import Tenant

KIND_NAMES: dict[LineKind, Phrase] = {
    LineKind.COMMISSION: phrase("Commission"),
    LineKind.TIER: phrase("Tier by attainment"),
    LineKind.FACTOR: phrase("Assessment factor"),
    LineKind.DEDUCTION: phrase("Contractual deduction"),
    LineKind.DEDUCTION_CAP: phrase("Limit of deductions"),
    LineKind.RED_LINE: phrase("Red-line deduction"),
    LineKind.REWARD: phrase("Reward"),
    LineKind.REVERSAL: phrase("Commission taken back"),
    LineKind.LATE: phrase("Late receipt"),
    LineKind.ADJUSTMENT: phrase("Adjustment"),
}


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement in a list."""

    id: UUID
    vendor: str
    period: str
    state: str
    number: str | None
    commission: Decimal
    tier: str
    factor: Decimal
    deductions: Decimal
    rewards: Decimal
    payable: Decimal


def list_statements(
    session: Session, *, period: str = "", cursor: str | None = None
) -> Page[StatementRow]:
    """Statements, the newest month first."""
    statement = sa.select(
        Statement.id,
        Tenant.short_name,
        Statement.period.label("sort_key"),
        Statement.state,
        Statement.number,
        Statement.commission,
        Statement.result["multiplier"].astext.label("multiplier"),
        Statement.factor,
        Statement.deductions,
        Statement.rewards,
        Statement.payable,
    ).join(Tenant, Tenant.id == Statement.tenant_id)
    if period:
        statement = statement.where(Statement.period == period)
    page = paginate(session, statement, Sort(Statement.period, Statement.id, True), cursor)
    return page.map(
        lambda row: StatementRow(
            row.id,
            row.short_name,
            row.sort_key,
            row.state,
            row.number,
            row.commission,
            multiplier_shown(Decimal(row.multiplier)),
            row.factor,
            row.deductions,
            row.rewards,
            row.payable,
        )
    )


@dataclass(frozen=True, slots=True)
class Heading:
    """Whose statement it is, and under which contract."""

    vendor: str
    contract: str


def heading(session: Session, row: Statement) -> Heading:
    """What a statement is headed by."""
    found = session.execute(
        sa.select(Tenant.short_name, Contract.number)
        .select_from(Contract)
        .join(Tenant, Tenant.id == Contract.tenant_id)
        .where(Contract.tenant_id == row.tenant_id, Contract.id == row.contract_id)
    ).one()
    return Heading(*found)


@dataclass(frozen=True, slots=True)
class LineView:
    """A line with its reason and the address of the fact behind it."""

    kind: Phrase
    why: Phrase
    amount: Decimal
    path: str


def line_views(
    session: Session, row: Statement, lines: Iterable[Line], *, opened: tuple[str, ...]
) -> list[LineView]:
    """Every line of a statement, for page and export. `opened` is how the addresses begin that the
    reader may open (`scoring.addresses.opens`)."""
    kept = list(lines)
    findings = [line.link.subject_id for line in kept if line.link and _is_finding(line)]
    forms: dict[UUID, tuple[UUID, UUID | None]] = {}
    if findings:
        forms = {
            found.id: (found.form_id, found.document_id)
            for found in session.execute(
                sa.select(Finding.id, Finding.form_id, AssessmentForm.document_id)
                .join(
                    AssessmentForm,
                    sa.and_(
                        AssessmentForm.tenant_id == Finding.tenant_id,
                        AssessmentForm.id == Finding.form_id,
                    ),
                )
                .where(Finding.id.in_(findings))
            )
        }
    return [
        LineView(
            KIND_NAMES[line.kind],
            sentence(line),
            line.amount,
            first_open(_addresses(line, forms, row), opened),
        )
        for line in kept
    ]


def _is_finding(line: Line) -> bool:
    return line.link is not None and line.link.subject_type == "finding"


def _addresses(
    line: Line, forms: dict[UUID, tuple[UUID, UUID | None]], row: Statement
) -> tuple[str, ...]:
    """Where the fact behind a line is seen, the nearest first: of a finding its form, and the paper
    for who sees papers only."""
    if line.link is None:
        return ()
    kind, key = line.link.subject_type, line.link.subject_id
    if kind == "finding":
        return _of_finding(key, *forms[key]) if key in forms else ()
    if kind == "project":
        band = line.params.get("age", "")
        return of_project(key, vendor_id=row.tenant_id, period=row.period, band=band)
    known = {
        "score": f"/scores/{key}",
        "receipt": f"/receipts/?{urlencode({'q': line.params.get('case_no', '')})}",
        "excellent_case": "/excellent-cases",
    }
    return (known[kind],) if kind in known else ()


def _of_finding(key: UUID, form_id: UUID, document_id: UUID | None) -> tuple[str, ...]:
    paper = (f"/papers/{document_id}",) if document_id else ()
    return (f"/assessments/{form_id}#finding-{key}", *paper)
