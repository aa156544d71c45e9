"""Keep a file: store the bytes first, then the row that a scope must see to read them."""

from __future__ import annotations

import io
from datetime import datetime
from typing import IO
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.models import StoredFile
from portal.files.storage import Storage, from_settings, make_key
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import NotFound
from portal.kernel.settings import Settings, settings
from tenants.rows import new_id
from tenants.vault import installed

_storages: dict[Settings, Storage] = {}
NAME_PLACE = "stored_files.name"


def storage() -> Storage:
    """The installation's store (local disk or S3), one client a process."""
    current = settings()
    if current not in _storages:
        _storages[current] = from_settings(current)
    return _storages[current]


def keep(
    session: Session,
    stream: IO[bytes] | bytes,
    *,
    tenant_id: UUID,
    purpose: str,
    original_name: str,
    safe_name: str,
    media_type: str,
    actor: Actor,
    started_at: datetime | None = None,
    made_from: tuple[UUID, datetime] | None = None,
) -> StoredFile:
    """Store `stream` and add its row; the caller's commit makes it count.

    A crash before the commit leaves bytes without a row. What a job makes names the row that it is
    made from, and a moment that stays (`made_from`): the repeated job writes over those bytes.
    """
    body = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    started = started_at or clock.now()
    of, moment = made_from or (None, clock.now())
    key = make_key(tenant_id, moment, of=of)
    stored = storage().put(key, body)
    row = StoredFile(
        tenant_id=tenant_id,
        id=new_id(),
        purpose=purpose,
        safe_name=safe_name,
        name_sealed=b"",
        media_type=media_type,
        size=stored.size,
        sha256=stored.sha256,
        storage_key=key,
        state="stored",
        uploaded_by=actor.account_id,
        uploaded_by_name=actor.name,
        started_at=started,
        completed_at=clock.now(),
        issued_at=clock.now(),
    )
    row.name_sealed = installed().key(session, tenant_id).seal(NAME_PLACE, row.id, original_name)
    session.add(row)
    session.flush()
    return row


def get_file(session: Session, file_id: UUID) -> StoredFile:
    """The row of a stored file that this scope sees; raises `NotFound`."""
    row = session.scalars(
        sa.select(StoredFile).where(StoredFile.id == file_id, StoredFile.state == "stored")
    ).first()
    if row is None:
        raise NotFound("stored file")
    return row
