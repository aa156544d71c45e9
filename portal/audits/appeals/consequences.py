"""What an upheld appeal puts right: the finding falls, and what hung on it is judged anew (A5).

Lighter findings on the same call step forward, later repetitions that are none any more are
assessed again, the forms get superseding papers. Scores, fees and notices follow by the event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.audits.appeals.models import Appeal, FindingCorrection
from portal.audits.appeals.queries import papers_of
from portal.audits.appeals.rules import FIRST, LAST, AppealState
from portal.audits.assessments.paper import TITLE, Fallen, corrected_content
from portal.audits.assessments.queries import FindingRow, finding_rows, reviewed_rows
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
from portal.vendors.penalties import catalogue_on

DEPARTMENTS = {FIRST: "稽核部", LAST: "综合部"}


@dataclass(frozen=True, slots=True)
class FindingsCorrected(Event):
    """An upheld appeal (`subject_id`) changed issued findings. `periods`: the months in which they
    had been reported; `form_ids`: their forms; `reason`: a line for papers."""

    periods: tuple[str, ...]
    form_ids: tuple[UUID, ...]
    reason: str


def overturn(session: Session, finding: Finding, appeal: Appeal, *, actor: Actor) -> None:
    """Let an issued finding fall, and put right what followed from it (company scope)."""
    touched = {finding.id: finding}
    state = moved(FINDING_MOVES, finding.state, FindingState.OVERTURNED)
    _correct(session, finding, appeal, {"state": state, "merged_into_id": None})
    for row in _step_forward(session, finding, appeal):
        touched[row.id] = row
    for row in _judge_repetitions(session, finding, appeal):
        touched[row.id] = row
    issued = [row for row in touched.values() if row.issued_at is not None]
    forms = dict.fromkeys(row.form_id for row in issued if row.form_id is not None)
    papers = [_supersede(session, finding.tenant_id, form_id, actor) for form_id in forms]
    record(
        session,
        "audits.finding.overturned",
        ("finding", finding.id),
        actor=actor,
        tenant_id=finding.tenant_id,
        data={
            "appeal": str(appeal.id),
            "clause": finding.clause_no,
            "case_no": finding.case_no,
            "corrected": len(touched),
            "papers": [paper.number for paper in papers],
        },
    )
    months = {f"{clock.beijing(row.issued_at):%Y-%m}" for row in issued if row.issued_at}
    publish(
        session,
        FindingsCorrected(
            finding.tenant_id, appeal.id, tuple(sorted(months)), tuple(forms), _reason(finding)
        ),
        actor,
    )


def _reason(finding: Finding) -> str:
    return f"申诉成立，撤销个案{finding.case_no}第{finding.clause_no}条"


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
    """Those that were merged into the fallen one: the heaviest of them counts now (一事不二罚)."""
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
    places = merges(rows)
    for row in rows:
        _correct(session, row, appeal, {"merged_into_id": places[row.id]})
    return list(rows)


def _judge_repetitions(session: Session, finding: Finding, appeal: Appeal) -> list[Finding]:
    """Later findings of the same person and clause that counted as a repetition: judged anew by
    the catalogue of their day, with what stands of the person now."""
    rows = session.scalars(
        sa.select(Finding)
        .where(
            Finding.tenant_id == finding.tenant_id,
            Finding.clause_no == finding.clause_no,
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


def _assessed_anew(session: Session, row: Finding) -> dict[str, Any]:
    catalogue = catalogue_on(session, row.occurred_on).catalogue
    person = Person(row.member_id, row.person_name, row.staff_no, row.group_name, row.leader_name)
    earlier = earlier_acts(
        session, row.tenant_id, person, row.clause_no, row.occurred_on, but=row.id
    )
    made = assess(catalogue, row.clause_no, row.occurred_on, times=row.times, earlier=earlier)
    damages = catalogue.get(row.clause_no).damages
    before = assess(
        catalogue, row.clause_no, row.occurred_on, times=row.times, earlier=[row.occurred_on]
    )
    shipped = handling(before.outcome, before.deduction, damages=damages)
    return {
        "level": made.level.value,
        "outcome": made.outcome.text,
        "points": made.points,
        "deduction": made.deduction,
        "repeated": made.repeated,
        "handling": handling(made.outcome, made.deduction, damages=damages)
        if row.handling == shipped
        else row.handling,
    }


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
            session, form, rows, reviewed_rows(session, form), _fallen(session, form, rows)
        ),
        subject=("assessment_form", form.id),
        recipients=[
            Recipient(row.part, row.name, row.account_id)
            for row in recipients_of(session, former.id)
        ],
        locale=former.locale,
        supersedes=former,
        actor=actor,
    )


def _fallen(session: Session, form: AssessmentForm, rows: Sequence[FindingRow]) -> list[Fallen]:
    """The findings of a form that fell, each with the decision."""
    found = {row.finding.id: row.finding for row in rows if row.overturned}
    appeals = session.scalars(
        sa.select(Appeal)
        .where(
            Appeal.tenant_id == form.tenant_id,
            Appeal.finding_id.in_(found),
            Appeal.state == AppealState.UPHELD,
        )
        .order_by(Appeal.decided_at, Appeal.id)
    )
    return [
        Fallen(
            found[row.finding_id],
            row.decided_at or clock.now(),
            DEPARTMENTS[row.instance],
            row.decision or "",
        )
        for row in appeals
    ]
