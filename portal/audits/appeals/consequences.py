"""What an upheld appeal puts right: the finding falls, or stands eased, and what hung on it is
judged anew (A5).

Lighter findings on the same call step forward, later repetitions that are none any more are
assessed again, the forms get superseding papers. Scores, fees and notices follow by the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.models import Appeal, FindingCorrection
from portal.audits.appeals.queries import papers_of
from portal.audits.appeals.rules import FIRST, LAST, AppealState, Counted, Relief, capped, eased
from portal.audits.assessments.cards import to_print
from portal.audits.assessments.paper import TITLE, Told, corrected_content
from portal.audits.assessments.queries import finding_rows, reviewed_rows
from portal.audits.findings.once import merges
from portal.audits.findings.queries import STANDING, Person, earlier_acts
from portal.audits.models import AssessmentForm, Finding, FindingState
from portal.audits.rules import FINDING_MOVES, assess, handling, moved
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import Actor
from portal.kernel.events import Event, publish
from portal.notices import service as notices
from portal.notices.models import Document
from portal.notices.numbering import next_number
from portal.notices.queries import recipients_of
from portal.notices.service import Recipient
from portal.vendors.clauses import Catalogue, Level
from portal.vendors.penalties import catalogue_on

DEPARTMENTS = {FIRST: "稽核部", LAST: "综合部"}


@dataclass(frozen=True, slots=True)
class FindingsCorrected(Event):
    """An appeal upheld in whole or part (`subject_id`) changed issued findings. `periods`: the
    months in which they had been reported; `form_ids`: their forms; `reason`: a line for papers."""

    periods: tuple[str, ...]
    form_ids: tuple[UUID, ...]
    reason: str


def overturn(session: Session, finding: Finding, appeal: Appeal, *, actor: Actor) -> None:
    """Let an issued finding fall, and put right what followed from it (company scope)."""
    state = moved(FINDING_MOVES, finding.state, FindingState.OVERTURNED)
    _correct(session, finding, appeal, {"state": state, "merged_into_id": None})
    reason = f"申诉成立，撤销个案{finding.case_no}第{finding.clause_no}条"
    _put_right(session, finding, appeal, finding.clause_no, reason, actor=actor)


def relieved(session: Session, finding: Finding, relief: Relief) -> Counted:
    """What a relief makes of a finding, by the catalogue of its day. Raises `Invalid`."""
    catalogue = catalogue_on(session, finding.occurred_on).catalogue
    earlier = _earlier(session, finding, relief.clause_no)
    return eased(catalogue, finding.occurred_on, _counted(finding), relief, earlier)


def ease(
    session: Session, finding: Finding, appeal: Appeal, after: Counted, *, actor: Actor
) -> None:
    """Put what a partly upheld appeal leaves of an issued finding in its place (`relieved`), and
    put right what followed from it (company scope)."""
    in_force = catalogue_on(session, finding.occurred_on)
    clause, before = in_force.catalogue.get(after.clause_no), finding.clause_no
    to = _judged(in_force.catalogue, after) | {
        "clause_no": clause.no,
        "times": after.times,
        "facts": after.facts,
    }
    if clause.no != before:
        to |= {"clause_text": clause.text, "clause_version": in_force.version.version}
    _correct(session, finding, appeal, to)
    reason = f"申诉部分成立，更正个案{finding.case_no}第{before}条"
    _put_right(session, finding, appeal, before, reason, actor=actor)


def _put_right(
    session: Session, finding: Finding, appeal: Appeal, clause_no: str, reason: str, *, actor: Actor
) -> None:
    """What follows from a corrected finding. `clause_no`: the clause that it had."""
    touched = {finding.id: finding}
    for row in _step_forward(session, finding, appeal):
        touched[row.id] = row
    for row in _judge_repetitions(session, finding, appeal, clause_no):
        touched[row.id] = row
    issued = [row for row in touched.values() if row.issued_at is not None]
    forms = dict.fromkeys(row.form_id for row in issued if row.form_id is not None)
    papers = [_supersede(session, finding.tenant_id, form_id, actor) for form_id in forms]
    record(
        session,
        f"audits.finding.{'overturned' if appeal.state == AppealState.UPHELD else 'eased'}",
        ("finding", finding.id),
        actor=actor,
        tenant_id=finding.tenant_id,
        data={
            "appeal": str(appeal.id),
            "clause": clause_no,
            "case_no": finding.case_no,
            "corrected": len(touched),
            "papers": [paper.number for paper in papers],
        },
    )
    months = {f"{clock.beijing(row.issued_at):%Y-%m}" for row in issued if row.issued_at}
    publish(
        session,
        FindingsCorrected(
            finding.tenant_id, appeal.id, tuple(sorted(months)), tuple(forms), reason
        ),
        actor,
    )


def _correct(session: Session, finding: Finding, appeal: Appeal, to: Mapping[str, Any]) -> None:
    """Change a finding, with the record without which an issued one does not change."""
    before = {name: getattr(finding, name) for name in to}
    version = finding.version + 1
    if finding.issued_at is not None:
        session.add(
            FindingCorrection(
                tenant_id=finding.tenant_id,
                finding_id=finding.id,
                appeal_id=appeal.id,
                to_version=version,
                before={name: _plain(value) for name, value in before.items()},
                after={name: _plain(value) for name, value in to.items()},
                issued_at=clock.now(),
            )
        )
        session.flush()
    for name, value in to.items():
        setattr(finding, name, value)
    finding.version = version
    session.flush()


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | None) else str(value)


def _step_forward(session: Session, finding: Finding, appeal: Appeal) -> list[Finding]:
    """Those that were merged into the corrected one: the heaviest on the call counts now, which may
    be the corrected one still (一事不二罚)."""
    rows = session.scalars(
        sa.select(Finding)
        .where(
            Finding.tenant_id == finding.tenant_id,
            Finding.merged_into_id == finding.id,
            Finding.state.in_(STANDING),
        )
        .order_by(Finding.id)
        .with_for_update()
    ).all()
    if not rows:
        return []
    counted = [*rows, finding] if finding.state in STANDING else list(rows)
    places = merges(counted)
    changed = [row for row in counted if row.merged_into_id != places[row.id]]
    for row in changed:
        _correct(session, row, appeal, {"merged_into_id": places[row.id]})
    return changed


def _judge_repetitions(
    session: Session, finding: Finding, appeal: Appeal, clause_no: str
) -> list[Finding]:
    """Later findings of the same person and clause that counted as a repetition: judged anew by
    the catalogue of their day, with what stands of the person now."""
    rows = session.scalars(
        sa.select(Finding)
        .where(
            Finding.tenant_id == finding.tenant_id,
            Finding.clause_no == clause_no,
            Finding.occurred_on >= finding.occurred_on,
            Finding.repeated,
            Finding.state.in_(STANDING),
            Finding.id != finding.id,
            _same_person(finding),
        )
        .order_by(Finding.occurred_on, Finding.id)
        .with_for_update()
    ).all()
    changed = []
    for row in rows:
        to = _assessed_anew(session, row)
        if any(getattr(row, name) != value for name, value in to.items()):
            _correct(session, row, appeal, to)
            changed.append(row)
    return changed


def _same_person(finding: Finding) -> sa.ColumnElement[bool]:
    if finding.member_id is not None:
        return Finding.member_id == finding.member_id
    return sa.and_(Finding.staff_no == finding.staff_no, Finding.person_name == finding.person_name)


def _counted(row: Finding) -> Counted:
    return Counted(
        row.clause_no,
        row.times,
        Level(row.level),
        row.points,
        row.deduction,
        row.facts,
        row.repeated,
    )


def _earlier(session: Session, row: Finding, clause_no: str) -> list[date]:
    """The other standing acts of the finding's person against a clause, up to its day."""
    person = Person(row.member_id, row.person_name, row.staff_no, row.group_name, row.leader_name)
    return earlier_acts(session, row.tenant_id, person, clause_no, row.occurred_on, but=row.id)


