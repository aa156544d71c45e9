"""Repetition (屡犯): the same clause, person or group in a notice of the months before (C2.4, A5).

It is found when a notice is prepared, and proposes the next grade, which the issuer takes or
refuses with a reason; until then the notice is not issued.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Finding, FindingState
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict
from portal.kernel.phrases import phrase
from portal.kernel.reasons import reason_of
from portal.rectification.kinds import RectificationState as State
from portal.rectification.models import Rectification, Repetition
from portal.vendors.clauses import Level, months_later
from portal.vendors.penalties import catalogue_on

_CLAUSE = re.compile(r"第\s*(\d{3})\s*条")


@dataclass(frozen=True, slots=True)
class Marks:
    """What a notice is about: clause numbers, and the people (what they are known by, name) and
    groups of the findings behind it."""

    clauses: frozenset[str]
    people: frozenset[tuple[str, str]]
    groups: frozenset[str]

    def known(self) -> frozenset[str]:
        """What its people are known by."""
        return frozenset(known for known, _name in self.people)

    def shared(self, other: Marks) -> tuple[str, ...]:
        """What both are about, as it is printed: clauses, then people, then groups."""
        return (
            *(f"第{no}条" for no in sorted(self.clauses & other.clauses)),
            *sorted(name for known, name in self.people if known in other.known()),
            *sorted(self.groups & other.groups),
        )


def clauses_in(text: str) -> frozenset[str]:
    """The clause numbers that a text cites as 第…条."""
    return frozenset(_CLAUSE.findall(text))


@dataclass(frozen=True, slots=True)
class Repeat:
    """An earlier notice on the same clause, person or group (`shared`)."""

    id: UUID
    number: str
    level: str
    issued_at: datetime
    shared: tuple[str, ...]


def found(session: Session, notice: Rectification) -> tuple[Repeat, ...]:
    """The vendor's notices of the months before this one (of the penalty clauses' scheme) that
    share a clause, person or group with it, the newest first. Cancelled ones do not count, nor
    another notice of the same form: that is the same act, unless this one follows it."""
    until = notice.issued_at or clock.now()
    day = clock.beijing(until).date()
    months = catalogue_on(session, day).catalogue.repeat_months
    rows = session.scalars(
        sa.select(Rectification)
        .where(
            Rectification.tenant_id == notice.tenant_id,
            Rectification.id != notice.id,
            Rectification.issued_at < until,
            Rectification.issued_at >= clock.at_beijing(months_later(day, -months)),
            Rectification.state != State.CANCELLED,
            _of_another_act(notice),
        )
        .order_by(Rectification.issued_at.desc())
    ).all()
    marks = _marks(session, [notice, *rows])
    return tuple(
        Repeat(row.id, row.number or "", row.level, row.issued_at, shared)
        for row in rows
        if row.issued_at and (shared := marks[notice.id].shared(marks[row.id]))
    )


def _of_another_act(notice: Rectification) -> sa.ColumnElement[bool]:
    if notice.form_id is None:
        return sa.true()
    return sa.or_(
        Rectification.form_id.is_distinct_from(notice.form_id),
        Rectification.id == notice.follows_id,
    )


def _marks(session: Session, notices: Iterable[Rectification]) -> dict[UUID, Marks]:
    rows = list(notices)
    forms = {row.form_id for row in rows if row.form_id is not None}
    findings = session.scalars(
        sa.select(Finding).where(
            Finding.tenant_id == rows[0].tenant_id,
            Finding.form_id.in_(forms),
            Finding.state != FindingState.OVERTURNED,
        )
    ).all()
    made = {}
    for row in rows:
        own = [one for one in findings if one.form_id == row.form_id]
        made[row.id] = Marks(
            clauses_in(row.grounds) | {one.clause_no for one in own},
            frozenset((_known_by(one), one.person_name) for one in own if one.person_name),
            frozenset(one.group_name for one in own if one.group_name),
        )
    return made


def _known_by(finding: Finding) -> str:
    """What a finding's person is known by: the record among the vendor's people, else the staff
    number, else the name."""
    return str(finding.member_id or finding.staff_no or finding.person_name)


def decision_of(session: Session, notice: Rectification) -> Repetition | None:
    """What was decided about a notice's repetition (company scope), or None."""
    return session.scalars(
        sa.select(Repetition).where(
            Repetition.tenant_id == notice.tenant_id, Repetition.rectification_id == notice.id
        )
    ).first()


def proposed(session: Session, notice: Rectification) -> Level | None:
    """The next grade that a repetition proposes for a draft and nobody decided on; else None. A
    red line has none above it."""
    level = Level(notice.level)
    if notice.state != State.DRAFT or level.next is level:
        return None
    if decision_of(session, notice) is not None or not found(session, notice):
        return None
    return level.next


def check_decided(session: Session, notice: Rectification) -> None:
    """Refuse to issue a repetition that nobody decided on, or one whose taken grade was edited
    away (`Conflict`)."""
    decision = decision_of(session, notice)
    if proposed(session, notice) is not None:
        raise Conflict(
            phrase("The same clause, person or group was in a notice of the months before."),
            phrase("Take the next grade, or refuse it with a reason; then issue."),
        )
    if decision and decision.taken and Level(notice.level).rank < Level(decision.to_level).rank:
        raise Conflict(
            phrase("The next grade was taken for the repetition, and the draft is below it."),
            phrase("Edit the draft to that grade, then issue it."),
        )


def decide(
    session: Session, notice: Rectification, *, take: bool, reason: str, actor: Actor
) -> None:
    """Take the next grade, with its own deadline, or refuse it with a reason. The notice must be
    locked. Raises `Conflict` when nothing is proposed, `Invalid` for a refusal without a reason."""
    to = proposed(session, notice)
    if to is None:
        raise Conflict(
            phrase("No higher grade is proposed for this notice."),
            phrase("The page shows its present state."),
        )
    text = reason.strip()[:1_000] if take else reason_of(reason)
    session.add(
        Repetition(
            tenant_id=notice.tenant_id,
            rectification_id=notice.id,
            taken=take,
            reason=text,
            from_level=notice.level,
            to_level=to.value,
            decided_at=clock.now(),
            decided_by=actor.account_id,
            decided_by_name=actor.name,
        )
    )
    if take:
        outcome = catalogue_on(session, clock.today()).catalogue.outcomes[to]
        notice.level, notice.working_days = to.value, outcome.rectify_working_days
    notice.version += 1
    session.flush()
    record(
        session,
        "rectification.repetition.taken" if take else "rectification.repetition.refused",
        ("rectification", notice.id),
        actor=actor,
        tenant_id=notice.tenant_id,
        data={"to": to.value},
    )
