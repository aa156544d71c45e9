"""Papers that print card numbers whole (A6, C4.1): kept sealed, read behind a sign-in, each time
recorded.

The frozen content of every paper is masked: pages that are open to all, attached data and sheets
come from it. The whole numbers of a paper stand apart, encrypted for its row, and are opened for
the printed pages of its PDF and for the form's page alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.journal.service import record
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict
from portal.kernel.phrases import phrase
from portal.notices.models import Document, DocumentRecipient
from portal.notices.permissions import READ_CARDS
from tenants.vault import installed

PLACE = "documents.cards_sealed"


def seal(
    session: Session, tenant_id: UUID, document_id: UUID, cards: Mapping[str, str]
) -> bytes | None:
    """Whole card numbers by case number as they are kept; None where there are none."""
    if not cards:
        return None
    text = json.dumps(dict(cards), sort_keys=True)
    return installed().key(session, tenant_id).seal(PLACE, document_id, text)


def open_for_print(session: Session, document: Document) -> dict[str, str]:
    """The whole card numbers by case number that the paper prints."""
    if not prints_whole(document) or document.cards_sealed is None:
        return {}
    key = installed().key(session, document.tenant_id)
    found: dict[str, str] = json.loads(key.open(PLACE, document.id, document.cards_sealed))
    return found


def prints_whole(document: Document) -> bool:
    """Whether the paper was issued with whole card numbers."""
    return document.content.get("card_display") == "full"


def may_read(session: Session, document: Document, actor: Actor) -> bool:
    """Whether somebody may read the paper's card numbers whole: of the company by permission, of
    the vendor those to whom the paper is addressed."""
    if not actor.may(READ_CARDS):
        return False
    return actor.is_company or bool(
        session.scalar(
            sa.select(sa.true()).where(
                sa.exists().where(
                    DocumentRecipient.tenant_id == document.tenant_id,
                    DocumentRecipient.document_id == document.id,
                    DocumentRecipient.account_id == actor.account_id,
                )
            )
        )
    )


def may_open_file(session: Session, document: Document, actor: Actor) -> bool:
    """Whether somebody who sees the paper may open its PDF and scans of it."""
    return not prints_whole(document) or may_read(session, document, actor)


def note_file(session: Session, document: Document, *, actor: Actor) -> None:
    """Record that somebody opens a file on which card numbers are whole. Raises `Conflict` for
    whom the paper is not addressed to."""
    if not prints_whole(document):
        return
    if not may_read(session, document, actor):
        raise Conflict(
            phrase("This paper prints card numbers whole."),
            phrase("Its PDF is opened by those to whom it is addressed; ask one of them."),
        )
    _record(session, document, "file", actor)


def read(session: Session, document: Document, *, actor: Actor) -> dict[str, str]:
    """The whole card numbers by case number for one look of somebody, on record; none where the
    paper has none or they may not."""
    if not prints_whole(document) or not may_read(session, document, actor):
        return {}
    _record(session, document, "page", actor)
    return open_for_print(session, document)


def _record(session: Session, document: Document, where: str, actor: Actor) -> None:
    record(
        session,
        "notices.cards.revealed",
        ("document", document.id),
        actor=actor,
        tenant_id=document.tenant_id,
        data={"number": document.number, "where": where},
    )
