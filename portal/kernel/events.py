"""Upward reactions: a lower slice says what happened, the wiring says who listens.

Subscribers stand in one table, `portal/app/wiring.py`. They run in the same transaction, with the
rights of whoever acted, and raise when they fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from portal.kernel.access import Actor


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a subject of a tenant."""

    tenant_id: UUID
    subject_id: UUID


Subscriber = Callable[[Session, Any, Actor], None]
_subscribers: dict[type[Event], tuple[Subscriber, ...]] = {}


def wire(table: Mapping[type[Event], Sequence[Subscriber]]) -> None:
    """Install the table of subscribers (once, by the application)."""
    _subscribers.clear()
    _subscribers.update({kind: tuple(subscribers) for kind, subscribers in table.items()})


def publish(session: Session, event: Event, actor: Actor) -> None:
    """Call the subscribers of the event's type, in the order of the table."""
    for subscriber in _subscribers.get(type(event), ()):
        subscriber(session, event, actor)
