"""Calibration: a share of the judged cases goes, blindly, to another auditor; how far both agree.

Whoever takes an opinion sees the case, its materials, calls and what the vendor said, and nothing
of the others' marks, notes, findings and verdicts until it is given; nor does, before that, anybody
who could take it (`blind`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Review
from portal.audits.reviews.blind import may_still_give, open_opinion
from portal.audits.reviews.models import Listening
from portal.audits.reviews.rules import Agreement, ListeningKind, agreement
from portal.audits.reviews.stages import REMARK
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.phrases import phrase
from tenants.models import Tenant

_OPINION = Listening.kind == ListeningKind.OPINION.value
MOST = 100
"""Waiting and given opinions that a page lists."""


@dataclass(frozen=True, slots=True)
class OpinionRow:
    """A case drawn for an opinion. `verdict` and what the desk judged only once it is given."""

    id: UUID
    review_id: UUID
    case_no: str
    vendor: str
    asked_at: datetime
    by: str
    at: datetime | None
    verdict: str | None
    clause_no: str
    judged: str | None
    judged_by: str

    @property
    def agrees(self) -> bool:
        """Whether both gave the same verdict."""
        return self.verdict == self.judged


def get_opinion(session: Session, opinion_id: UUID, *, lock: bool = False) -> Listening:
    """An opinion asked for (company scope); raises `NotFound`."""
    statement = sa.select(Listening).where(Listening.id == opinion_id, _OPINION)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("opinion")
    return row


def _may_give(session: Session, row: Listening, account_id: UUID) -> bool:
    """Whether somebody had no part in the case of an open opinion and did not look at it."""
    found = session.scalar(
        sa.select(Listening.id)
        .join(
            Review,
            sa.and_(Review.tenant_id == Listening.tenant_id, Review.id == Listening.review_id),
        )
        .where(Listening.id == row.id, open_opinion(), may_still_give(account_id))
    )
    return found is not None


def look(session: Session, row: Listening, review: Review, *, actor: Actor) -> None:
    """Look at the desk's work on the case and give no opinion of it. `Conflict` for who took it."""
    if row.by == actor.account_id and row.at is None and row.lapsed_at is None:
        raise Conflict(
            phrase("You took this opinion: the case is closed to you until it is given."),
            phrase("Give the opinion first."),
        )
    if row.at is None and row.lapsed_at is None and actor.account_id not in row.recused:
        row.recused = [*row.recused, actor.account_id]
        row.version += 1
        session.flush()
        _journal(session, row, review, "recused", actor)


def lapse(session: Session, tenant_id: UUID, form_id: UUID) -> int:
    """A form is issued: opinions of its cases that nobody gave come too late now; how many."""
    rows = session.scalars(
        sa.select(Listening)
        .join(
            Review,
            sa.and_(Review.tenant_id == Listening.tenant_id, Review.id == Listening.review_id),
        )
        .where(Review.tenant_id == tenant_id, Review.form_id == form_id, open_opinion())
        .with_for_update(of=Listening)
    ).all()
    for row in rows:
        row.lapsed_at = clock.now()
        row.version += 1
    session.flush()
    return len(rows)


def take(session: Session, row: Listening, review: Review, *, actor: Actor) -> None:
    """Take an opinion on; `Conflict` for who worked on the case, and when another took it."""
    if row.by == actor.account_id:
        return
    if row.by is not None or row.lapsed_at is not None:
        raise Conflict(
            phrase("Another auditor took this opinion, or it came too late."),
            phrase("Take another from the list."),
        )
    if not _may_give(session, row, actor.account_id):
        raise Conflict(
            phrase("You worked on this case or looked at it: your opinion would not be blind."),
            phrase("Leave it to another auditor."),
        )
    row.by, row.by_name = actor.account_id, actor.name
    row.version += 1
    session.flush()
    _journal(session, row, review, "taken", actor)


def give(
    session: Session,
    row: Listening,
    review: Review,
    *,
    passed: bool,
    clause_no: str,
    remark: str,
    actor: Actor,
) -> None:
    """Give the opinion, once; from now on both verdicts are shown to everybody at the desk."""
    if row.by != actor.account_id or row.at is not None or row.lapsed_at is not None:
        raise Conflict(
            phrase("This opinion was given already, lapsed, or another auditor took it."),
            phrase("Reload the list of opinions."),
        )
    row.verdict = "pass" if passed else "fail"
    row.clause_no = "" if passed else clause_no
    row.remark, row.at = remark.strip()[:REMARK], clock.now()
    row.version += 1
    session.flush()
    _journal(session, row, review, "given", actor, verdict=row.verdict)


def _rows(session: Session, *conditions: sa.ColumnElement[bool]) -> list[OpinionRow]:
    found = session.execute(
        sa.select(
            Listening.id,
            Listening.review_id,
            Review.case_no,
            Tenant.short_name,
            Listening.asked_at,
            sa.func.coalesce(Listening.by_name, ""),
            Listening.at,
            Listening.verdict,
            Listening.clause_no,
            Review.verdict,
            sa.func.coalesce(Review.judged_by_name, ""),
        )
        .join(
            Review,
            sa.and_(Review.tenant_id == Listening.tenant_id, Review.id == Listening.review_id),
        )
        .join(Tenant, Tenant.id == Listening.tenant_id)
        .where(_OPINION, *conditions)
        .order_by(Listening.asked_at.desc(), Listening.id.desc())
        .limit(MOST)
    )
    return [OpinionRow(*row) for row in found]


def waiting(session: Session, actor: Actor) -> list[OpinionRow]:
    """The opinions that this auditor may take or has taken, newest first."""
    return _rows(session, open_opinion(), may_still_give(actor.account_id))


def lapsed(session: Session, since: datetime) -> int:
    """How many opinions came too late since then."""
    counted = sa.select(sa.func.count()).where(_OPINION, Listening.lapsed_at >= since)
    return session.scalar(counted) or 0


def given(session: Session) -> list[OpinionRow]:
    """The newest opinions that are given, beside the desk's verdicts."""
    return _rows(session, Listening.at.is_not(None), Review.verdict.is_not(None))


@dataclass(frozen=True, slots=True)
class JudgeAgreement:
    """How far the opinions on one auditor's verdicts agree with them."""

    judge: str
    found: Agreement


def agreements(session: Session, since: datetime) -> tuple[Agreement, Sequence[JudgeAgreement]]:
    """The agreement over all cases whose opinion was given since then, and by judging auditor."""
    rows = session.execute(
        sa.select(Review.judged_by_name, Review.verdict == "pass", Listening.verdict == "pass")
        .join(
            Review,
            sa.and_(Review.tenant_id == Listening.tenant_id, Review.id == Listening.review_id),
        )
        .where(_OPINION, Listening.at >= since, Review.verdict.is_not(None))
        .order_by(Review.judged_by_name)
    ).all()
    by_judge: dict[str, list[tuple[bool, bool]]] = {}
    for judge, passed, too in rows:
        by_judge.setdefault(judge or "", []).append((passed, too))
    whole = agreement((passed, too) for _judge, passed, too in rows)
    return whole, [JudgeAgreement(judge, agreement(pairs)) for judge, pairs in by_judge.items()]


def _journal(
    session: Session, row: Listening, review: Review, act: str, actor: Actor, **data: object
) -> None:
    record(
        session,
        f"audits.opinion.{act}",
        ("review", row.review_id),
        actor=actor,
        tenant_id=row.tenant_id,
        data={"case_no": review.case_no, **data},
    )
