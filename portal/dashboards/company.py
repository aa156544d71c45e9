"""Reads of the company's home page: what waits for whom, and each vendor's standing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import AssessmentForm, Escalation, Review
from portal.dashboards.queries import Clock
from portal.fees.models import Statement
from portal.journal.models import JournalEntry
from portal.journal.words import act_name
from portal.kernel.phrases import Phrase
from portal.rectification.models import Rectification
from portal.scoring.models import Score, ScoreState
from tenants.models import Tenant, TenantKind

ACTS = 8
HIDDEN_ACTS = ("materials.file.", "job.", "demo.")
"""Acts that come by the hundred; the journal itself shows them."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much of each kind waits for somebody."""

    reviews: int
    judged: int
    forms: int
    answers: int
    scores: int
    statements: int
    escalations: int


def _count(column: Any, *conditions: Any) -> Any:
    return sa.select(sa.func.count()).select_from(column).where(*conditions).scalar_subquery()


_MONTH: sa.BindParameter[datetime] = sa.bindparam("month", type_=sa.DateTime(timezone=True))
_WAITING = sa.select(
    _count(Review.__table__, Review.__table__.c.state == "open"),
    _count(
        Review.__table__,
        Review.__table__.c.state == "judged",
        Review.__table__.c.judged_at >= _MONTH,
    ),
    _count(AssessmentForm.__table__, AssessmentForm.__table__.c.state == "prepared"),
    _count(Rectification.__table__, Rectification.__table__.c.state == "answered"),
    _count(Score.__table__, Score.__table__.c.state == ScoreState.COMPUTED.value),
    _count(Statement.__table__, Statement.__table__.c.state == "prepared"),
    _count(Escalation.__table__, Escalation.__table__.c.seen_at.is_(None)),
)


def waiting(session: Session, month_began: datetime) -> Waiting:
    """All counts in one statement (company scope)."""
    return Waiting(*session.execute(_WAITING, {"month": month_began}).one())


@dataclass(slots=True)
class Standing:
    """A vendor on the company's page: its clocks, open notices, and its last two issued scores."""

    id: UUID
    code: str
    name: str
    running: int = 0
    overdue: int = 0
    notices: int = 0
    next_due: datetime | None = None
    scores: list[tuple[UUID, str, Decimal | None, str | None, Decimal]] = field(
        default_factory=list
    )


def _standings() -> sa.Select[Any]:
    scores = (
        sa.select(
            Score.__table__.c.id,
            Score.__table__.c.period,
            Score.__table__.c.total,
            Score.__table__.c.grade,
            Score.__table__.c.factor,
        )
        .where(
            Score.__table__.c.tenant_id == Tenant.__table__.c.id,
            Score.__table__.c.state == ScoreState.ISSUED.value,
        )
        .order_by(Score.__table__.c.period.desc())
        .limit(2)
        .lateral("scores")
    )
    t = Tenant.__table__.c
    return (
        sa.select(t.id, t.code, t.short_name, *scores.c)
        .select_from(Tenant.__table__.outerjoin(scores, sa.true()))
        .where(t.kind == TenantKind.VENDOR.value)
        .order_by(t.code, scores.c.period.desc())
    )


_STANDINGS = _standings()


def standings(session: Session, clocks: Iterable[Clock], now: datetime) -> list[Standing]:
    """Every vendor with what it owes and how it scored; those with overdue things first."""
    found: dict[UUID, Standing] = {}
    for row in session.execute(_STANDINGS):
        standing = found.setdefault(row[0], Standing(row[0], row[1], row[2]))
        if row[3] is not None:
            standing.scores.append(tuple(row[3:]))
    for clock in clocks:
        if clock.tenant_id not in found:
            continue
        standing = found[clock.tenant_id]
        standing.notices += clock.kind == "rectification"
        if clock.due_at < now:
            standing.overdue += 1
        else:
            standing.running += 1
            standing.next_due = min(standing.next_due or clock.due_at, clock.due_at)
    return sorted(found.values(), key=lambda one: (-one.overdue, one.code))


def vendor_names(standings_: Iterable[Standing]) -> dict[UUID, str]:
    """Short names by vendor."""
    return {one.id: one.name for one in standings_}


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the journal."""

    at: datetime
    who: str
    action: str
    vendor: str
    data: dict[str, Any]

    @property
    def name(self) -> Phrase | str:
        """The act in words."""
        return act_name(self.action)


_J = JournalEntry.__table__.c
_ACTS = (
    sa.select(_J.at, _J.actor_name, _J.action, Tenant.__table__.c.short_name, _J.data)
    .join(Tenant.__table__, Tenant.__table__.c.id == _J.tenant_id)
    .where(*(~_J.action.startswith(prefix, autoescape=True) for prefix in HIDDEN_ACTS))
    .order_by(_J.at.desc(), _J.id.desc())
    .limit(ACTS)
)


def latest_acts(session: Session, *, but: Collection[UUID] = ()) -> list[Act]:
    """The newest acts of the journal, without those on the subjects `but` (company scope)."""
    statement = _ACTS
    if but:
        statement = statement.where(_J.subject_id.is_(None) | _J.subject_id.not_in(but))
    return [Act(*row) for row in session.execute(statement)]
