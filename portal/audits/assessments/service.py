"""Prepare, return, confirm and issue the daily audit assessment form (A5, A6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.assessments.cards import to_print
from portal.audits.assessments.hearing import check_heard
from portal.audits.assessments.paper import TITLE, confirmation, form_content, manner_of
from portal.audits.assessments.queries import (
    FindingRow,
    addressees,
    finding_rows,
    missing,
    reviewed_rows,
)
from portal.audits.findings.service import CLOCK
from portal.audits.models import AssessmentForm, Finding, FindingState, FormState, Review, Verdict
from portal.audits.reviews.opinions import lapse
from portal.audits.rules import FINDING_MOVES, FORM_MOVES, check_head, moved
from portal.deadlines import service as deadlines
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.phrases import Phrase, phrase, plural
from portal.materials.models import MaterialRequest
from portal.materials.queries import request_counts
from portal.notices import service as notices
from portal.notices.models import Document
from portal.notices.numbering import next_number
from portal.notices.service import Recipient
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.models import Tenant
from tenants.rows import new_id

READERS = (Role.MANAGER, Role.SUPERVISOR, Role.TEAM_LEADER, Role.OFFICE)


class Incomplete(Invalid):
    """A form lacks what A6 asks for. `problems` lists each, with its case."""

    def __init__(self, problems: Sequence[Phrase]) -> None:
        """`problems` are messages for people."""
        super().__init__(
            plural(
                "The form cannot be issued: %(count)s thing is missing.",
                "The form cannot be issued: %(count)s things are missing.",
                by="count",
                count=len(problems),
            ),
            phrase("Return the form, complete the findings named, and prepare it again."),
        )
        self.problems = tuple(problems)


def prepare_form(
    session: Session, *, tenant_id: UUID, request_id: UUID, partial: bool = False, actor: Actor
) -> AssessmentForm:
    """Put the judged cases of a request, and their findings, on a form.

    While cases are not judged it is refused unless `partial`: the clock of A5 runs per finding,
    so that what is judged need not wait for the rest; the form says how many are left out.
    Raises `Invalid` when there is nothing to report.
    """
    request = session.scalars(
        sa.select(MaterialRequest)
        .where(MaterialRequest.tenant_id == tenant_id, MaterialRequest.id == request_id)
        .with_for_update(key_share=True)
    ).first()
    if request is None:
        raise NotFound("material request")
    reviews = _waiting(session, tenant_id, request_id)
    judged = [review for review in reviews if review.state == "judged"]
    unjudged = len(reviews) - len(judged)
    _check_judged(len(judged), unjudged, partial=partial)
    findings = _findings(session, tenant_id, [review.id for review in judged])
    if not findings:
        raise Invalid(
            phrase("Every judged case passed: there is nothing to report."),
            phrase("A form is prepared when a case has failed."),
        )
    form = _new_form(session, request, judged, unjudged, actor)
    session.add(form)
    session.flush()
    for review in judged:
        review.form_id = form.id
    for finding in findings:
        finding.form_id = form.id
    session.flush()
    _tell_heads(session, form, len(findings), actor)
    _record(session, "audits.form.prepared", form, actor, {"findings": len(findings)})
    return form


def _waiting(session: Session, tenant_id: UUID, request_id: UUID) -> list[Review]:
    return list(
        session.scalars(
            sa.select(Review)
            .where(
                Review.tenant_id == tenant_id,
                Review.request_id == request_id,
                Review.form_id.is_(None),
            )
            .order_by(Review.id)
            .with_for_update()
        )
    )


def _check_judged(judged: int, unjudged: int, *, partial: bool) -> None:
    if not judged:
        raise Invalid(
            phrase("No judged case of this request waits for a form."),
            phrase("Judge its cases at the review desk first."),
        )
    if unjudged and not partial:
        raise Invalid(
            plural(
                "%(count)s case of this request is not judged yet.",
                "%(count)s cases of this request are not judged yet.",
                by="count",
                count=unjudged,
            ),
            phrase("Judge them first, or prepare a form for the judged part."),
        )


def _findings(session: Session, tenant_id: UUID, review_ids: Sequence[UUID]) -> list[Finding]:
    return list(
        session.scalars(
            sa.select(Finding)
            .where(
                Finding.tenant_id == tenant_id,
                Finding.review_id.in_(review_ids),
                Finding.state == FindingState.CONFIRMED,
                Finding.form_id.is_(None),
            )
            .order_by(Finding.id)
            .with_for_update()
        )
    )


def _new_form(
    session: Session,
    request: MaterialRequest,
    judged: Sequence[Review],
    unjudged: int,
    actor: Actor,
) -> AssessmentForm:
    counts = request_counts(session, request.tenant_id, request.id)
    return AssessmentForm(
        tenant_id=request.tenant_id,
        id=new_id(),
        request_id=request.id,
        period=request.period,
        manner=manner_of(request),
        expected=counts.expected,
        delivered=counts.delivered,
        reviewed=len(judged),
        passed=sum(review.verdict == Verdict.PASS for review in judged),
        unjudged=unjudged,
        state=FormState.PREPARED.value,
        prepared_at=clock.now(),
        prepared_by=actor.account_id,
        prepared_by_name=actor.name,
    )


def _tell_heads(session: Session, form: AssessmentForm, findings: int, actor: Actor) -> None:
    vendor = session.get(Tenant, form.tenant_id)
    notify(
        session,
        tenant_id=actor.company_id,
        roles=[Role.AUDIT_HEAD],
        message=plural(
            "An assessment form for %(vendor)s waits for confirmation: %(count)s finding.",
            "An assessment form for %(vendor)s waits for confirmation: %(count)s findings.",
            by="count",
            vendor=vendor.short_name if vendor else "",
            count=findings,
        ),
        path=f"/assessments/{form.id}",
        kind=MessageKind.WORK,
    )


def return_form(session: Session, form: AssessmentForm, reason: str, *, actor: Actor) -> None:
    """The head, or whoever prepared it, gives a form back; its cases and findings are free again.

    The clocks of the findings go on running. Raises `Invalid` without a reason.
    """
    if not reason.strip():
        raise Invalid(phrase("Say why the form is returned."), phrase("The auditor sees it."))
    if Role.AUDIT_HEAD not in actor.roles and actor.account_id != form.prepared_by:
        raise Forbidden("return form")
    form.state = moved(FORM_MOVES, form.state, FormState.RETURNED)
    form.return_reason = reason.strip()
    form.version += 1
    for row in session.scalars(
        sa.select(Finding).where(Finding.tenant_id == form.tenant_id, Finding.form_id == form.id)
    ):
        row.form_id = None
    for review in session.scalars(
        sa.select(Review).where(Review.tenant_id == form.tenant_id, Review.form_id == form.id)
    ):
        review.form_id = None
    session.flush()
    if actor.account_id != form.prepared_by:
        notify(
            session,
            tenant_id=actor.company_id,
            roles=[Role.AUDITOR],
            message=phrase("%(name)s returned an assessment form to the auditor.", name=actor.name),
            path=f"/assessments/{form.id}",
            kind=MessageKind.WORK,
        )
    _record(session, "audits.form.returned", form, actor, {})


def confirm_form(session: Session, form: AssessmentForm, *, actor: Actor) -> Document:
    """The audit head confirms, and with that issues, a form that somebody else prepared (A6).

    Number, frozen paper, findings, clocks and messages stand or fall together. Raises `Conflict`
    for one's own form, one that is not waiting, or one with a clip that the actor has not heard;
    `Incomplete` with what A6 misses.
    """
    state = moved(FORM_MOVES, form.state, FormState.ISSUED)
    check_head(form.prepared_by, actor.account_id)
    rows = finding_rows(session, form)
    problems = missing(session, form, rows)
    if problems:
        raise Incomplete(problems)
    check_heard(session, form, rows, actor=actor)
    content = form_content(
        session, form, rows, reviewed_rows(session, form), head=confirmation(actor)
    )
    number = next_number(session, form.tenant_id, "JH")
    document = notices.issue(
        session,
        tenant_id=form.tenant_id,
        template="assessment_form",
        number=number,
        title=TITLE,
        content=content,
        subject=("assessment_form", form.id),
        recipients=[
            Recipient(to.part, to.name, to.account_id)
            for to in addressees(session, form.tenant_id, rows)
        ],
        cards=to_print(session, form),
        actor=actor,
    )
    _issue_findings(session, rows)
    lapse(session, form.tenant_id, form.id)
    form.number, form.state, form.document_id = number, state, document.id
    form.issued_at = form.confirmed_at = clock.now()
    form.confirmed_by, form.confirmed_by_name = actor.account_id, actor.name
    form.version += 1
    session.flush()
    _tell_vendor(session, form, len(rows))
    _record(session, "audits.form.issued", form, actor, {"number": number, "findings": len(rows)})
    return document


def _issue_findings(session: Session, rows: Sequence[FindingRow]) -> None:
    for row in rows:
        finding = row.finding
        finding.state = moved(FINDING_MOVES, finding.state, FindingState.ISSUED)
        finding.issued_at = clock.now()
        finding.version += 1
        deadlines.close(session, finding.tenant_id, finding.id, at=clock.now(), kind=CLOCK)
    session.flush()


def _tell_vendor(session: Session, form: AssessmentForm, findings: int) -> None:
    notify(
        session,
        tenant_id=form.tenant_id,
        roles=READERS,
        message=plural(
            "Assessment form %(number)s was issued to you: %(count)s finding.",
            "Assessment form %(number)s was issued to you: %(count)s findings.",
            by="count",
            number=form.number or "",
            count=findings,
        ),
        path=f"/assessments/{form.id}",
        kind=MessageKind.WORK,
    )


def _record(
    session: Session, action: str, form: AssessmentForm, actor: Actor, data: dict[str, Any]
) -> None:
    record(
        session,
        action,
        ("assessment_form", form.id),
        actor=actor,
        tenant_id=form.tenant_id,
        data={"period": form.period, "reviewed": form.reviewed, "passed": form.passed, **data},
    )