def _judged(catalogue: Catalogue, made: Counted) -> dict[str, Any]:
    """What a finding's level and money are as columns, handled as the level prescribes."""
    outcome, damages = catalogue.outcomes[made.level], catalogue.get(made.clause_no).damages
    return {
        "level": made.level.value,
        "outcome": outcome.text,
        "points": made.points,
        "deduction": made.deduction,
        "repeated": made.repeated,
        "handling": handling(outcome, made.deduction, damages=damages),
    }


def _assessed_anew(session: Session, row: Finding) -> dict[str, Any]:
    """A finding by what stands of its person now, nowhere heavier than it is: an appeal may have
    eased it. The auditor's own words of its handling stay."""
    catalogue = catalogue_on(session, row.occurred_on).catalogue
    now = _counted(row)
    made = assess(
        catalogue,
        row.clause_no,
        row.occurred_on,
        times=row.times,
        earlier=_earlier(session, row, row.clause_no),
    )
    after = capped(
        replace(
            now,
            level=made.level,
            points=made.points,
            deduction=made.deduction,
            repeated=made.repeated,
        ),
        now,
    )
    to = _judged(catalogue, after)
    if row.handling != _judged(catalogue, now)["handling"]:
        to["handling"] = row.handling
    return to


def _supersede(session: Session, tenant_id: UUID, form_id: UUID, actor: Actor) -> Document:
    """Replace a form's paper by one of what stands now; it goes to those whom the former went to,
    under the confirmation of the audit head that it had."""
    form = session.get_one(AssessmentForm, (tenant_id, form_id))
    former = papers_of(session, form)[-1]
    rows = finding_rows(session, form)
    number = next_number(session, tenant_id, "JH")
    return notices.issue(
        session,
        tenant_id=tenant_id,
        template="assessment_form",
        number=number,
        title=TITLE,
        content=corrected_content(
            session, form, rows, reviewed_rows(session, form), _told(session, form)
        ),
        subject=("assessment_form", form.id),
        recipients=[
            Recipient(row.part, row.name, row.account_id)
            for row in recipients_of(session, former.id)
        ],
        locale=former.locale,
        supersedes=former,
        cards=to_print(session, form),
        actor=actor,
    )


