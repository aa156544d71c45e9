"""How often one address may ask for secret links, counted in the database: by all processes
together."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.identity.models import SignInAttempt
from portal.identity.service import company_id_of
from portal.kernel import clock

WITHIN = timedelta(minutes=1)
_WHAT = "one-time link"
_LOCKS = 7_301


def admit(session: Session, address: str, most: int) -> bool:
    """Note a request for a one-time link from an address (kept as a digest, which no failed sign-in
    has); whether it is among the `most` that may come within a minute. What was asked while
    refused does not count. On the sign-in login; the caller commits."""
    now, key = clock.now(), hashlib.sha256(f"{_WHAT} {address}".encode()).digest()
    theirs = SignInAttempt.address_digest == key
    # One after the other, so that requests of one moment do not all find room.
    session.execute(
        sa.select(
            sa.func.pg_advisory_xact_lock(_LOCKS, int.from_bytes(key[:4], "big", signed=True))
        )
    )
    session.execute(sa.delete(SignInAttempt).where(theirs, SignInAttempt.at <= now - WITHIN))
    count = sa.select(sa.func.count()).select_from(SignInAttempt).where(theirs)
    if (session.scalar(count) or 0) >= most:
        return False
    session.add(
        SignInAttempt(
            tenant_id=company_id_of(session),
            email_digest=hashlib.sha256(_WHAT.encode()).digest(),
            address_digest=key,
            at=now,
        )
    )
    session.flush()
    return True
