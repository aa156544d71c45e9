"""Uploads that stand still: given up after a day, and their bytes removed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.service import storage
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.materials.models import Upload

ABANDONED_AFTER = timedelta(hours=24)


def sweep(session: Session, *, actor: Actor, limit: int = 200) -> Sequence[Upload]:
    """Give uploads up that stand still for a day (company scope), journalled; the caller removes
    their bytes after the commit (`forget`). One whose parts still come is left alone."""
    limit_at = clock.now() - ABANDONED_AFTER
    rows = session.scalars(
        sa.select(Upload)
        .where(Upload.state == "started", Upload.started_at < limit_at)
        .order_by(Upload.started_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    given_up = []
    for row in rows:
        touched = storage().touched(row.storage_key or "", row.store_reference)
        if touched is not None and touched > limit_at:
            continue
        row.state = "abandoned"
        given_up.append(row)
        record(
            session,
            "materials.upload.abandoned",
            ("upload", row.id),
            actor=actor,
            tenant_id=row.tenant_id,
        )
    session.flush()
    return given_up


def forget(given_up: Sequence[Upload]) -> None:
    """Remove what the store holds of uploads that were given up."""
    for upload in given_up:
        if upload.storage_key:
            storage().abort(upload.storage_key, upload.store_reference)
            storage().delete(upload.storage_key)


def remove(keys: Sequence[str]) -> None:
    """Remove bytes that no row needs."""
    for key in keys:
        storage().delete(key)
