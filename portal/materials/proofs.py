"""What proves that an item cannot be provided (无法提供): checked at once, kept by the answer."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.files.inspection import inspect
from portal.files.kinds import FileKind
from portal.files.models import StoredFile
from portal.files.names import masked_name
from portal.files.service import keep
from portal.kernel.access import Actor
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.materials.models import MaterialRequest, RequestItem

TAKEN = (FileKind.PDF, FileKind.JPEG, FileKind.PNG, FileKind.XLSX)
MAX_BYTES = 20 * 1024 * 1024


def keep_proof(
    session: Session, request: MaterialRequest, name: str, stream: IO[bytes], *, actor: Actor
) -> UUID:
    """Keep an uploaded proof as the vendor's file; returns its id. Raises `Invalid` for a file that
    is too large, damaged or of no kind that is taken."""
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        path = Path(folder) / "proof"
        size = 0
        with path.open("wb") as out:
            while chunk := stream.read(1 << 20):
                size += len(chunk)
                if size > MAX_BYTES:
                    raise Invalid(
                        phrase("The proof is larger than %(most)s MB.", most=MAX_BYTES >> 20),
                        phrase("Make it smaller, or split it."),
                    )
                out.write(chunk)
        found = inspect(path, name, TAKEN)
        if not found.ok:
            raise Invalid(phrase("The proof cannot be taken."), found.problems[0].message)
        with path.open("rb") as body:
            file = keep(
                session,
                body,
                tenant_id=request.tenant_id,
                purpose="unavailable_proof",
                original_name=name,
                safe_name=masked_name(name),
                media_type=found.media_type,
                actor=actor,
            )
    return file.id


@dataclass(frozen=True, slots=True)
class ProofRow:
    """What the vendor gave to prove that an item cannot be provided."""

    id: UUID
    safe_name: str
    size: int


def proofs_of(session: Session, items: Sequence[RequestItem]) -> dict[UUID, ProofRow]:
    """The proofs of these items, by id."""
    ids = [item.proof_id for item in items if item.proof_id is not None]
    if not ids:
        return {}
    rows = session.scalars(sa.select(StoredFile).where(StoredFile.id.in_(ids)))
    return {row.id: ProofRow(row.id, row.safe_name, row.size) for row in rows}


def get_proof(session: Session, request_id: UUID, item_id: UUID) -> StoredFile:
    """The proof that an item of the request carries; raises `NotFound`."""
    row = session.scalars(
        sa.select(StoredFile)
        .join(
            RequestItem,
            sa.and_(
                RequestItem.tenant_id == StoredFile.tenant_id,
                RequestItem.proof_id == StoredFile.id,
            ),
        )
        .where(
            RequestItem.id == item_id,
            RequestItem.request_id == request_id,
            StoredFile.state == "stored",
        )
    ).first()
    if row is None:
        raise NotFound("proof")
    return row
