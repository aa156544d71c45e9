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
    Point,
    Relief,
    check_decider,
    check_points,
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


def decider_of(appeal: Appeal) -> Permission:
    """What it takes to decide an appeal: the audit department first; the general department at the
    last, and what was handed to it."""
    general = appeal.instance == LAST or appeal.referred_at is not None
    return DECIDE_LAST if general else DECIDE_APPEAL


def raise_appeal(
    session: Session,
    finding: Finding,
    reason: str,
    files: Sequence[Sent] = (),
    *,
    points: Sequence[str] = tuple(Point),
    actor: Actor,
) -> Appeal:
    """Appeal points of an issued finding (facts, clause, severity) with a reason and evidence
    (vendor's scope), within its window: first to the audit department, after a decision that let
    the finding stand at the last to the general department.

    Raises `Conflict` after the window, twice, or for a finding that fell; `Invalid` without a
    reason or a point; `RefusedFile` for evidence that cannot be kept.
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
    text, disputed = check_text(reason), check_points(points)
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
        disputed=disputed,
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
    _record(session, "audits.appeal.raised", row, actor, {"instance": instance, "points": disputed})
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
            roles=decider_of(row).roles,
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


def refer(session: Session, appeal: Appeal, *, actor: Actor) -> None:
    """Hand an appeal of the first instance to the general department, because nobody is left in
    the audit department who had no part in the finding; the appeal must be locked. Its clock runs
    on. Raises `Conflict` when it is decided, or handed over already."""
    if not actor.may(DECIDE_APPEAL):
        raise Forbidden("hand an appeal over")
    _check_open(appeal)
    if decider_of(appeal) is DECIDE_LAST:
        raise Conflict(
            phrase("The general department has this appeal already."), phrase("Reload the page.")
        )
    appeal.referred_at, appeal.referred_by_name = clock.now(), actor.name
    appeal.version += 1
    session.flush()
    _record(session, "audits.appeal.referred", appeal, actor, {"instance": appeal.instance})
    finding = session.get_one(Finding, (appeal.tenant_id, appeal.finding_id))
    notify(
        session,
        tenant_id=actor.company_id,
        roles=DECIDE_LAST.roles,
        message=phrase(
            "The audit department hands you an appeal to decide: clause %(clause)s, case %(case)s.",
            clause=finding.clause_no,
            case=finding.case_no,
        ),
        path=f"/appeals/{appeal.id}",
        kind=MessageKind.WORK,
    )


def _check_open(appeal: Appeal) -> None:
    if appeal.state != AppealState.OPEN:
        raise Conflict(
            phrase("This appeal is decided already."),
            phrase("Reload the page to see the decision."),
        )


def decide(
    session: Session,
    appeal: Appeal,
    *,
    uphold: bool,
    reason: str,
    relief: Relief | None = None,
    actor: Actor,
) -> None:
    """Decide an appeal with a reason that the vendor reads; the appeal must be locked.

    Upheld, the finding falls; with `relief` it is upheld in part and the finding stands eased. What
    followed from it is put right. Raises `Conflict` for whoever found, judged or confirmed it or
    decided before, and when it is decided already; `Invalid` without a reason, and for a relief
    that makes something heavier or changes nothing.
    """
    if not actor.may(decider_of(appeal)):
        raise Forbidden("decide appeal")
    _check_open(appeal)
    text = check_text(reason)
    finding = session.scalars(
        sa.select(Finding)
        .where(Finding.tenant_id == appeal.tenant_id, Finding.id == appeal.finding_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    clause = finding.clause_no
    others = of_findings(session, appeal.tenant_id, [finding.id])[finding.id]
    check_decider(actor.account_id, involved(session, finding, others))
    after = consequences.relieved(session, finding, relief) if relief is not None else None
    state = AppealState.UPHELD if uphold else AppealState.REJECTED
    if after is not None:
        state = AppealState.PARTLY
    appeal.state, appeal.decision = state, text
    appeal.decided_at, appeal.decided_by = clock.now(), actor.account_id
    appeal.decided_by_name = actor.name
    appeal.version += 1
    session.flush()
    deadlines.close(
        session, appeal.tenant_id, appeal.id, at=clock.now(), kind=CLOCKS[appeal.instance]
    )
    _record(session, f"audits.appeal.{state}", appeal, actor, {"instance": appeal.instance})
    if after is not None:
        consequences.ease(session, finding, appeal, after, actor=actor)
    elif uphold:
        consequences.overturn(session, finding, appeal, actor=actor)
    _tell_vendor(session, appeal, clause, finding.case_no)


_OUTCOMES = {
    AppealState.UPHELD: phrase("Your appeal of clause %(clause)s, case %(case)s, is upheld."),
    AppealState.PARTLY: phrase(
        "Your appeal of clause %(clause)s, case %(case)s, is upheld in part."
    ),
    AppealState.REJECTED: phrase("Your appeal of clause %(clause)s, case %(case)s, is rejected."),
}


def _tell_vendor(session: Session, appeal: Appeal, clause_no: str, case_no: str) -> None:
    words = _OUTCOMES[AppealState(appeal.state)]
    notify(
        session,
        tenant_id=appeal.tenant_id,
        roles=READERS,
        message=phrase(words.msgid, clause=clause_no, case=case_no),
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
