"""Replace a drawn case by the draw's next one (换抽), which anyone can recompute (A3)."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.draws import queries
from portal.audits.models import DrawShare, Review
from portal.audits.reviews.service import open_reviews
from portal.cases.models import HELD, Case
from portal.journal.service import record
from portal.kernel.access import Actor
from portal.kernel.errors import Conflict, NotFound
from portal.kernel.phrases import phrase
from portal.materials.changes import substitute_case
from portal.materials.models import RequestItem


def replace_case(
    session: Session, draw_id: UUID, vendor_id: UUID, case_id: UUID, *, reason: str, actor: Actor
) -> UUID:
    """Put the draw's next case in the place of `case_id`, with the reason that the vendor reads.

    The next case follows from the vendor's seed, its population's hash and the number of the
    replacement; one that the vendor no longer holds is passed over. The old case's review is
    dropped and the new one's opened. `Conflict` when it is judged already, or none is left.
    Returns the new case's id.
    """
    share = queries.get_share(session, draw_id, vendor_id, lock=True)
    if share.request_id is None or share.vendor_seed is None or share.positions is None:
        raise NotFound("request of the draw")
    _check_review(session, share, case_id)
    new_id, number = _next(session, share, case_id)
    substitute_case(session, share.request_id, case_id, new_id, reason=reason, actor=actor)
    open_reviews(
        session,
        tenant_id=vendor_id,
        request_id=share.request_id,
        case_ids=[new_id],
        actor=actor,
    )
    record(
        session,
        "audits.draw.replaced",
        ("draw", draw_id),
        actor=actor,
        data={
            "vendor": str(vendor_id),
            "case": str(case_id),
            "by": str(new_id),
            "replacement": number,
        },
    )
    return new_id


def _check_review(session: Session, share: DrawShare, case_id: UUID) -> None:
    judged = session.scalar(
        sa.select(Review.id).where(
            Review.tenant_id == share.tenant_id,
            Review.request_id == share.request_id,
            Review.case_id == case_id,
            Review.state != "open",
        )
    )
    if judged is not None:
        raise Conflict(
            phrase("This case is judged already."), phrase("A judged case is not replaced.")
        )


def _next(session: Session, share: DrawShare, instead_of: UUID) -> tuple[UUID, int]:
    """The next case and the number of the replacement that gave it."""
    population = queries.population_of(session, share)
    known = set(
        session.scalars(
            sa.select(RequestItem.case_id).where(
                RequestItem.tenant_id == share.tenant_id,
                RequestItem.request_id == share.request_id,
            )
        )
    )
    ids = population.ids()
    if instead_of not in known or instead_of not in ids:
        raise NotFound("drawn case")
    old = ids.index(instead_of)
    taken = {position for position, case_id in enumerate(ids) if case_id in known}
    number = len(taken) - share.quota
    own, digest = bytes.fromhex(share.vendor_seed or ""), bytes.fromhex(share.population_hash)
    while len(taken) < share.in_hand:
        number += 1
        position = population.replacement(taken, old, own, digest, number)
        if _held(session, share.tenant_id, ids[position]):
            return ids[position], number
        taken.add(position)
    raise Conflict(
        phrase("Every case of the population is asked for already, or back with the company."),
        phrase("Cancel the case's items instead."),
    )


def _held(session: Session, tenant_id: UUID, case_id: UUID) -> bool:
    status = session.scalar(
        sa.select(Case.status).where(Case.tenant_id == tenant_id, Case.id == case_id)
    )
    return status in {one.value for one in HELD}
