"""Cases in hand as a draw takes them: who holds which, packed, by group and with marks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import Session

from portal.cases.models import HELD, Case
from portal.cases.rules import CaseStatus
from portal.vendors.models import Group

HELD_VALUES = tuple(status.value for status in HELD)
_HELD_HERE = Case.status.in_([sa.literal_column(f"'{value}'") for value in HELD_VALUES])
"""As literals, so that the partial index `ix_cases_held` is seen to fit."""


def in_hand_packed(session: Session) -> Iterator[tuple[UUID, bytes]]:
    """Each vendor's cases in hand (在案量, A3) as `portal.cases.draw` takes a population: the ids'
    16 bytes in ascending order, joined. Vendors by id, those without cases left out."""
    ids = sa.func.string_agg(
        sa.text("uuid_send(cases.id), ''::bytea ORDER BY cases.id"), type_=sa.LargeBinary
    )
    rows = session.execute(
        sa.select(Case.tenant_id, ids)
        .where(_HELD_HERE)
        .group_by(Case.tenant_id)
        .order_by(Case.tenant_id)
    )
    for tenant_id, packed in rows:
        yield tenant_id, bytes(packed)


@dataclass(frozen=True, slots=True)
class Marking:
    """What gives a case in hand its stratum and weight (`portal.cases.strata`): whether the group
    does (by the order of their ids from 1; 0 is without); ascending limits in days past due
    and in CNY; what is added to the weight of 1 for suspended cases, and for the cases of the
    people `risky`."""

    group: bool
    days: Sequence[int]
    amounts: Sequence[int]
    suspended: int = 0
    risky: Collection[UUID] = ()
    extra: int = 0


def in_hand_marked(session: Session, marking: Marking) -> Iterator[tuple[UUID, bytes]]:
    """Each vendor's cases in hand as `portal.cases.strata` takes a population: 19 bytes a case, in
    ascending order, joined. Vendors by id, those without cases left out."""
    groups = _numbered_groups()
    group = sa.func.coalesce(groups.c.number, 0) if marking.group else sa.literal(0)
    number = (group * (len(marking.days) + 1) + _class_of(Case.days_past_due, marking.days)) * (
        len(marking.amounts) + 1
    ) + _class_of(Case.amount, marking.amounts)
    weight: Any = sa.literal(1)
    if marking.suspended:
        is_suspended = Case.status == CaseStatus.SUSPENDED.value
        weight = weight + sa.case((is_suspended, marking.suspended), else_=0)
    if marking.extra and marking.risky:
        is_risky = Case.member_id == sa.any_(sa.cast(list(marking.risky), ARRAY(sa.Uuid)))
        weight = weight + sa.case((is_risky, marking.extra), else_=0)
    entry = (
        sa.func.uuid_send(Case.id, type_=sa.LargeBinary)
        .concat(sa.func.substring(sa.func.int4send(sa.cast(number, sa.Integer)), 3))
        .concat(sa.func.substring(sa.func.int4send(sa.cast(weight, sa.Integer)), 4))
    )
    rows = session.execute(
        sa.select(
            Case.tenant_id,
            sa.func.string_agg(
                entry,
                aggregate_order_by(sa.literal_column("''::bytea"), Case.id),
                type_=sa.LargeBinary,
            ),
        )
        .outerjoin(
            groups,
            sa.and_(groups.c.tenant_id == Case.tenant_id, groups.c.id == Case.group_id),
        )
        .where(_HELD_HERE)
        .group_by(Case.tenant_id)
        .order_by(Case.tenant_id)
    )
    for tenant_id, packed in rows:
        yield tenant_id, bytes(packed)


def _numbered_groups() -> sa.Subquery:
    by_id = sa.func.row_number().over(partition_by=Group.tenant_id, order_by=Group.id)
    return sa.select(Group.tenant_id, Group.id, by_id.label("number")).subquery()


def groups_in_order(session: Session) -> dict[UUID, list[str]]:
    """The names of each vendor's groups in the order in which `in_hand_marked` numbers them. Read
    after it: a group made meanwhile stands last."""
    found: dict[UUID, list[str]] = {}
    rows = session.execute(
        sa.select(Group.tenant_id, Group.name).order_by(Group.tenant_id, Group.id)
    )
    for tenant_id, name in rows:
        found.setdefault(tenant_id, []).append(name)
    return found


def _class_of(column: Any, limits: Sequence[int]) -> Any:
    """How many of the ascending limits a value has reached."""
    if not limits:
        return sa.literal(0)
    return sa.func.width_bucket(column, sa.cast(list(limits), ARRAY(column.type)))


def in_hand(session: Session) -> Iterator[tuple[UUID, list[UUID]]]:
    """Each vendor's cases in hand as ids, ascending."""
    for tenant_id, packed in in_hand_packed(session):
        yield (
            tenant_id,
            [UUID(bytes=packed[at : at + 16]) for at in range(0, len(packed), 16)],
        )


def in_hand_volume(session: Session) -> dict[UUID, int]:
    """In-hand volume (在案量) by vendor; vendors without cases left out."""
    rows = session.execute(
        sa.select(Case.tenant_id, sa.func.count()).where(_HELD_HERE).group_by(Case.tenant_id)
    )
    return {row[0]: row[1] for row in rows}
