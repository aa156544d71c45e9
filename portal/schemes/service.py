"""Versioned editable data. Each owning slice registers its kind with a default and a check.

A version is never changed: an edit makes the next one, with the date from which it is in force,
who made it and why. Before the first edit the shipped default answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Invalid
from portal.kernel.phrases import Phrase, phrase
from portal.schemes.models import InternalScheme, PublishedScheme

Content = dict[str, Any]
_FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class SchemeKind:
    """A kind of scheme: its name for people, default content, and check (raises `ValueError`)."""

    key: str
    title: Phrase
    default: Callable[[], Content]
    check: Callable[[Content], object]
    published: bool

    @property
    def table(self) -> type[PublishedScheme] | type[InternalScheme]:
        """Where its versions are kept."""
        return PublishedScheme if self.published else InternalScheme


KINDS: dict[str, SchemeKind] = {}


def register(kind: SchemeKind) -> SchemeKind:
    """Make a kind known (once, when its slice is imported)."""
    KINDS[kind.key] = kind
    return kind


@dataclass(frozen=True, slots=True)
class Version:
    """A scheme's version. `id` is None and `version` 0 for the shipped default."""

    kind: str
    id: UUID | None
    version: int
    in_force_from: date
    content: Content
    is_default: bool
    reason: str = ""
    created_by_name: str = ""


def in_force(session: Session, kind: SchemeKind, day: date) -> Version:
    """The version in force on `day`: the newest whose date has come, else the default."""
    table = kind.table
    row = session.scalars(
        sa.select(table)
        .where(table.kind == kind.key, table.in_force_from <= day)
        .order_by(table.in_force_from.desc(), table.version.desc())
        .limit(1)
    ).first()
    return _version(row) if row else default_version(kind)


def default_version(kind: SchemeKind) -> Version:
    """The shipped default, "default, edit me"."""
    return Version(kind.key, None, 0, _FIRST_DAY, kind.default(), True)


def history(session: Session, kind: SchemeKind) -> tuple[Version, ...]:
    """All versions, newest first; the default stands last."""
    table = kind.table
    rows = session.scalars(
        sa.select(table).where(table.kind == kind.key).order_by(table.version.desc())
    )
    return (*map(_version, rows), default_version(kind))


def _version(row: Any) -> Version:
    return Version(
        row.kind,
        row.id,
        row.version,
        row.in_force_from,
        row.content,
        row.is_default,
        row.reason,
        row.created_by_name,
    )


def publish(
    session: Session,
    kind: SchemeKind,
    content: Content,
    *,
    in_force_from: date,
    reason: str,
    seen_version: int,
    actor: Actor,
) -> Version:
    """Add a version. Raises `Invalid` when the content is not sound, the date lies in the past or
    somebody published another version meanwhile."""
    try:
        kind.check(content)
    except ValueError as error:
        raise Invalid(
            phrase("This scheme is not sound: %(problem)s", problem=str(error)),
            phrase("Mend the values named and save again."),
        ) from error
    newest = history(session, kind)[0]
    if newest.version != seen_version:
        raise Invalid(
            phrase(
                "%(name)s published version %(version)s meanwhile.",
                name=newest.created_by_name,
                version=newest.version,
            ),
            phrase("Compare it with yours and save again."),
        )
    if in_force_from < clock.today() and newest.version:
        raise Invalid(
            phrase("A version cannot take effect in the past."),
            phrase("Choose today or a later day."),
        )
    row = kind.table(
        tenant_id=actor.company_id,
        kind=kind.key,
        version=newest.version + 1,
        in_force_from=in_force_from,
        content=content,
        is_default=False,
        reason=reason,
        created_at=clock.now(),
        created_by=actor.account_id,
        created_by_name=actor.name,
    )
    session.add(row)
    session.flush()
    record(
        session,
        "scheme.version.published",
        ("scheme", row.id),
        actor=actor,
        data={"kind": kind.key, "version": row.version, "in_force_from": str(in_force_from)},
    )
    return _version(row)


def as_mapping(version: Version) -> Mapping[str, Any]:
    """What to freeze beside a fact that was judged under this version."""
    return {"kind": version.kind, "version": version.version, "id": str(version.id or "")}
