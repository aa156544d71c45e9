"""Draw records: what anyone needs to recompute a sample offline (A3), as gzipped JSON.

A vendor's record holds its own population, seed, quota and sample; nothing in it tells of another
vendor. The company's holds the whole. `portal/cases/verify_draw.py` checks both.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.audits.draws.rules import ShareRecord
from portal.cases.verify_draw import FORMAT


def share_of(share: ShareRecord) -> dict[str, Any]:
    """One vendor's part of a record."""
    part = {
        "vendor": str(share.vendor_id),
        "name": share.name,
        "in_hand": share.in_hand,
        "quota": share.quota,
        "population": base64.b64encode(share.population).decode("ascii"),
        "population_hash": share.population_hash,
        "seed": share.vendor_seed,
        "positions": list(share.positions),
    }
    return part if share.strata is None else {**part, "strata": share.strata}


def vendors_record(
    share: ShareRecord, case_numbers: Sequence[str], *, period: str, rate: str, drawn_at: str
) -> bytes:
    """A vendor's own record. `case_numbers`: its population's, in the order of the ids; `rate`: the
    share of its own cases that was drawn."""
    part = share_of(share)
    part["case_numbers"] = list(case_numbers)
    part["drawn"] = [case_numbers[position] for position in share.positions]
    facts = {"period": period, "rate": rate, "drawn_at": drawn_at, **_plan(share)}
    return packed("vendor", [part], facts)


def companys_record(shares: Iterable[ShareRecord], facts: Mapping[str, Any]) -> bytes:
    """The record of the whole draw; `facts`: seed, total, population_hash, period, name, times."""
    parts, plan = [], {}
    for share in shares:
        parts.append(share_of(share))
        plan = _plan(share)
    return packed("whole", parts, {**facts, **plan})


def _plan(share: ShareRecord) -> dict[str, str]:
    """The method, and the plan's text where it has strata or weights."""
    if share.strata is None:
        return {"method": share.method}
    return {"method": share.method, "plan": share.plan or ""}


def packed(scope: str, shares: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> bytes:
    """A record as bytes; the same record gives the same bytes."""
    record = {"format": FORMAT, "scope": scope, **facts, "shares": list(shares)}
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return gzip.compress(text.encode(), 6, mtime=0)
