"""Reads of delivered files: what each is, what its check found, what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.models import StoredFile
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.materials.models import Delivery, RequestItem
from portal.materials.queries import file_of_delivery

_COPIED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A delivered file. `problems` (unusable) and `remarks` (to be looked at) are codes with
    parameters of `portal.files.problems`; `virus_scan` is never "clean" without a scan."""

    id: UUID
    item_id: UUID
    request_id: UUID
    safe_name: str
    media_type: str
    size: int
    sha256: str
    state: str
    check_state: str
    problems: tuple[tuple[str, dict[str, Any]], ...]
    remarks: tuple[tuple[str, dict[str, Any]], ...]
    virus_scan: str
    duration: float | None
    has_peaks: bool
    has_copy: bool
    delivered_at: datetime
    delivered_by_name: str
    matched_how: str
    replaces_id: UUID | None
    gone: bool = False
    """Deleted when its time was over: the row and its hash are left."""
    copying: bool = False
    """A copy that browsers play is being made; until then it cannot be listened to."""

    @property
    def is_audio(self) -> bool:
        """Whether it is a recording that can be listened to."""
        return self.has_peaks

    @property
    def is_picture(self) -> bool:
        """Whether a re-encoded picture of it can be shown."""
        return self.media_type.startswith("image/") and self.has_copy

    @property
    def path(self) -> str:
        """Where it is downloaded."""
        return f"/requests/{self.request_id}/files/{self.id}"

    @property
    def audio_path(self) -> str:
        """Where a player reads sound (a playable copy where the codec needs one)."""
        return f"{self.path}/audio"

    @property
    def peaks_path(self) -> str:
        """Where a player reads the wave form."""
        return f"{self.path}/peaks"


def _said(result: dict[str, Any], what: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    return tuple((entry["code"], entry["params"]) for entry in result.get(what, ()))


def row_of(row: Any) -> FileRow:
    """A row of `with_files` as pages show it."""
    delivery: Delivery = row[0]
    result = delivery.check_result
    return FileRow(
        delivery.id,
        delivery.item_id,
        delivery.request_id,
        row.safe_name,
        row.media_type,
        row.size,
        delivery.sha256,
        delivery.state,
        delivery.check_state,
        _said(result, "problems"),
        _said(result, "remarks"),
        result.get("virus_scan", "not_scanned"),
        result.get("facts", {}).get("duration"),
        delivery.peaks_key is not None,
        delivery.playable_id is not None,
        delivery.delivered_at,
        delivery.delivered_by_name,
        delivery.matched_how,
        delivery.replaces_id,
        gone=row.file_state == "deleted",
        copying=_copying(result),
    )


def _copying(result: dict[str, Any]) -> bool:
    """Whether the copy is waited for: one that is not there after an hour will not come soon."""
    if result.get("copy") != "waiting":
        return False
    return clock.now() - datetime.fromisoformat(result["checked_at"]) < _COPIED_WITHIN


def with_files() -> Any:
    """Deliveries with what their stored files are, in order of delivery."""
    return (
        sa.select(
            Delivery,
            StoredFile.safe_name,
            StoredFile.media_type,
            StoredFile.size,
            StoredFile.state.label("file_state"),
        )
        .join(StoredFile, file_of_delivery())
        .order_by(Delivery.id)
    )


def files_of(session: Session, item_ids: Sequence[UUID]) -> dict[UUID, list[FileRow]]:
    """Delivered files by item, old versions included, in order of delivery."""
    found: dict[UUID, list[FileRow]] = {}
    for row in session.execute(with_files().where(Delivery.item_id.in_(list(item_ids)))):
        found.setdefault(row[0].item_id, []).append(row_of(row))
    return found


def get_delivery(
    session: Session, request_id: UUID, delivery_id: UUID
) -> tuple[Delivery, StoredFile]:
    """A delivered file of a request; raises `NotFound`."""
    row = session.execute(
        sa.select(Delivery, StoredFile)
        .join(StoredFile, file_of_delivery())
        .where(
            Delivery.id == delivery_id,
            Delivery.request_id == request_id,
            StoredFile.state == "stored",
        )
    ).first()
    if row is None:
        raise NotFound("delivered file")
    return row[0], row[1]


def file_row(session: Session, delivery_id: UUID) -> FileRow:
    """One delivered file as pages show it; raises `NotFound`."""
    row = session.execute(with_files().where(Delivery.id == delivery_id)).first()
    if row is None:
        raise NotFound("delivered file")
    return row_of(row)


def item_of(session: Session, delivery: Delivery) -> RequestItem:
    """The item that a delivered file answers; raises `NotFound`."""
    found = session.get(RequestItem, (delivery.tenant_id, delivery.item_id))
    if found is None:
        raise NotFound("request item")
    return found
