"""How entries are chained: pure functions over canonical bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

GENESIS = b"\0" * 32


@dataclass(frozen=True, slots=True)
class Entry:
    """What of an entry is sealed: everything."""

    tenant_id: UUID
    id: UUID
    at: datetime
    account_id: UUID
    actor_name: str
    action: str
    subject_type: str
    subject_id: UUID | None
    data: Mapping[str, Any]


def canonical(entry: Entry) -> bytes:
    """The one way an entry is written as bytes: sorted JSON, UTC times, lower-case ids."""
    return json.dumps(
        {
            "tenant": str(entry.tenant_id),
            "id": str(entry.id),
            "at": entry.at.astimezone(UTC).isoformat(),
            "account": str(entry.account_id),
            "name": entry.actor_name,
            "action": entry.action,
            "subject_type": entry.subject_type,
            "subject": str(entry.subject_id) if entry.subject_id else None,
            "data": entry.data,
        },
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def link(previous: bytes, entry: Entry) -> bytes:
    """The hash of an entry that stands after `previous` (32 bytes)."""
    return hashlib.sha256(previous + canonical(entry)).digest()


def chain(previous: bytes, entries: Iterable[Entry]) -> list[bytes]:
    """The hashes of a run of entries after `previous`, in order."""
    hashes = []
    for entry in entries:
        previous = link(previous, entry)
        hashes.append(previous)
    return hashes


def sign_head(key: bytes, tenant_id: UUID, position: int, head: bytes) -> bytes:
    """The signature of a chain's head: without it, cutting off the end would go unseen."""
    return hmac.new(key, f"{tenant_id}|{position}|".encode() + head, hashlib.sha256).digest()
