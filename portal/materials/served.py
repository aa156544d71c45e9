"""What is asked for most often, in ranges: one read of a delivered file and its playable copy.

A player asks for a recording piece by piece, so this is compiled once and runs on the driver's
cursor. The second wall stands in the statement itself: a vendor's scope reads its own rows only.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.models import StoredFile
from portal.files.web import Sent
from portal.kernel.errors import NotFound
from portal.materials.models import Delivery
from tenants.prepared import Prepared
from tenants.scope import Login, get_scope

_DELIVERIES, _FILES = Delivery.__table__, StoredFile.__table__
_COPIES = _FILES.alias("copies")
_OWN: sa.BindParameter[UUID] = sa.bindparam("own", None, type_=sa.Uuid())
_SENT = ("storage_key", "media_type", "size", "safe_name", "sha256", "purpose")


@dataclass(frozen=True, slots=True)
class Served:
    """A delivered file as it is sent: `file` itself, `copy` in what browsers know (a recording's
    codec, a re-encoded picture) where there is one, and whether it has a wave form."""

    id: UUID
    tenant_id: UUID
    request_id: UUID
    sha256: str
    is_recording: bool
    file: Sent
    copy: Sent | None


def _statement(*, own: bool) -> Prepared:
    found = (
        sa.select(
            _DELIVERIES.c.tenant_id,
            _DELIVERIES.c.sha256,
            _DELIVERIES.c.peaks_key.is_not(None),
            *(_FILES.c[name] for name in _SENT),
            *(_COPIES.c[name] for name in _SENT),
        )
        .join_from(
            _DELIVERIES,
            _FILES,
            sa.and_(
                _FILES.c.tenant_id == _DELIVERIES.c.tenant_id,
                _FILES.c.id == _DELIVERIES.c.file_id,
                _FILES.c.state == "stored",
                *([_FILES.c.issued_at.is_not(None)] if own else ()),
            ),
        )
        .outerjoin(
            _COPIES,
            sa.and_(
                _COPIES.c.tenant_id == _DELIVERIES.c.tenant_id,
                _COPIES.c.id == _DELIVERIES.c.playable_id,
                _COPIES.c.state == "stored",
                *([_COPIES.c.issued_at.is_not(None)] if own else ()),
            ),
        )
        .where(
            _DELIVERIES.c.id == sa.bindparam("delivery", None, type_=sa.Uuid()),
            _DELIVERIES.c.request_id == sa.bindparam("request", None, type_=sa.Uuid()),
        )
    )
    return Prepared(found.where(_DELIVERIES.c.tenant_id == _OWN) if own else found)


_OF_ALL, _OF_ONE = _statement(own=False), _statement(own=True)


def get_served(session: Session, request_id: UUID, delivery_id: UUID) -> Served:
    """The delivered file of a request; raises `NotFound`."""
    scope = get_scope()
    values = {"delivery": delivery_id, "request": request_id}
    if scope.login is Login.VENDOR:
        rows = _OF_ONE.rows(session, {**values, "own": scope.tenant_id})
    else:
        rows = _OF_ALL.rows(session, values)
    if not rows:
        raise NotFound("delivered file")
    ((tenant_id, sha256, is_recording, *rest),) = rows
    file, copy = rest[: len(_SENT)], rest[len(_SENT) :]
    return Served(
        delivery_id,
        tenant_id,
        request_id,
        sha256,
        is_recording,
        Sent(*file),
        None if copy[0] is None else Sent(*copy),
    )
