"""Open reviews, keep notes and marks (A3, A5); how a case goes on to its verdict: `stages`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from portal.audits.models import Escalation, Finding, Review
from portal.audits.reviews.rules import Stage
from portal.cases.models import Case
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.materials.changes import CasesWithdrawn
from tenants.rows import new_id

MARKS = 200
"""At most so many marks a case."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a recording: from–to in seconds, how grave, and what is said there."""

    delivery_id: UUID
    start: int
    end: int
    severity: str
    text: str


def open_reviews(
    session: Session,
    *,
    tenant_id: UUID,
    request_id: UUID,
    case_ids: Sequence[UUID],
    actor: Actor,
) -> int:
    """Open a review of each case of a request that has none yet; returns how many were opened."""
    known = set(
        session.scalars(
            sa.select(Review.case_id).where(
                Review.tenant_id == tenant_id, Review.request_id == request_id
            )
        )
    )
    numbers = {
        row.id: row.case_no
        for row in session.execute(
            sa.select(Case.id, Case.case_no).where(
                Case.tenant_id == tenant_id, Case.id.in_(case_ids)
            )
        )
    }
    wanted = [case_id for case_id in dict.fromkeys(case_ids) if case_id not in known]
    for case_id in wanted:
        if case_id not in numbers:
            raise NotFound("case")
        session.add(
            Review(
                tenant_id=tenant_id,
                id=new_id(),
                request_id=request_id,
                case_id=case_id,
                case_no=numbers[case_id],
                state="open",
                stage=Stage.FIRST.value,
                notes="",
                marks=[],
                opened_at=clock.now(),
            )
        )
    session.flush()
    record(
        session,
        "audits.reviews.opened",
        ("material_request", request_id),
        actor=actor,
        tenant_id=tenant_id,
        data={"cases": len(wanted)},
    )
    return len(wanted)


def drop_withdrawn(session: Session, event: CasesWithdrawn, actor: Actor) -> None:
    """Cases of a request are not wanted any more: their reviews that nobody worked on yet go.

    A review that is judged, or holds findings, marks or notes, stays as the record of that work.
    """
    worked_on = (
        sa.exists()
        .where(Finding.tenant_id == Review.tenant_id, Finding.review_id == Review.id)
        .correlate(Review)
    )
    gone = session.scalars(
        sa.select(Review).where(
            Review.tenant_id == event.tenant_id,
            Review.request_id == event.subject_id,
            Review.case_id.in_(event.case_ids),
            Review.stage == Stage.FIRST,
            Review.notes == "",
            Review.marks == sa.cast([], JSONB),
            ~worked_on,
        )
    ).all()
    for review in gone:
        session.delete(review)
    session.flush()
    if gone:
        record(
            session,
            "audits.reviews.dropped",
            ("material_request", event.subject_id),
            actor=actor,
            tenant_id=event.tenant_id,
            data={"cases": len(gone)},
        )


def save_notes(session: Session, review: Review, notes: str, *, actor: Actor) -> None:
    """Keep the auditors' private notes on a case (never shown to the vendor)."""
    review.notes = notes.strip()
    review.version += 1
    session.flush()
    record(
        session,
        "audits.review.noted",
        ("review", review.id),
        actor=actor,
        tenant_id=review.tenant_id,
        data={"case_no": review.case_no},
    )


def add_mark(session: Session, review: Review, mark: Mark, *, actor: Actor) -> None:
    """Keep a mark in a recording with the review. Raises `Invalid`."""
    if mark.end < mark.start:
        raise Invalid(
            phrase("The passage ends before it begins."), phrase("Correct its two times.")
        )
    if len(review.marks) >= MARKS:
        raise Invalid(
            phrase("A case holds at most %(most)s marks.", most=MARKS),
            phrase("Remove marks that are not needed."),
        )
    entry = {
        "id": str(new_id()),
        "delivery_id": str(mark.delivery_id),
        "start": mark.start,
        "end": mark.end,
        "severity": mark.severity,
        "text": mark.text.strip(),
        "by": actor.name,
        "at": clock.now().isoformat(),
    }
    review.marks = sorted([*review.marks, entry], key=lambda m: (m["delivery_id"], m["start"]))
    _marked(session, review, actor)


def remove_mark(session: Session, review: Review, mark_id: str, *, actor: Actor) -> None:
    """Take a mark away; one that is gone already is no error."""
    review.marks = [mark for mark in review.marks if mark["id"] != mark_id]
    _marked(session, review, actor)


def _marked(session: Session, review: Review, actor: Actor) -> None:
    session.flush()
    record(
        session,
        "audits.review.marked",
        ("review", review.id),
        actor=actor,
        tenant_id=review.tenant_id,
        data={"case_no": review.case_no, "marks": len(review.marks)},
    )


def note_escalation(session: Session, escalation_id: UUID, *, actor: Actor) -> None:
    """The general manager's office has seen a report; seeing it twice changes nothing (A5)."""
    row = session.scalars(
        sa.select(Escalation).where(Escalation.id == escalation_id).with_for_update()
    ).first()
    if row is None:
        raise NotFound("escalation")
    if row.seen_at is not None:
        return
    row.seen_at, row.seen_by_name = clock.now(), actor.name
    session.flush()
    record(
        session,
        "audits.escalation.seen",
        ("escalation", row.id),
        actor=actor,
        tenant_id=row.tenant_id,
    )