def _told(session: Session, form: AssessmentForm) -> list[Told]:
    """The decisions that changed findings of a form, as its paper tells of them."""
    rows = session.execute(
        sa.select(Appeal, Finding, FindingCorrection)
        .join(
            Finding, sa.and_(Finding.tenant_id == Appeal.tenant_id, Finding.id == Appeal.finding_id)
        )
        .join(
            FindingCorrection,
            sa.and_(
                FindingCorrection.tenant_id == Appeal.tenant_id,
                FindingCorrection.appeal_id == Appeal.id,
                FindingCorrection.finding_id == Appeal.finding_id,
            ),
        )
        .where(
            Appeal.tenant_id == form.tenant_id,
            Appeal.form_id == form.id,
            Appeal.state.in_((AppealState.UPHELD, AppealState.PARTLY)),
        )
        .order_by(Appeal.decided_at, Appeal.id, FindingCorrection.to_version)
    )
    told: dict[UUID, Told] = {}
    for appeal, finding, correction in rows:
        told.setdefault(
            appeal.id,
            Told(
                finding,
                appeal.decided_at or clock.now(),
                _department(appeal),
                appeal.decision or "",
                correction.before,
                correction.after,
            ),
        )
    return list(told.values())


def _department(appeal: Appeal) -> str:
    return DEPARTMENTS[LAST if appeal.referred_at is not None else appeal.instance]
