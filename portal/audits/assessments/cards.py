"""The whole card numbers of a form, where the terms of its day of issue ask for them (A6)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.assessments.terms import CardDisplay, display_on
from portal.audits.models import AssessmentForm, Review
from portal.cases.models import Case
from portal.cases.sealing import CARD
from portal.kernel import clock
from tenants.vault import installed


def to_print(session: Session, form: AssessmentForm) -> dict[str, str]:
    """The whole card numbers by case number that a paper issued today prints; none while the terms
    in force say masked, and none of a case whose personal data are deleted (company scope)."""
    if display_on(session, clock.today()) is not CardDisplay.WHOLE:
        return {}
    rows = session.execute(
        sa.select(Case.id, Case.case_no, Case.card_sealed)
        .join(Review, sa.and_(Review.tenant_id == Case.tenant_id, Review.case_id == Case.id))
        .where(Review.tenant_id == form.tenant_id, Review.form_id == form.id)
    ).all()
    key = installed().key(session, form.tenant_id)
    return {case_no: key.open(CARD, case_id, blob) for case_id, case_no, blob in rows if blob}
