"""What a vendor was shown of a case when it was asked to check the facts, and whether it still
stands so: what it checks does not change meanwhile, and what changed is checked again (A5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.models import Finding, Review
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.rules import CheckState, Stage
from portal.kernel import clock
from portal.kernel.errors import Conflict
from portal.kernel.phrases import phrase


def shown_of(finding: Finding) -> dict[str, Any]:
    """What a vendor reads of a finding that is not judged yet: no level, points or notes."""
    return {
        "clause_no": finding.clause_no,
        "clause_text": finding.clause_text,
        "occurred_on": finding.occurred_on.isoformat(),
        "person": finding.person_name,
        "staff_no": finding.staff_no,
        "group": finding.group_name,
        "delivery_id": str(finding.delivery_id) if finding.delivery_id else None,
        "clip_from": finding.clip_from,
        "clip_to": finding.clip_to,
        "facts": finding.facts,
        "words": finding.words,
    }


def check_of(session: Session, review: Review, *, lock: bool = False) -> FactCheck | None:
    """The last check of facts that the vendor was asked for, if there was one. `lock` for whoever
    decides by it: an answer on its way is waited for."""
    statement = (
        sa.select(FactCheck)
        .where(FactCheck.tenant_id == review.tenant_id, FactCheck.review_id == review.id)
        .order_by(FactCheck.issued_at.desc(), FactCheck.id.desc())
        .limit(1)
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session.scalars(statement).first()


def waits(review: Review, check: FactCheck | None) -> bool:
    """Whether the vendor has not answered and still has time."""
    return (
        review.stage == Stage.FACTS
        and check is not None
        and check.state == CheckState.ASKED
        and clock.now() <= check.due_at
    )


def check_at_rest(session: Session, review: Review) -> None:
    """Refuse to change findings while the vendor checks them (`Conflict`)."""
    if review.stage == Stage.FACTS and waits(review, check_of(session, review, lock=True)):
        raise Conflict(
            phrase("The vendor is checking these facts; findings do not change meanwhile."),
            phrase("Wait for its answer, or take the question back first."),
        )


def unseen(check: FactCheck | None, standing: Sequence[Finding]) -> bool:
    """Whether a standing finding says something that the vendor was not shown when it was asked. A
    finding that is gone since is no such thing; a question that was taken back asked nothing."""
    if check is None or check.state == CheckState.RECALLED:
        return False
    return any(shown_of(finding) not in check.facts for finding in standing)


def check_seen(check: FactCheck | None, standing: Sequence[Finding]) -> None:
    """Refuse a verdict by facts that changed after the vendor checked them (`Conflict`)."""
    if unseen(check, standing):
        raise Conflict(
            phrase("The findings say something else than what the vendor checked."),
            phrase("Have the vendor check the facts again; it sees what changed."),
        )
