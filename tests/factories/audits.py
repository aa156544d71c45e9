"""Cases under review for tests: a request of drawn cases with a recording each."""

from __future__ import annotations

import io
import json
import math
import struct
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.audits.assessments import hearing
from portal.audits.assessments.queries import finding_rows
from portal.audits.assessments.service import prepare_form
from portal.audits.findings.service import save_finding
from portal.audits.findings.text import FindingText
from portal.audits.models import AssessmentForm, Finding, Review
from portal.audits.reviews.service import open_reviews
from portal.audits.reviews.stages import end_first, judge
from portal.files.service import keep, storage
from portal.files.storage import make_key
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.materials.kinds import ItemState
from portal.materials.models import Delivery, MaterialRequest, RequestItem
from portal.materials.rules import Wanted
from portal.materials.service import issue_request
from tenants.database import ScopedSession
from tests.factories.cases import add_cases
from tests.factories.world import VendorWorld, World

COLLEAGUE = UUID(int=7)
ACT = date(2026, 11, 2)
"""The day on which the acts of these findings happened."""


@dataclass(frozen=True)
class Audit:
    """A request with its cases, their reviews by position, and a recording of each."""

    world: World
    vendor: VendorWorld
    request_id: UUID
    review_ids: tuple[UUID, ...]
    delivery_ids: tuple[UUID, ...]

    @property
    def auditor(self) -> Actor:
        """Who listens and writes."""
        return self.world.actor(Role.AUDITOR)

    @property
    def head(self) -> Actor:
        """Who confirms."""
        return self.world.actor(Role.AUDIT_HEAD)

    @property
    def colleague(self) -> Actor:
        """Another auditor, who had no part in anything."""
        company = self.world.company_id
        return Actor(COLLEAGUE, "复核员", company, company, frozenset({Role.AUDITOR}))

    def review(self, session: ScopedSession, position: int = 0) -> Review:
        """The review of a case (company scope)."""
        return session.scalars(
            sa.select(Review).where(Review.id == self.review_ids[position])
        ).one()


def text(audit: Audit, **changes: Any) -> FindingText:
    """A complete finding of rudeness (clause 301) by the vendor's agent."""
    values: dict[str, Any] = {
        "clause_no": "301",
        "occurred_on": ACT,
        "facts": "通话中语气恶劣,多次打断客户。",
        "words": "你听不懂人话吗?",
        "person_id": audit.vendor.people[Role.AGENT][1],
        "correction": "当日停止接触该户,组织文明用语培训。",
    }
    return FindingText(**{**values, **changes})


def open_audit(
    session: ScopedSession, world: World, vendor: VendorWorld, cases: int = 3, *, first: int = 1
) -> Audit:
    """Draw `cases` cases of a vendor, ask for their recordings, deliver them, open the reviews."""
    actor = world.actor(Role.AUDITOR)
    case_ids = add_cases(session, world, vendor, cases, first=first)
    request = issue_request(
        session,
        tenant_id=vendor.id,
        manner="ad_hoc",
        draw_id=None,
        reason="专项稽核",
        period="2026-11",
        draw_facts={},
        wanted=[Wanted("call_recording"), Wanted("visit_recording", required=False)],
        case_ids=case_ids,
        actor=actor,
    )
    open_reviews(
        session, tenant_id=vendor.id, request_id=request.id, case_ids=case_ids, actor=actor
    )
    deliveries = [_deliver(session, request, case_id, actor) for case_id in case_ids]
    session.commit()
    reviews = {
        row.case_id: row.id
        for row in session.execute(
            sa.select(Review.case_id, Review.id).where(Review.request_id == request.id)
        )
    }
    return Audit(
        world,
        vendor,
        request.id,
        tuple(reviews[case_id] for case_id in case_ids),
        tuple(deliveries),
    )


