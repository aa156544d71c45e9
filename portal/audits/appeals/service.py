"""Raise an appeal and decide it (申诉, A5). What an upheld one changes: `consequences.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals import consequences
from portal.audits.appeals.models import Appeal, AppealEvidence
from portal.audits.appeals.queries import (
    CLOCKS,
    earlier,
    involved,
    of_findings,
    window_until,
)
from portal.audits.appeals.rules import (
    FIRST,
    LAST,
    MOST_EVIDENCE,
    AppealState,
    check_decider,
    check_text,
    check_window,
    next_instance,
)
from portal.audits.models import AssessmentForm, Finding, FindingState
from portal.audits.permissions import DECIDE_APPEAL, DECIDE_LAST
from portal.audits.terms import terms_on
from portal.calendar.rules import YearNotConfirmed
from portal.calendar.service import load as load_calendar
from portal.deadlines import service as deadlines
from portal.files.evidence import keep_checked
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor, Permission, Role
from portal.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from portal.kernel.phrases import phrase
from portal.notifications.kinds import MessageKind
from portal.notifications.service import notify
from tenants.models import Tenant
from tenants.rows import new_id

READERS = (Role.MANAGER, Role.SUPERVISOR, Role.TEAM_LEADER)
Sent = tuple[str, IO[bytes]]
"""A file as it was sent: its name and its bytes."""


def decider_of(instance: int) -> Permission:
    """What it takes to decide at an instance."""
    return DECIDE_LAST if instance == LAST else DECIDE_APPEAL


def raise_appeal(
    session: Session, finding: Finding, reason: str, files: Sequence[Sent] = (), *, actor: Actor
) -> Appeal:
    """Appeal an issued finding with a reason and evidence (vendor's scope), within its window:
    first to the audit department, after a rejection at the last to the general department.

    Raises `Conflict` after the window, twice, or for a finding that fell; `Invalid` without a
    reason; `RefusedFile` for evidence that cannot be kept.
    """
    if finding.form_id is None or finding.state not in (
        FindingState.ISSUED,
        FindingState.OVERTURNED,
    ):
        raise NotFound("issued finding")
    before = of_findings(session, finding.tenant_id, [finding.id]).get(finding.id, [])
    instance = next_instance(earlier(before))
    form = session.get_one(AssessmentForm, (finding.tenant_id, finding.form_id))
    until = window_until(session, form, load_calendar(session), before)
    check_window(until, clock.now())
    text = check_text(reason)
    if len(files) > MOST_EVIDENCE:
        raise Invalid(
            phrase("An appeal takes at most %(most)s files.", most=MOST_EVIDENCE),
            phrase("Combine several into one PDF."),
        )
    row = Appeal(
        tenant_id=finding.tenant_id,
        id=new_id(),
        finding_id=finding.id,
        form_id=form.id,
        instance=instance,
        state=AppealState.OPEN,
        reason=text,
        window_until=until,
        raised_at=clock.now(),
        raised_by=actor.account_id,
        raised_by_name=actor.name,
        version=1,
    )
    session.add(row)
    session.flush()
    _keep(session, row, files, actor)
    _record(session, "audits.appeal.raised", row, actor, {"instance": instance})
    return row


def _keep(session: Session, appeal: Appeal, files: Sequence[Sent], actor: Actor) -> None:
    held: set[str] = set()
    for name, stream in files:
        stored = keep_checked(
            session,
            name,
            stream,
            tenant_id=appeal.tenant_id,
            purpose="appeal_evidence",
            held=held,
            actor=actor,
        )
        if stored is None:
            continue
        held.add(stored.sha256)
        session.add(
            AppealEvidence(
                tenant_id=appeal.tenant_id,
                id=new_id(),
                appeal_id=appeal.id,
                file_id=stored.id,
                added_at=clock.now(),
            )
        )
    session.flush()


def announce(session: Session, *, actor: Actor, limit: int = 100) -> int:
    """Open the clock of the appeals that vendors raised, and tell who decides (company scope), each
    once; returns how many."""
    rows = session.execute(
        sa.select(Appeal, AssessmentForm.number, Tenant.short_name)
        .join(
            AssessmentForm,
            sa.and_(
                AssessmentForm.tenant_id == Appeal.tenant_id, AssessmentForm.id == Appeal.form_id
            ),
        )
        .join(Tenant, Tenant.id == Appeal.tenant_id)
        .where(Appeal.told_at.is_(None))
        .order_by(Appeal.raised_at)
        .limit(limit)
        .with_for_update(of=Appeal, skip_locked=True)
    ).all()
    for row, number, vendor in rows:
        row.told_at = clock.now()
        if row.state == AppealState.OPEN:
            _open_clock(session, row, number or "")
        notify(
            session,
            tenant_id=actor.company_id,
            roles=decider_of(row.instance).roles,
            message=phrase(
                "%(vendor)s appeals a finding of %(number)s.", vendor=vendor, number=number
            ),
            path=f"/appeals/{row.id}",
            kind=MessageKind.WORK,
        )
    session.flush()
    return len(rows)


def _open_clock(session: Session, row: Appeal, number: str) -> None:
    terms = terms_on(session, clock.beijing(row.raised_at).date())
    try:
        due = load_calendar(session).due_after(row.raised_at, terms.decide)
    except YearNotConfirmed:
        return  # decided without a clock: nobody has said which days are worked
    row.due_at = due.due_at
    deadlines.open_deadline(
        session,
        tenant_id=row.tenant_id,
        kind=CLOCKS[row.instance],
        subject=("appeal", row.id),
        label=number,
        owed_by="company",
        due=due,
    )


def decide(session: Session, appeal: Appeal, *, uphold: bool, reason: str, actor: Actor) -> None:
    """Decide an appeal with a reason that the vendor reads; the appeal must be locked.

    Upheld, the finding falls and what followed from it is put right. Raises `Conflict` for whoever
    found it or decided before, and when it is decided already; `Invalid` without a reason.
    """
    if not actor.may(decider_of(appeal.instance)):
        raise Forbidden("decide appeal")
    if appeal.state != AppealState.OPEN:
        raise Conflict(
            phrase("This appeal is decided already."),
            phrase("Reload the page to see the decision."),
        )
    text = check_text(reason)
    finding = session.scalars(
        sa.select(Finding)
        .where(Finding.tenant_id == appeal.tenant_id, Finding.id == appeal.finding_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    others = of_findings(session, appeal.tenant_id, [finding.id])[finding.id]
    check_decider(actor.account_id, involved(session, finding, others))
    state = AppealState.UPHELD if uphold else AppealState.REJECTED
    appeal.state, appeal.decision = state, text
    appeal.decided_at, appeal.decided_by = clock.now(), actor.account_id
    appeal.decided_by_name = actor.name
    appeal.version += 1
    session.flush()
    deadlines.close(
        session, appeal.tenant_id, appeal.id, at=clock.now(), kind=CLOCKS[appeal.instance]
    )
    _record(session, f"audits.appeal.{state}", appeal, actor, {"instance": appeal.instance})
    if uphold:
        consequences.overturn(session, finding, appeal, actor=actor)
    _tell_vendor(session, appeal, finding)


def _tell_vendor(session: Session, appeal: Appeal, finding: Finding) -> None:
    upheld = phrase("Your appeal of clause %(clause)s, case %(case)s, is upheld.")
    rejected = phrase("Your appeal of clause %(clause)s, case %(case)s, is rejected.")
    words = upheld if appeal.state == AppealState.UPHELD else rejected
    notify(
        session,
        tenant_id=appeal.tenant_id,
        roles=READERS,
        message=phrase(words.msgid, clause=finding.clause_no, case=finding.case_no),
        path=f"/appeals/{appeal.id}",
        kind=MessageKind.WORK,
    )


def may_raise(session: Session, form: AssessmentForm, appeals: Sequence[Appeal]) -> bool:
    """Whether a finding of the form with these appeals may be appealed (again) now."""
    try:
        instance = next_instance(earlier(appeals))
        until = window_until(session, form, load_calendar(session), appeals)
        check_window(until, clock.now())
    except (Conflict, YearNotConfirmed):
        return False
    return instance in (FIRST, LAST)


def _record(
    session: Session, action: str, appeal: Appeal, actor: Actor, data: dict[str, Any]
) -> None:
    record(
        session,
        action,
        ("appeal", appeal.id),
        actor=actor,
        tenant_id=appeal.tenant_id,
        data={"finding": str(appeal.finding_id), **data},
    )


def get_issued_finding(session: Session, form: AssessmentForm, finding_id: UUID) -> Finding:
    """A finding of an issued form; raises `NotFound`."""
    row = session.get(Finding, (form.tenant_id, finding_id))
    if row is None or row.form_id != form.id or row.issued_at is None:
        raise NotFound("finding")
    return row
