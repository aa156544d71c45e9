"""What an auditor writes of a finding, and what is checked of it before it is kept (A5)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.findings.queries import Person, get_person
from portal.audits.models import Review
from portal.cases.models import Case
from portal.kernel import clock
from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase, plural
from portal.materials.models import Delivery, RequestItem
from portal.materials.queries import item_of_delivery
from portal.vendors.clauses import Judgement


@dataclass(frozen=True, slots=True)
class FindingText:
    """What an auditor writes. `repetition`: None (not asked yet), True (taken), False (refused,
    with `repetition_reason`). Times of the clip in seconds of the recording `delivery_id`."""

    clause_no: str
    occurred_on: date
    facts: str
    person_id: UUID | None = None
    person_name: str = ""
    staff_no: str = ""
    group_name: str = ""
    leader_name: str = ""
    times: int = 1
    delivery_id: UUID | None = None
    clip_from: int | None = None
    clip_to: int | None = None
    call_at: datetime | None = None
    words: str = ""
    handling: str = ""
    correction: str = ""
    correct_by: date | None = None
    repetition: bool | None = None
    repetition_reason: str = ""


class RepetitionUndecided(Invalid):
    """The same person broke the clause before: the proposal is to be taken or refused (A5)."""

    def __init__(self, proposed: Judgement, earlier: Sequence[date], months: int) -> None:
        """`proposed` is the next level with the multiplied points."""
        super().__init__(
            plural(
                "The same person broke clause %(no)s on %(day)s, within %(months)s month.",
                "The same person broke clause %(no)s on %(day)s, within %(months)s months.",
                by="months",
                no=proposed.clause.no,
                day=max(earlier).isoformat(),
                months=months,
            ),
            phrase("Take the next level and the multiplied points, or refuse them with a reason."),
        )
        self.proposed, self.earlier = proposed, tuple(earlier)


def check_text(session: Session, review: Review, case: Case, text: FindingText) -> None:
    """Refuse a day outside the case's time, a passage that runs backwards, has no recording or
    lies beyond its end, and a recording that was not delivered for this case (`Invalid`)."""
    if text.occurred_on > clock.today():
        raise Invalid(
            phrase("The act cannot lie in the future."), phrase("Correct the day of the act.")
        )
    if text.occurred_on < case.entrusted_on:
        raise Invalid(
            phrase("The case was entrusted only on %(day)s.", day=case.entrusted_on.isoformat()),
            phrase("Correct the day of the act."),
        )
    if text.clip_from is not None and text.clip_to is not None and text.clip_to < text.clip_from:
        raise Invalid(
            phrase("The passage ends before it begins."), phrase("Correct its two times.")
        )
    if text.delivery_id is not None:
        _check_passage(_delivery_of(session, review, text.delivery_id), text)
    elif text.clip_from is not None or text.clip_to is not None:
        raise Invalid(
            phrase("A passage needs its recording."),
            phrase("Choose the recording, or leave the two times empty."),
        )


def _delivery_of(session: Session, review: Review, delivery_id: UUID) -> Delivery:
    """The recording, if it was delivered for this case; else `Invalid`."""
    found = session.scalar(
        sa.select(Delivery)
        .join(RequestItem, item_of_delivery())
        .where(
            Delivery.tenant_id == review.tenant_id,
            Delivery.id == delivery_id,
            RequestItem.request_id == review.request_id,
            RequestItem.case_id == review.case_id,
        )
        .limit(1)
    )
    if found is None:
        raise Invalid(
            phrase("That recording was not delivered for this case."),
            phrase("Choose one of the case's recordings."),
        )
    return found


def _check_passage(delivery: Delivery, text: FindingText) -> None:
    """Refuse a passage beyond the recording's end, where its length is known."""
    length = delivery.check_result.get("facts", {}).get("duration")
    last = max(text.clip_from or 0, text.clip_to or 0)
    if length is not None and last > math.ceil(length):
        raise Invalid(
            plural(
                "The recording is only %(seconds)s second long.",
                "The recording is only %(seconds)s seconds long.",
                by="seconds",
                seconds=math.ceil(length),
            ),
            phrase("Correct the passage's two times."),
        )


def person_of(session: Session, tenant_id: UUID, text: FindingText) -> Person:
    """The person responsible: chosen from the vendor's people, or typed. `Invalid` without."""
    if text.person_id is not None:
        return get_person(session, tenant_id, text.person_id)
    if not text.person_name.strip():
        raise Invalid(
            phrase("The person responsible is missing."),
            phrase("Choose one of the vendor's people, or type the name."),
        )
    return Person(
        None,
        text.person_name.strip(),
        text.staff_no.strip(),
        text.group_name.strip(),
        text.leader_name.strip(),
    )


def check_repetition(
    text: FindingText, proposed: Judgement, earlier: Sequence[date], months: int
) -> None:
    """A proposal must be taken, or refused with a reason (A5)."""
    if text.repetition is None:
        raise RepetitionUndecided(proposed, earlier, months)
    if text.repetition is False and not text.repetition_reason.strip():
        raise Invalid(
            phrase("Say why the repetition does not count."),
            phrase("The reason stays with the finding; the vendor does not see it."),
        )
