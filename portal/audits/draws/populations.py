"""What every vendor holds at one instant, in the bytes of a draw's method (A3)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from portal.audits.draws.plans import RISK_DAYS, options_of, strata_text
from portal.audits.draws.rules import Population
from portal.audits.findings.queries import people_with_findings
from portal.audits.models import Draw
from portal.cases.in_hand import Marking, groups_in_order, in_hand_marked, in_hand_packed


def populations(session: Session, row: Draw) -> dict[UUID, tuple[bytes, str | None, Population]]:
    """Each vendor's cases in hand now: packed, the strata's text (None by method /1), and both to
    be read."""
    if row.options is None:
        return {
            vendor: (packed, None, Population(packed)) for vendor, packed in in_hand_packed(session)
        }
    options = options_of(row.options)
    risky = people_with_findings(session, RISK_DAYS) if options.findings else []
    marking = Marking(
        options.group, options.days, options.amounts, options.suspended, risky, options.findings
    )
    packed = dict(in_hand_marked(session, marking))
    groups = groups_in_order(session) if options.group else {}
    texts = {vendor: strata_text(groups.get(vendor, [])) for vendor in packed}
    return {
        vendor: (ids, texts[vendor], Population(ids, row.options, texts[vendor]))
        for vendor, ids in packed.items()
    }
