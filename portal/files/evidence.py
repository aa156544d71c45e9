"""A file that somebody sends with a form as evidence: checked at once, then kept."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import IO
from uuid import UUID

from sqlalchemy.orm import Session

from portal.files.inspection import inspect
from portal.files.kinds import FileKind
from portal.files.models import StoredFile
from portal.files.names import masked_name
from portal.files.problems import Problem
from portal.files.service import keep
from portal.kernel.access import Actor
from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase

TAKEN = frozenset({FileKind.PDF, FileKind.XLSX, FileKind.JPEG, FileKind.PNG})
"""What proves something on paper or screen."""


class RefusedFile(Invalid):
    """A file that cannot be kept as evidence; `problem` says why and how to mend it."""

    def __init__(self, name: str, problem: Problem) -> None:
        """`name` is shown without telephone and card numbers."""
        super().__init__(phrase("%(name)s was not taken.", name=name), problem.message)


def accept_types(taken: frozenset[FileKind] = TAKEN) -> str:
    """The `accept` of an input for such files."""
    return ",".join(f".{end}" for kind in sorted(taken) for end in kind.extensions)


def keep_checked(
    session: Session,
    name: str,
    stream: IO[bytes],
    *,
    tenant_id: UUID,
    purpose: str,
    held: Collection[str] = (),
    taken: frozenset[FileKind] = TAKEN,
    actor: Actor,
) -> StoredFile | None:
    """Check a file by its content and keep it; None when its bytes are `held` (SHA-256) already.

    Raises `RefusedFile`.
    """
    with tempfile.TemporaryDirectory(prefix="portal-") as folder:
        path = Path(folder) / "evidence"
        digest = hashlib.sha256()
        with path.open("wb") as out:
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
                out.write(chunk)
        found = inspect(path, name, taken)
        if not found.ok:
            raise RefusedFile(masked_name(name), found.problems[0])
        if digest.hexdigest() in held:
            return None
        with path.open("rb") as body:
            return keep(
                session,
                body,
                tenant_id=tenant_id,
                purpose=purpose,
                original_name=name,
                safe_name=masked_name(name),
                media_type=found.media_type,
                actor=actor,
            )
