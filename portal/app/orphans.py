"""Bytes in the store that no row names: found a little at a time, removed after a day, journalled.

A crash between bytes and row leaves such bytes, and nothing else would ever find them again. The
walk through the store goes on where it stood, so that other chores wait for seconds at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.models import StoredFile
from portal.files.storage import Storage, Unfinished
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.materials.models import Delivery, Upload

AFTER = timedelta(days=1)
"""How long bytes may lie without a row: much longer than any transaction takes."""
STEP = 2_000
EVERY = timedelta(days=1)
NAMED_BY = (
    sa.select(StoredFile.storage_key.label("key")),
    sa.select(Upload.storage_key.label("key")).where(Upload.state == "started"),
    sa.select(Delivery.peaks_key.label("key")),
)
"""Every column that names bytes in the store (a test compares this with the tables)."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a step found: keys of whole files, and uploads in parts, that no row names."""

    keys: tuple[str, ...]
    unfinished: tuple[Unfinished, ...]


class OrphanSweep:
    """Walks through the store again and again, a step at a time."""

    def __init__(self, store: Storage, actor: Actor) -> None:
        """`actor` is who removes: the portal itself."""
        self._store = store
        self._actor = actor
        self._keys: Iterator[tuple[str, datetime]] | None = None
        self._begun: datetime | None = None

    def step(self, session: Session) -> Found:
        """Look at the next files (company scope) and journal which of them have no row; the caller
        commits, then removes them (`remove`). A walk that ended begins anew a day later."""
        now = clock.now()
        unfinished: list[Unfinished] = []
        if self._keys is None:
            if self._begun is not None and now - self._begun < EVERY:
                return Found((), ())
            self._begun, self._keys = now, self._store.keys()
            old = {one.key: one for one in self._store.unfinished() if one.touched < now - AFTER}
            unfinished = [old[key] for key in _without_row(session, list(old))]
        seen = list(islice(self._keys, STEP))
        if len(seen) < STEP:
            self._keys = None
        keys = _without_row(session, [key for key, changed in seen if changed < now - AFTER])
        self._note(session, "files.orphans.removed", keys)
        self._note(session, "files.parts.removed", [one.key for one in unfinished])
        return Found(tuple(keys), tuple(unfinished))

    def remove(self, found: Found) -> None:
        """Remove what a step found, once its journal entry is committed."""
        for key in found.keys:
            self._store.delete(key)
        for one in found.unfinished:
            self._store.abort(one.key, one.reference)
        self._store.sweep(AFTER.total_seconds())

    def _note(self, session: Session, action: str, keys: Sequence[str]) -> None:
        if keys:
            data = {"count": len(keys), "keys": list(keys[:100])}
            record(session, action, ("storage", None), actor=self._actor, data=data)


def _without_row(session: Session, keys: Sequence[str]) -> list[str]:
    if not keys:
        return []
    named = sa.union_all(*NAMED_BY).subquery()
    known = set(session.scalars(sa.select(named.c.key).where(named.c.key.in_(keys))))
    return [key for key in keys if key not in known]
