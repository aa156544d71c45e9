"""Record acts, seal them into a chain, and prove the chain."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.journal.models import JournalEntry, JournalLink, JournalSeal
from portal.journal.rules import GENESIS, Entry, chain, sign_head
from portal.kernel import clock
from portal.kernel.access import Actor
from tenants.rows import new_id

BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Note:
    """One entry to be: what was done, to what (kind and id), and facts without personal data."""

    action: str
    subject: tuple[str, UUID | None]
    data: Mapping[str, Any]


def record(
    session: Session,
    action: str,
    subject: tuple[str, UUID | None],
    *,
    actor: Actor,
    tenant_id: UUID | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write an entry in the running transaction.

    `tenant_id` is whose entry it is (the actor's own by default). The definer function refuses
    another tenant than the scope's in a vendor's scope. `data` must hold no debtor's data.
    """
    record_all(session, [Note(action, subject, data or {})], actor=actor, tenant_id=tenant_id)


def record_all(
    session: Session, notes: Sequence[Note], *, actor: Actor, tenant_id: UUID | None = None
) -> None:
    """Write several entries of one person at once, in order (see `record`)."""
    if not notes:
        return
    session.execute(
        sa.text(
            "select app.journal_add(:tenant, :id, :at, :account, :name, :action, :type, :subject,"
            " cast(:data as jsonb))"
        ),
        [
            {
                "tenant": tenant_id or actor.tenant_id,
                "id": new_id(),
                "at": clock.now(),
                "account": actor.account_id,
                "name": actor.name,
                "action": note.action,
                "type": note.subject[0],
                "subject": note.subject[1],
                "data": json.dumps(dict(note.data), ensure_ascii=False, default=str),
            }
            for note in notes
        ],
    )
    if hasattr(session, "uncommitted"):
        session.uncommitted = True


def _entry(row: JournalEntry) -> Entry:
    return Entry(
        row.tenant_id,
        row.id,
        row.at,
        row.account_id,
        row.actor_name,
        row.action,
        row.subject_type,
        row.subject_id,
        row.data,
    )


def _tail(session: Session, tenant_id: UUID) -> tuple[int, bytes]:
    row = session.execute(
        sa.select(JournalLink.position, JournalLink.hash)
        .where(JournalLink.tenant_id == tenant_id)
        .order_by(JournalLink.position.desc())
        .limit(1)
    ).first()
    return (row.position, row.hash) if row else (0, GENESIS)


def seal(session: Session, key: bytes, heads_file: Path | None = None) -> int:
    """Chain what is not chained yet, tenant by tenant, and sign each head (company scope).

    One sealer at a time (advisory lock). `heads_file` is the copy of the signed heads that is kept
    elsewhere. Returns the number of entries sealed.
    """
    if not session.scalar(sa.text("select pg_try_advisory_xact_lock(7305001)")):
        return 0
    unlinked = (
        sa.select(JournalEntry)
        .outerjoin(
            JournalLink,
            sa.and_(
                JournalLink.tenant_id == JournalEntry.tenant_id, JournalLink.id == JournalEntry.id
            ),
        )
        .where(JournalLink.id.is_(None))
        .order_by(JournalEntry.tenant_id, JournalEntry.at, JournalEntry.id)
        .limit(BATCH)
    )
    by_tenant: dict[UUID, list[JournalEntry]] = {}
    for row in session.scalars(unlinked):
        by_tenant.setdefault(row.tenant_id, []).append(row)
    for tenant_id, rows in by_tenant.items():
        _seal_tenant(session, tenant_id, rows, key, heads_file)
    session.flush()
    return sum(len(rows) for rows in by_tenant.values())


def _seal_tenant(
    session: Session,
    tenant_id: UUID,
    rows: list[JournalEntry],
    key: bytes,
    heads_file: Path | None,
) -> None:
    position, head = _tail(session, tenant_id)
    first = position + 1
    for row, digest in zip(rows, chain(head, map(_entry, rows)), strict=True):
        position, head = position + 1, digest
        session.add(JournalLink(tenant_id=tenant_id, id=row.id, position=position, hash=digest))
    signature = sign_head(key, tenant_id, position, head)
    session.add(
        JournalSeal(
            tenant_id=tenant_id,
            sealed_at=clock.now(),
            first_position=first,
            last_position=position,
            head=head,
            signature=signature,
        )
    )
    if heads_file is not None:
        heads_file.parent.mkdir(parents=True, exist_ok=True)
        with heads_file.open("a", encoding="utf-8") as out:
            out.write(f"{tenant_id} {position} {head.hex()} {signature.hex()}\n")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of one tenant's chain found; `problem` is empty when it holds."""

    tenant_id: UUID
    entries: int
    problem: str = ""


def verify(
    session: Session, tenant_id: UUID, key: bytes, kept_heads: Mapping[int, bytes]
) -> Verdict:
    """Recompute a tenant's chain and compare it with the links, the seals and the heads kept
    elsewhere (`kept_heads`: position → head)."""
    rows = session.execute(
        sa.select(JournalLink, JournalEntry)
        .outerjoin(
            JournalEntry,
            sa.and_(
                JournalEntry.tenant_id == JournalLink.tenant_id, JournalEntry.id == JournalLink.id
            ),
        )
        .where(JournalLink.tenant_id == tenant_id)
        .order_by(JournalLink.position)
    ).all()
    head, hashes = GENESIS, {0: GENESIS}
    for expected, found in enumerate(rows, start=1):
        entry_link = found[0]
        row: JournalEntry | None = found[1]  # None: the outer join found the link only
        if row is None or entry_link.position != expected:
            return Verdict(tenant_id, expected, f"entry {expected} is missing")
        head = chain(head, [_entry(row)])[0]
        if head != entry_link.hash:
            return Verdict(tenant_id, expected, f"entry {expected} was changed")
        hashes[expected] = head
    for seal_row in session.scalars(
        sa.select(JournalSeal).where(JournalSeal.tenant_id == tenant_id)
    ):
        signature = sign_head(key, tenant_id, seal_row.last_position, seal_row.head)
        if not hmac.compare_digest(signature, seal_row.signature):
            return Verdict(tenant_id, len(rows), f"seal {seal_row.last_position} is not ours")
        if hashes.get(seal_row.last_position) != seal_row.head:
            return Verdict(tenant_id, len(rows), f"entries up to {seal_row.last_position} are gone")
    for position, kept in kept_heads.items():
        if hashes.get(position) != kept:
            return Verdict(tenant_id, len(rows), f"head {position} differs from the one kept apart")
    return Verdict(tenant_id, len(rows))
