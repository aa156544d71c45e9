"""Compute a month's score from the facts, and issue it: a snapshot that nothing recomputes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.queries import month_bounds
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.notices.numbering import next_number
from portal.notices.queries import get_document
from portal.notices.service import issue as issue_paper
from portal.notifications.service import notify
from portal.schemes.service import Version, in_force
from portal.scoring.collect import facts as collect
from portal.scoring.kind import SCORE_SCHEME
from portal.scoring.models import Score, ScoreLine, ScoreState
from portal.scoring.paper import content_of
from portal.scoring.rules import Line, score
from portal.scoring.rules import Score as Result
from portal.scoring.scheme import Source, parse_scheme
from portal.scoring.snapshot import freeze
from tenants.rows import new_id

SEEN_BY = (Role.MANAGER, Role.SUPERVISOR)


def check_period(period: str) -> str:
    """A month "YYYY-MM" that has begun; raises `Invalid`."""
    try:
        first, _after = month_bounds(period)
    except ValueError as error:
        raise Invalid(
            phrase("This is not a month."), phrase("Choose a month, such as 2026-11.")
        ) from error
    if first > clock.now():
        raise Invalid(
            phrase("This month has not begun."), phrase("Choose this month or an earlier one.")
        )
    return period


def compute(session: Session, *, tenant_id: UUID, period: str, actor: Actor) -> Score:
    """Compute (again) a vendor's score of a month. An issued score is refused: it stands.

    The scheme is the one in force on the month's last day; it is frozen with the result.
    """
    check_period(period)
    row = session.scalars(
        sa.select(Score)
        .where(Score.tenant_id == tenant_id, Score.period == period)
        .with_for_update()
    ).first()
    if row is not None and row.state == ScoreState.ISSUED:
        raise Conflict(
            phrase("The score of %(period)s is issued and stands.", period=period),
            phrase("What changes it later goes into an adjustment of the next month."),
        )
    version = _scheme_of(session, period)
    if row is None:
        row = Score(tenant_id=tenant_id, id=new_id(), period=period, state=ScoreState.COMPUTED)
    result = _measure(session, row, version.content)
    row.scheme_version = version.version
    session.add(row)
    _store(row, result, actor)
    session.flush()
    _store_lines(session, row, result)
    record(
        session,
        "scoring.score.computed",
        ("score", row.id),
        actor=actor,
        tenant_id=tenant_id,
        data={"period": period, "total": str(result.total), "scheme": version.version},
    )
    return row


def _scheme_of(session: Session, period: str) -> Version:
    """The scheme in force on the month's last day."""
    _first, after = month_bounds(period)
    last_day = clock.beijing(after - timedelta(seconds=1)).date()
    return in_force(session, SCORE_SCHEME, last_day)


def _measure(session: Session, row: Score, scheme: Mapping[str, Any]) -> Result:
    """The result of a score's month from the facts as they stand, by a scheme that is frozen with
    it."""
    found = collect(session, row.tenant_id, row.period)
    row.facts = {
        "reviewed": found.reviewed,
        "failed": len(found.failed),
        "findings": len(found.findings),
        "materials_due": tally.total if (tally := found.tally(Source.MATERIALS)) else 0,
        "scheme": dict(scheme),
    }
    return score(parse_scheme(scheme), found)


