"""Reads of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.journal.models import JournalEntry, JournalLink
from portal.journal.words import act_name
from portal.kernel.paging import Page, Sort, paginate
from portal.kernel.phrases import Phrase
from portal.kernel.withheld import BETWEEN, NOTHING, Withheld
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class EntryRow:
    """An act in the list; `position` is its place in the sealed chain, None while unsealed."""

    id: UUID
    at: datetime
    whose: str
    actor_name: str
    action: str
    subject_type: str
    data: dict[str, Any]
    position: int | None

    @property
    def name(self) -> Phrase | str:
        """The act in words."""
        return act_name(self.action)


def list_entries(
    session: Session,
    *,
    tenant_id: UUID | None = None,
    action: str = "",
    but: Withheld = NOTHING,
    cursor: str | None = None,
) -> Page[EntryRow]:
    """The acts, newest first, by whose they are and how the action begins; none that tells of what
    is withheld from the reader (`but`)."""
    statement = (
        sa.select(
            JournalEntry.id,
            JournalEntry.at.label("sort_key"),
            Tenant.short_name,
            JournalEntry.actor_name,
            JournalEntry.action,
            JournalEntry.subject_type,
            JournalEntry.data,
            JournalLink.position,
        )
        .join(Tenant, Tenant.id == JournalEntry.tenant_id)
        .outerjoin(
            JournalLink,
            sa.and_(
                JournalLink.tenant_id == JournalEntry.tenant_id, JournalLink.id == JournalEntry.id
            ),
        )
    )
    if tenant_id:
        statement = statement.where(JournalEntry.tenant_id == tenant_id)
    if action:
        statement = statement.where(JournalEntry.action.startswith(action, autoescape=True))
    if but:
        statement = statement.where(_silent_of(but))
    page = paginate(session, statement, Sort(JournalEntry.at, JournalEntry.id, True), cursor)
    return page.map(
        lambda row: EntryRow(
            row.id,
            row.sort_key,
            row.short_name,
            row.actor_name,
            row.action,
            row.subject_type,
            row.data,
            row.position,
        )
    )


def _silent_of(kept: Withheld) -> sa.ColumnElement[bool]:
    label = sa.func.split_part(JournalEntry.data["label"].astext, BETWEEN, 1)
    return sa.and_(
        JournalEntry.subject_id.is_(None) | JournalEntry.subject_id.not_in(kept.subjects),
        label.is_(None) | label.not_in(kept.numbers),
    )
