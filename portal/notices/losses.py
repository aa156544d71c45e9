"""Files that a paper lists and that were deleted since it was issued. The paper itself stands as it
was signed; its page says so beside it. Who deletes lies above: the wiring says who knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.kernel.phrases import Phrase
from portal.notices.models import Document


@dataclass(frozen=True, slots=True)
class Loss:
    """A file that is gone: as the paper names it, when it went, and by what rule."""

    name: str
    case_no: str
    material: str
    sha256: str
    deleted_at: datetime
    rule: Phrase


Finder = Callable[[Session, Document], Sequence[Loss]]
_finders: list[Finder] = []


def install(finder: Finder) -> None:
    """Say who knows what was deleted (the wiring does it once)."""
    _finders[:] = [finder]


def losses_of(session: Session, document: Document) -> Sequence[Loss]:
    """The files of a paper that are gone, in the paper's order; asks only where a paper lists
    any."""
    if not _finders or not document.content.get("files"):
        return ()
    return _finders[0](session, document)