def correct(session: Session, row: Score, reason: str, *, actor: Actor) -> bool:
    """Compute a score anew after an upheld appeal. An issued one is replaced: it gets a new number
    and a paper that supersedes the former, which stays readable. The row must be locked.

    By the scheme that is frozen with the score. False when nothing changed.
    """
    before = row.result
    result = _measure(session, row, row.facts["scheme"])
    if freeze(result) == before:
        return False
    _store(row, result, actor)
    session.flush()
    _store_lines(session, row, result)
    if row.state == ScoreState.ISSUED:
        _replace_paper(session, row, reason, actor)
    record(
        session,
        "scoring.score.corrected",
        ("score", row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={
            "period": row.period,
            "from": str(before["total"]),
            "to": str(row.total),
            "reason": reason,
        },
    )
    return True


def _replace_paper(session: Session, row: Score, reason: str, actor: Actor) -> None:
    """Issue the paper of a corrected score in the place of the former."""
    former = get_document(session, row.document_id) if row.document_id else None
    row.number = next_number(session, row.tenant_id, "KH")
    _show_lines(session, row)
    document = issue_paper(
        session,
        tenant_id=row.tenant_id,
        template="score_report",
        number=row.number,
        title=title_of(row),
        content={**content_of(session, row, actor), "notes": [reason]},
        subject=("score", row.id),
        supersedes=former,
        actor=actor,
    )
    row.document_id = document.id
    session.flush()
    notify(
        session,
        tenant_id=row.tenant_id,
        roles=SEEN_BY,
        message=phrase(
            "The score of %(period)s is corrected: %(number)s",
            period=row.period,
            number=row.number,
        ),
        path=f"/scores/{row.id}",
    )


def title_of(row: Score) -> str:
    """The title of a score's paper."""
    return f"{row.period} 月度考核结果"


def _show_lines(session: Session, row: Score) -> None:
    """Let the vendor see the lines of its issued score."""
    session.execute(
        sa.update(ScoreLine)
        .where(ScoreLine.tenant_id == row.tenant_id, ScoreLine.score_id == row.id)
        .values(issued_at=row.issued_at)
    )


def _store(row: Score, result: Result, actor: Actor) -> None:
    row.result = freeze(result)
    row.total, row.grade, row.factor = result.total, result.grade, result.factor
    row.computed_at, row.computed_by_name = clock.now(), actor.name
    row.version = (row.version or 0) + 1


def lines_of(result: Result) -> list[tuple[str, str, Line]]:
    """Every lost point with its dimension and indicator, the cap's last."""
    found = [
        (dimension.code, indicator.code, line)
        for dimension in result.dimensions
        for indicator in dimension.indicators
        for line in indicator.lines
    ]
    return found + [("cap", "cap", line) for line in result.cap_lines]


def _store_lines(session: Session, row: Score, result: Result) -> None:
    session.execute(
        sa.delete(ScoreLine).where(
            ScoreLine.tenant_id == row.tenant_id, ScoreLine.score_id == row.id
        )
    )
    for position, (dimension, indicator, line) in enumerate(lines_of(result)):
        session.add(
            ScoreLine(
                tenant_id=row.tenant_id,
                score_id=row.id,
                position=position,
                dimension=dimension,
                indicator=indicator,
                points_lost=line.lost,
                reason={"reason": line.reason, "params": dict(line.params)},
                subject_type=line.link.subject_type,
                subject_id=line.link.subject_id,
            )
        )
    session.flush()


def get_score(session: Session, score_id: UUID) -> Score:
    """A score that this scope sees; raises `NotFound`."""
    row = session.scalars(sa.select(Score).where(Score.id == score_id)).first()
    if row is None:
        raise NotFound("score")
    return row


def month_over(row: Score) -> bool:
    """Whether the score's month has ended, so that it may be issued."""
    return clock.now() >= month_bounds(row.period)[1]


def _check_unchanged(session: Session, row: Score) -> None:
    """Refuse a score whose facts or scheme changed after it was computed: an issued one stands."""
    found = collect(session, row.tenant_id, row.period)
    if freeze(score(parse_scheme(_scheme_of(session, row.period).content), found)) != row.result:
        raise Conflict(
            phrase("What this score is made of has changed since it was computed."),
            phrase("Compute it again, look at the lines, then issue it."),
        )


def issue(session: Session, score_id: UUID, *, actor: Actor) -> Score:
    """Issue a computed score to its vendor: it is closed, numbered, and sent as a paper.

    Raises `Conflict` when it is issued already, its month has not ended, or what it is made of has
    changed since it was computed.
    """
    row = session.scalars(sa.select(Score).where(Score.id == score_id).with_for_update()).first()
    if row is None:
        raise NotFound("score")
    if row.state == ScoreState.ISSUED:
        raise Conflict(phrase("This score is issued already."), phrase("Reload the page."))
    if not month_over(row):
        raise Conflict(phrase("The month has not ended."), phrase("Issue the score when it has."))
    _check_unchanged(session, row)
    row.state, row.issued_at, row.issued_by_name = ScoreState.ISSUED, clock.now(), actor.name
    row.number = next_number(session, row.tenant_id, "KH")
    row.version += 1
    _show_lines(session, row)
    document = issue_paper(
        session,
        tenant_id=row.tenant_id,
        template="score_report",
        number=row.number,
        title=title_of(row),
        content=content_of(session, row, actor),
        subject=("score", row.id),
        actor=actor,
    )
    row.document_id = document.id
    session.flush()
    record(
        session,
        "scoring.score.issued",
        ("score", row.id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"number": row.number, "total": str(row.total)},
    )
    notify(
        session,
        tenant_id=row.tenant_id,
        roles=SEEN_BY,
        message=phrase(
            "The score of %(period)s is issued: %(number)s", period=row.period, number=row.number
        ),
        path=f"/scores/{row.id}",
    )
    return row
