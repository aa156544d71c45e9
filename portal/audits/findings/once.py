"""One call is judged once (一事不二罚): of several findings on it the heaviest counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.findings.queries import STANDING
from portal.audits.models import AssessmentForm, Finding
from portal.audits.rules import weight
from portal.kernel.errors import Conflict
from portal.kernel.phrases import phrase
from portal.materials.models import Delivery, RequestItem
from portal.materials.queries import item_of_delivery

CallKey = tuple[str, object]


def call_keys(session: Session, findings: Sequence[Finding]) -> dict[UUID, CallKey]:
    """The call that each finding is about: the listed call of its recording, else the recording's
    bytes, else case and moment. A finding about no call is not in it."""
    if not findings:
        return {}
    known = {
        row.id: row
        for row in session.execute(
            sa.select(Delivery.id, Delivery.sha256, RequestItem.call_id)
            .join(RequestItem, item_of_delivery())
            .where(
                Delivery.tenant_id == findings[0].tenant_id,
                Delivery.id.in_([one.delivery_id for one in findings if one.delivery_id]),
            )
        )
    }
    made: dict[UUID, CallKey] = {}
    for one in findings:
        recording = known.get(one.delivery_id) if one.delivery_id else None
        if recording is not None and recording.call_id is not None:
            made[one.id] = ("call", recording.call_id)
        elif recording is not None:
            made[one.id] = ("recording", recording.sha256 or recording.id)
        elif one.call_at is not None:
            made[one.id] = ("moment", (one.case_id, one.call_at))
    return made


def _of_case(session: Session, finding: Finding) -> list[Finding]:
    """The standing findings on the same case, this one among them."""
    return list(
        session.scalars(
            sa.select(Finding)
            .where(
                Finding.tenant_id == finding.tenant_id,
                Finding.case_id == finding.case_id,
                Finding.state.in_(STANDING) | (Finding.id == finding.id),
            )
            .order_by(Finding.id)
        )
    )


def on_same_call(session: Session, finding: Finding) -> list[Finding]:
    """The other standing findings on the call of this one."""
    rows = _of_case(session, finding)
    keys = call_keys(session, rows)
    own = keys.get(finding.id)
    if own is None:
        return []
    return [one for one in rows if one.id != finding.id and keys.get(one.id) == own]


def check_not_judged(session: Session, finding: Finding) -> None:
    """Refuse to confirm a finding on a call that another review has judged (`Conflict`)."""
    for other in on_same_call(session, finding):
        if other.review_id == finding.review_id:
            continue
        number = session.scalar(
            sa.select(AssessmentForm.number).where(
                AssessmentForm.tenant_id == other.tenant_id, AssessmentForm.id == other.form_id
            )
        )
        raise Conflict(
            phrase(
                "This call has been judged by clause %(clause)s (%(form)s): one call is judged "
                "once.",
                clause=other.clause_no,
                form=number or other.case_no,
            ),
            phrase("Remove this finding, or cite another call."),
        )


def merges(findings: Sequence[Finding]) -> Mapping[UUID, UUID | None]:
    """Into which each of the findings on one call is merged; None for the one that counts."""
    if not findings:
        return {}
    first = min(
        findings, key=lambda one: weight(one.level, one.points, one.deduction, one.clause_no)
    )
    return {one.id: None if one is first else first.id for one in findings}


def merge(session: Session, finding: Finding) -> None:
    """Let the heaviest of the findings on the call of a finding that is not issued count; of a
    finding that stands no more, let another one step into its place."""
    others = on_same_call(session, finding)
    counted = [*others, finding] if finding.state in STANDING else others
    for one_id, into in merges(counted).items():
        one = next(row for row in counted if row.id == one_id)
        if one.merged_into_id != into:
            one.merged_into_id = into
    if finding.state not in STANDING:
        finding.merged_into_id = None
    session.flush()
