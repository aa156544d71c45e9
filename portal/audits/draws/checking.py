"""Check a draw by its record: recompute it here, or hand over what recomputes it elsewhere (A3)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from portal.audits.draws import queries
from portal.audits.draws.records import companys_record
from portal.audits.draws.rules import differences
from portal.audits.draws.service import journal
from portal.audits.models import Draw
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.phrases import Phrase, phrase


def recompute(session: Session, row: Draw, *, actor: Actor) -> tuple[Phrase, ...]:
    """Recompute a draw from its record, journal that, and return what does not agree."""
    if row.seed is None or row.population_hash is None or row.total is None:
        raise Conflict(
            phrase("There is no sample yet that could be recomputed."), phrase("Draw it first.")
        )
    found = tuple(
        differences(
            total=row.total,
            seed=row.seed,
            whole_hash=row.population_hash,
            shares=queries.records_of(session, row),
        )
    )
    journal(session, row, "recomputed", actor, differences=len(found))
    return found


def whole_record(session: Session, row: Draw, *, actor: Actor) -> bytes:
    """What recomputes the whole draw offline: every population, seed and quota; that it was taken
    is on record. Raises `NotFound` before the seed is made."""
    if row.seed is None:
        raise NotFound("record")
    facts = {
        "name": row.name,
        "period": row.period,
        "seed": row.seed,
        "total": row.total,
        "population_hash": row.population_hash,
        "frozen_at": row.frozen_at and row.frozen_at.isoformat(),
        "drawn_at": row.drawn_at and row.drawn_at.isoformat(),
    }
    journal(session, row, "record_taken", actor)
    return companys_record(queries.records_of(session, row), facts)