@cache
def tone(seconds: int = 12) -> bytes:
    """A WAV that can be heard: a quiet tone."""
    rate, out = 8000, io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(
            b"".join(
                struct.pack("<h", int(6000 * math.sin(i / 9) * abs(math.sin(i / 2400))))
                for i in range(rate * seconds)
            )
        )
    return out.getvalue()


def deliver_visit(session: ScopedSession, audit: Audit, position: int = 0) -> UUID:
    """A visit's recording of a case beside that of the call."""
    request = session.scalars(
        sa.select(MaterialRequest).where(MaterialRequest.id == audit.request_id)
    ).one()
    case_id = audit.review(session, position).case_id
    return _deliver(session, request, case_id, audit.auditor, "visit_recording")


def _deliver(
    session: ScopedSession,
    request: MaterialRequest,
    case_id: UUID,
    actor: Actor,
    kind: str = "call_recording",
) -> UUID:
    item = session.scalars(
        sa.select(RequestItem).where(
            RequestItem.request_id == request.id,
            RequestItem.case_id == case_id,
            RequestItem.kind == kind,
        )
    ).one()
    stored = keep(
        session,
        tone() + f"{item.case_no}{kind}".encode(),
        tenant_id=request.tenant_id,
        purpose="material",
        original_name=f"{item.case_no}_{kind}.wav",
        safe_name=f"{item.case_no}_{kind}.wav",
        media_type="audio/wav",
        actor=actor,
    )
    peaks = json.dumps({"peaks": [abs(math.sin(i / 9)) for i in range(120)]}).encode()
    peaks_key = make_key(request.tenant_id, clock.now())
    storage().put(peaks_key, io.BytesIO(peaks), length=len(peaks))
    delivery = Delivery(
        tenant_id=request.tenant_id,
        request_id=request.id,
        item_id=item.id,
        file_id=stored.id,
        sha256=stored.sha256,
        state="current",
        check_state="sound",
        check_result={"facts": {"duration": 12.0, "channels": 1, "silence": 0.0}},
        peaks_key=peaks_key,
        matched_how="case_no",
        started_at=clock.now(),
        delivered_at=clock.now(),
        delivered_by_name="冯内勤",
    )
    session.add(delivery)
    item.state = ItemState.DELIVERED
    session.flush()
    return delivery.id


def judge_twice(session: ScopedSession, audit: Audit, review: Review, *, passed: bool) -> None:
    """The auditor listens first, the audit head second, and judges."""
    end_first(session, review, passed=passed, actor=audit.auditor)
    judge(session, review, passed=passed, actor=audit.head)


def fail(session: ScopedSession, audit: Audit, position: int = 0, **changes: Any) -> Finding:
    """Write a finding on a case and judge it 不合格, which confirms the finding."""
    review = audit.review(session, position)
    finding = save_finding(session, review, text(audit, **changes), actor=audit.auditor)
    judge_twice(session, audit, review, passed=False)
    return finding


def pass_others(session: ScopedSession, audit: Audit, positions: Sequence[int]) -> None:
    """Judge cases 合格."""
    for position in positions:
        judge_twice(session, audit, audit.review(session, position), passed=True)


def prepared(session: ScopedSession, audit: Audit, **changes: Any) -> AssessmentForm:
    """A form of the whole request: the first case failed, the others passed; committed."""
    fail(session, audit, 0, **changes)
    pass_others(session, audit, range(1, len(audit.review_ids)))
    form = prepare_form(
        session, tenant_id=audit.vendor.id, request_id=audit.request_id, actor=audit.auditor
    )
    session.commit()
    return form


def hear(session: ScopedSession, form: AssessmentForm, actor: Actor) -> None:
    """Whoever signs hears each clip of a form to its end."""
    for row in hearing.clips_of(finding_rows(session, form)):
        hearing.note_sent(session, form, row, actor=actor)
        with clock.frozen(clock.now() + timedelta(seconds=hearing.clip_seconds(row))):
            hearing.note_heard(session, form, row, actor=actor)


def beijing(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of Beijing's clock."""
    return clock.at_beijing(day, hour, minute)
