"""Reads of statements: the list, and the page of one with every line's link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Finding
from portal.fees.models import Statement
from portal.fees.reasons import sentence
from portal.fees.rules import Line, LineKind
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import Phrase, phrase
from portal.scoring.addresses import first_open, of_project
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
            tier_shown(Decimal(row.multiplier)),
            row.factor,
            row.deductions,
            row.rewards,
            row.payable,
        )
    )


def tier_shown(multiplier: Decimal) -> str:
    """The tiers' multiplier as read: two places, four where each part has a tier of its own."""
    places = multiplier.quantize(Decimal("0.0001"))
    return f"{places:.2f}" if places == places.quantize(Decimal("0.01")) else f"{places:f}"


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
    forms: dict[UUID, UUID | None] = {}
    if findings:
        forms = {
            found.id: found.form_id
            for found in session.execute(
                sa.select(Finding.id, Finding.form_id).where(Finding.id.in_(findings))
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


def _addresses(line: Line, forms: dict[UUID, UUID | None], row: Statement) -> tuple[str, ...]:
    """Where the fact behind a line is seen, the nearest first."""
    if line.link is None:
        return ()
    kind, key = line.link.subject_type, line.link.subject_id
    if kind == "finding":
        return (f"/assessments/{forms[key]}#finding-{key}",) if forms.get(key) else ()
    if kind == "score":
        return (f"/scores/{key}",)
    if kind == "project":
        band = line.params.get("age", "")
        return of_project(key, vendor_id=row.tenant_id, period=row.period, band=band)
    return ("/excellent-cases",) if kind == "excellent_case" else ()
