"""The SHA-256 of deliveries whose store did not tell it at completion: read once, set once."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.digests import Running
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.files.storage import local_copy
from portal.materials.models import Delivery
from portal.materials.queries import file_of_delivery


def settle(session: Session, delivery: Delivery, file: StoredFile, path: Path) -> None:
    """Set the SHA-256 of a delivery from its bytes at `path`, once. The same bytes delivered for
    the same item before count once: this one is put aside as replaced by nothing new."""
    if delivery.sha256:
        return
    running = Running()
    running.advance(path, file.size)
    sha256 = running.hexdigest()
    known = session.scalars(
        sa.select(Delivery.id).where(
            Delivery.tenant_id == delivery.tenant_id,
            Delivery.item_id == delivery.item_id,
            Delivery.sha256 == sha256,
            Delivery.state == "current",
        )
    ).first()
    if known is not None and delivery.state == "current":
        delivery.state = "replaced"
        session.flush()
    delivery.sha256 = file.sha256 = sha256
    session.flush()


def settle_all(session: Session, request_id: UUID) -> None:
    """Settle what the checks of a request have not read yet, before its receipt names the files.
    Usually there is nothing left to do."""
    rows = session.execute(
        sa.select(Delivery, StoredFile)
        .join(StoredFile, file_of_delivery())
        .where(Delivery.request_id == request_id, Delivery.sha256 == "")
        .order_by(Delivery.id)
        .with_for_update(of=Delivery)
    ).all()
    for delivery, file in rows:
        with local_copy(storage(), file.storage_key) as path:
            settle(session, delivery, file, path)
