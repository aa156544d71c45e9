"""Calibration: a share of the judged cases goes, blindly, to another auditor; how far both agree.

Whoever takes an opinion sees the case, its materials, calls and what the vendor said, and nothing
of the others' marks, notes, findings and verdicts until it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Finding, Review
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


def worked_on_it(session: Session, review: Review, account_id: UUID) -> bool:
    """Whether somebody listened to the case, judged it or wrote one of its findings."""
    if account_id in (review.first_by, review.judged_by):
        return True
    heard = sa.exists().where(
        Listening.tenant_id == review.tenant_id,
        Listening.review_id == review.id,
        Listening.kind != ListeningKind.OPINION,
        Listening.by == account_id,
    )
    wrote = sa.exists().where(
        Finding.tenant_id == review.tenant_id,
        Finding.review_id == review.id,
        Finding.found_by == account_id,
    )
    return bool(session.scalar(sa.select(sa.or_(heard, wrote))))


def blind(session: Session, review: Review, account_id: UUID) -> UUID | None:
    """The opinion that somebody took of this case and has not given: until then the desk's page
    of it stays closed to them."""
    return session.scalar(
        sa.select(Listening.id).where(
            Listening.tenant_id == review.tenant_id,
            Listening.review_id == review.id,
            _OPINION,
            Listening.by == account_id,
            Listening.at.is_(None),
        )
    )


def take(session: Session, row: Listening, review: Review, *, actor: Actor) -> None:
    """Take an opinion on; `Conflict` for who worked on the case, and when another took it."""
    if row.by == actor.account_id:
        return
    if row.by is not None:
        raise Conflict(
            phrase("Another auditor took this opinion."), phrase("Take another from the list.")
        )
    if worked_on_it(session, review, actor.account_id):
        raise Conflict(
            phrase("You worked on this case, so your opinion would not be blind."),
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
    if row.by != actor.account_id or row.at is not None:
        raise Conflict(
            phrase("This opinion was given already, or another auditor took it."),
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
    own = Listening.by == actor.account_id
    mine = sa.and_(
        Listening.by.is_(None),
        Review.first_by.is_distinct_from(actor.account_id),
        Review.judged_by.is_distinct_from(actor.account_id),
    )
    return _rows(session, Listening.at.is_(None), sa.or_(own, mine))


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
