"""Reads of scores: the list, the trend, and the page of one with every line's link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import AssessmentForm, Finding
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import Phrase
from portal.materials.models import RequestItem
from portal.scoring.addresses import first_open, of_project
from portal.scoring.facts import Link
from portal.scoring.models import Score, ScoreState
from portal.scoring.reasons import sentence
from portal.scoring.rules import Line
from portal.scoring.snapshot import thaw
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A score in a list."""

    id: UUID
    tenant_id: UUID
    vendor: str
    period: str
    state: str
    number: str | None
    total: Decimal | None
    grade: str | None
    factor: Decimal
    issued_at: datetime | None


def list_scores(
    session: Session,
    *,
    vendor_id: UUID | None = None,
    period: str = "",
    cursor: str | None = None,
) -> Page[ScoreRow]:
    """Scores, the newest month first."""
    statement = sa.select(
        Score.id,
        Score.tenant_id,
        Tenant.short_name,
        Score.period.label("sort_key"),
        Score.state,
        Score.number,
        Score.total,
        Score.grade,
        Score.factor,
        Score.issued_at,
    ).join(Tenant, Tenant.id == Score.tenant_id)
    if vendor_id:
        statement = statement.where(Score.tenant_id == vendor_id)
    if period:
        statement = statement.where(Score.period == period)
    page = paginate(session, statement, Sort(Score.period, Score.id, True), cursor)
    return page.map(lambda row: ScoreRow(*row))


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A month's issued total."""

    period: str
    total: Decimal
    grade: str


def trend(session: Session, tenant_id: UUID, months: int = 12) -> list[TrendPoint]:
    """A vendor's issued totals, oldest first."""
    rows = session.execute(
        sa.select(Score.period, Score.total, Score.grade)
        .where(
            Score.tenant_id == tenant_id,
            Score.state == ScoreState.ISSUED,
            Score.total.is_not(None),
        )
        .order_by(Score.period.desc())
        .limit(months)
    ).all()
    return [TrendPoint(row.period, row.total, row.grade) for row in reversed(rows)]


_NAMES = ("number", "case_no")
"""Figures of a line that tell which of several alike it is."""


@dataclass(frozen=True, slots=True)
class LostLine:
    """A lost point for the page: what, why, and where its fact is seen."""

    dimension: str
    indicator: str
    lost: Decimal
    why: Phrase
    reference: str
    path: str


def lost_lines(
    session: Session, row: Score, lines: Iterable[tuple[str, str, Line]], *, opened: tuple[str, ...]
) -> list[LostLine]:
    """Every line with the address of its fact (UX 15), as far as the reader may open it; `opened`
    is how the addresses begin that may be (`addresses.opens`)."""
    titles = {d.code: (d.title, d.title_en) for d in thaw(row.result).dimensions}
    kept = list(lines)
    parents = _parents(session, [line.link for _d, _i, line in kept])
    return [
        LostLine(
            titles.get(dimension, (dimension, dimension))[0],
            indicator,
            line.lost,
            sentence(line),
            " · ".join(line.params[name] for name in _NAMES if line.params.get(name)),
            first_open(_addresses(line, parents, row), opened),
        )
        for dimension, indicator, line in kept
    ]


def _parents(session: Session, links: list[Link]) -> dict[UUID, tuple[str, ...]]:
    """Where each finding, item and failed review is seen: on its form or its request, and the
    form's paper for who sees papers only.

    A vendor sees no review, but the issued finding that came of it.
    """
    findings = [link.subject_id for link in links if link.subject_type == "finding"]
    items = [link.subject_id for link in links if link.subject_type == "request_item"]
    reviews = [link.subject_id for link in links if link.subject_type == "review"]
    found: dict[UUID, tuple[str, ...]] = {}
    if findings or reviews:
        rows = session.execute(
            sa.select(Finding.id, Finding.review_id, Finding.form_id, AssessmentForm.document_id)
            .join(
                AssessmentForm,
                sa.and_(
                    AssessmentForm.tenant_id == Finding.tenant_id,
                    AssessmentForm.id == Finding.form_id,
                ),
            )
            .where(sa.or_(Finding.id.in_(findings), Finding.review_id.in_(reviews)))
            .order_by(Finding.found_at.desc(), Finding.id.desc())
        )
        for row in rows:
            paper = (f"/papers/{row.document_id}",) if row.document_id else ()
            form = f"/assessments/{row.form_id}#finding-{row.id}"
            found[row.id] = found[row.review_id] = (form, *paper)
    if items:
        more = session.execute(
            sa.select(RequestItem.id, RequestItem.request_id).where(RequestItem.id.in_(items))
        )
        found.update({row.id: (f"/requests/{row.request_id}#item-{row.id}",) for row in more})
    return found


def _addresses(line: Line, parents: dict[UUID, tuple[str, ...]], row: Score) -> tuple[str, ...]:
    """Where a fact is seen, the nearest first."""
    kind, key = line.link.subject_type, line.link.subject_id
    if kind == "rectification":
        return (f"/rectifications/{key}",)
    if kind == "review":
        return (f"/reviews/{key}", *parents.get(key, ()))
    if kind in ("finding", "request_item"):
        return parents.get(key, ())
    if kind == "project":
        band = line.params.get("age", "")
        return of_project(key, vendor_id=row.tenant_id, period=row.period, band=band)
    return ()


def vendor_name(session: Session, tenant_id: UUID) -> str:
    """The short name of whoever the score is of."""
    return session.scalars(sa.select(Tenant.short_name).where(Tenant.id == tenant_id)).one()
