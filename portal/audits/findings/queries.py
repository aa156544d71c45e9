"""Reads of findings: earlier ones of the same person and clause, and whom to hold responsible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Finding, FindingDecision, FindingState
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.vendors.models import Group, Member

STANDING = (FindingState.CONFIRMED.value, FindingState.ISSUED.value)


@dataclass(frozen=True, slots=True)
class Person:
    """A vendor's person as a finding freezes them. `id` is None for somebody typed by hand."""

    id: UUID | None
    name: str
    staff_no: str
    group_name: str
    leader_name: str


def get_finding(session: Session, finding_id: UUID, *, lock: bool = False) -> Finding:
    """A finding that this scope sees; raises `NotFound`."""
    statement = sa.select(Finding).where(Finding.id == finding_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(statement).first()
    if row is None:
        raise NotFound("finding")
    return row


def findings_of(session: Session, tenant_id: UUID, review_id: UUID) -> list[Finding]:
    """The findings of a review, oldest first, withdrawn ones too."""
    return list(
        session.scalars(
            sa.select(Finding)
            .where(Finding.tenant_id == tenant_id, Finding.review_id == review_id)
            .order_by(Finding.id)
        )
    )


def decisions_of(
    session: Session, tenant_id: UUID, finding_ids: Sequence[UUID]
) -> dict[UUID, list[FindingDecision]]:
    """What was decided about findings and why, by finding (company scope only)."""
    found: dict[UUID, list[FindingDecision]] = {}
    for row in session.scalars(
        sa.select(FindingDecision)
        .where(FindingDecision.tenant_id == tenant_id, FindingDecision.finding_id.in_(finding_ids))
        .order_by(FindingDecision.id)
    ):
        found.setdefault(row.finding_id, []).append(row)
    return found


def people(session: Session, tenant_id: UUID) -> list[Person]:
    """The vendor's people, by group and staff number, each with the group's leader."""
    leaders: dict[UUID, str] = {
        row.group_id: row.name
        for row in session.execute(
            sa.select(Member.group_id, Member.name)
            .where(
                Member.tenant_id == tenant_id,
                Member.role == "team_leader",
                Member.group_id.is_not(None),
            )
            # The last one stands: whoever leads now comes after whoever led before.
            .order_by(Member.until.asc().nulls_last(), Member.since)
        )
    }
    rows = session.execute(
        sa.select(Member.id, Member.name, Member.staff_no, Member.group_id, Group.name)
        .outerjoin(Group, sa.and_(Group.tenant_id == Member.tenant_id, Group.id == Member.group_id))
        .where(Member.tenant_id == tenant_id)
        .order_by(Group.name.nulls_last(), Member.staff_no)
    )
    return [
        Person(
            member_id, name, staff_no, group or "", leaders.get(group_id, "") if group_id else ""
        )
        for member_id, name, staff_no, group_id, group in rows
    ]


def get_person(session: Session, tenant_id: UUID, member_id: UUID) -> Person:
    """One of the vendor's people; raises `NotFound`."""
    for person in people(session, tenant_id):
        if person.id == member_id:
            return person
    raise NotFound("member")


def earlier_acts(
    session: Session,
    tenant_id: UUID,
    person: Person,
    clause_no: str,
    on: date,
    *,
    but: UUID | None = None,
) -> list[date]:
    """The days up to `on` on which the same person broke the same clause, as confirmed (A5).

    Somebody without a record among the vendor's people is known by staff number, else by name.
    """
    if person.id is not None:
        same: sa.ColumnElement[bool] = Finding.member_id == person.id
    elif person.staff_no:
        same = Finding.staff_no == person.staff_no
    else:
        same = sa.and_(Finding.person_name == person.name, Finding.staff_no == "")
    statement = sa.select(Finding.occurred_on).where(
        Finding.tenant_id == tenant_id,
        Finding.clause_no == clause_no,
        Finding.state.in_(STANDING),
        Finding.occurred_on <= on,
        same,
    )
    if but is not None:
        statement = statement.where(Finding.id != but)
    return list(session.scalars(statement.order_by(Finding.occurred_on)))


def people_with_findings(session: Session, days: int) -> list[UUID]:
    """All vendors' people with a finding that stands, of an act of the last `days` days."""
    since = clock.today() - timedelta(days=days)
    return list(
        session.scalars(
            sa.select(Finding.member_id)
            .where(
                Finding.member_id.is_not(None),
                Finding.state.in_(STANDING),
                Finding.occurred_on >= since,
            )
            .distinct()
        )
    )
