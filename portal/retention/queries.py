"""What the page of retention shows: counts, holds, deletions (company scope)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.retention.kinds import DataClass
from portal.retention.models import Deletion, LegalHold
from portal.retention.things import Thing
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Line:
    """One vendor's things of a class: how many stand where, bytes and first day of those due."""

    tenant_id: UUID
    vendor: str
    data_class: DataClass
    due: int
    due_bytes: int
    soon: int
    wanted: int
    held: int
    first: date


def owners(session: Session) -> list[tuple[UUID, str]]:
    """Everybody who may have things: the vendors and the company."""
    rows = session.execute(sa.select(Tenant.id, Tenant.short_name).order_by(Tenant.code))
    return [(row.id, row.short_name) for row in rows]


def lines_of(found: Sequence[Thing], vendor: str) -> list[Line]:
    """The counts of a vendor's things, class by class."""
    made = []
    for kind in DataClass:
        mine = [one for one in found if one.data_class is kind]
        if not mine:
            continue
        due = [one for one in mine if one.standing == "due"]
        count = {
            place: sum(one.standing == place for one in mine)
            for place in ("soon", "wanted", "held")
        }
        made.append(
            Line(
                mine[0].tenant_id,
                vendor,
                kind,
                len(due),
                sum(one.size for one in due),
                count["soon"],
                count["wanted"],
                count["held"],
                min(one.expires_on for one in mine),
            )
        )
    return made


def holds(session: Session, limit: int = 200) -> list[tuple[LegalHold, str]]:
    """The holds, open ones first, newest first, with the vendor's name."""
    rows = session.execute(
        sa.select(LegalHold, Tenant.short_name)
        .join(Tenant, Tenant.id == LegalHold.tenant_id)
        .order_by(LegalHold.lifted_at.is_not(None), LegalHold.placed_at.desc())
        .limit(limit)
    )
    return [(row[0], row.short_name) for row in rows]


def deletions(session: Session, limit: int = 50) -> list[tuple[Deletion, str]]:
    """The newest deletions, with the vendor's name."""
    rows = session.execute(
        sa.select(Deletion, Tenant.short_name)
        .join(Tenant, Tenant.id == Deletion.tenant_id)
        .order_by(Deletion.deleted_at.desc(), Deletion.id.desc())
        .limit(limit)
    )
    return [(row[0], row.short_name) for row in rows]
