"""What a case's judgement is kept from: whoever may still give a blind opinion of it (calibration).

From the moment a case is drawn until the opinion is given or the case's form is issued, its
judgement is closed to every auditor who had no part in it, and nothing that reaches them unasked
(messages, mails, digest, calendar feed, home page, journal) tells of it (`withheld`). Who wants to
look none the less does so and gives no opinion of it (`opinions.look`).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Escalation, Finding, Review
from portal.audits.permissions import REVIEW
from portal.audits.reviews.models import FactCheck, Listening
from portal.audits.reviews.rules import ListeningKind
from portal.kernel.access import Actor
from portal.kernel.withheld import NOTHING, Withheld


@dataclass(frozen=True, slots=True)
class Closed:
    """A case whose judgement is closed to somebody. `taken`: by them, to give the opinion;
    `form_id`: the form that is prepared of it."""

    opinion_id: UUID
    review_id: UUID
    case_no: str
    form_id: UUID | None
    taken: bool


def open_opinion() -> sa.ColumnElement[bool]:
    """Of a listening: an opinion that is neither given nor lapsed."""
    return sa.and_(
        Listening.kind == ListeningKind.OPINION.value,
        Listening.at.is_(None),
        Listening.lapsed_at.is_(None),
    )


def had_part(account_id: UUID) -> sa.ColumnElement[bool]:
    """Of a review: whether somebody listened to it, judged it or wrote one of its findings."""
    heard = sa.orm.aliased(Listening)
    return sa.or_(
        Review.first_by.is_not_distinct_from(account_id),
        Review.judged_by.is_not_distinct_from(account_id),
        sa.exists().where(
            heard.tenant_id == Review.tenant_id,
            heard.review_id == Review.id,
            heard.kind != ListeningKind.OPINION.value,
            heard.by == account_id,
        ),
        sa.exists().where(
            Finding.tenant_id == Review.tenant_id,
            Finding.review_id == Review.id,
            Finding.found_by == account_id,
        ),
    )


def may_still_give(account_id: UUID) -> sa.ColumnElement[bool]:
    """Of an open opinion and its review: whether somebody has it, or nobody has and they had no
    part in the case nor looked at it."""
    return sa.or_(
        Listening.by == account_id,
        sa.and_(
            Listening.by.is_(None), ~Listening.recused.contains([account_id]), ~had_part(account_id)
        ),
    )


def closed_to(session: Session, actor: Actor) -> dict[UUID, Closed]:
    """The cases whose judgement is closed to somebody, by review (company scope)."""
    if not actor.may(REVIEW):
        return {}
    rows = session.execute(
        sa.select(
            Listening.id,
            Listening.review_id,
            Review.case_no,
            Review.form_id,
            Listening.by.is_not_distinct_from(actor.account_id),
        )
        .join(
            Review,
            sa.and_(Review.tenant_id == Listening.tenant_id, Review.id == Listening.review_id),
        )
        .where(open_opinion(), may_still_give(actor.account_id))
    )
    return {row.review_id: Closed(*row) for row in rows}


def closed_forms(session: Session, actor: Actor) -> dict[UUID, list[Closed]]:
    """The prepared forms that tell of such cases."""
    found: dict[UUID, list[Closed]] = {}
    for one in closed_to(session, actor).values():
        if one.form_id is not None:
            found.setdefault(one.form_id, []).append(one)
    return found


def withheld(session: Session, actor: Actor) -> Withheld:
    """What messages, mails, clocks and the journal do not tell somebody of: such cases, their
    findings, the checks of their facts, the reports of what is severe, and the forms that are
    prepared of them (company scope)."""
    closed = closed_to(session, actor)
    if not closed:
        return NOTHING
    findings = sa.select(Finding.id).where(Finding.review_id.in_(closed))
    told = sa.union_all(
        findings,
        sa.select(FactCheck.id).where(FactCheck.review_id.in_(closed)),
        sa.select(Escalation.id).where(Escalation.finding_id.in_(findings)),
    )
    return Withheld(
        frozenset(closed)
        | frozenset(session.scalars(told))
        | frozenset(one.form_id for one in closed.values() if one.form_id is not None),
        frozenset(one.case_no for one in closed.values()),
    )
