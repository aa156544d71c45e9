"""Findings: the clause of the day, repetition, verdicts, withdrawal (A5)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from portal.audits.findings.service import (
    CLOCK,
    confirm_finding,
    remove_finding,
    save_finding,
    withdraw_finding,
)
from portal.audits.findings.text import RepetitionUndecided
from portal.audits.models import Escalation, Finding, FindingDecision
from portal.audits.reviews.stages import end_first, judge, reopen
from portal.audits.rules import Row, assess, check_verdict, lacks
from portal.cases.models import Case
from portal.deadlines.models import Deadline
from portal.kernel import clock
from portal.kernel.errors import Conflict, Invalid
from portal.schemes.service import publish
from portal.vendors.clauses import DEFAULT_CATALOGUE, Level, default_catalogue
from portal.vendors.penalties import PENALTY_CLAUSES
from tests.conftest import Portal
from tests.factories.audits import ACT, Audit, beijing, fail, judge_twice, open_audit, text

pytestmark = pytest.mark.usefixtures("at_work")


@pytest.fixture
def audit(portal: Portal) -> Audit:
    with portal.session(portal.world.scope) as session:
        made = open_audit(session, portal.world, portal.world.vendors[0])
        session.execute(sa.update(Case).values(entrusted_on=date(2026, 1, 1)))
        session.commit()
        return made


def test_a5_the_same_person_and_clause_again_within_six_months(
    portal: Portal, audit: Audit
) -> None:
    """Proposed is the next level with double points; taken, or refused with a reason."""
    with portal.session(portal.world.scope) as session:
        fail(session, audit, 0, occurred_on=date(2026, 5, 2))
        session.commit()
        review = audit.review(session, 1)
        with pytest.raises(RepetitionUndecided) as asked:
            save_finding(session, review, text(audit), actor=audit.auditor)
        assert asked.value.proposed.level is Level.SERIOUS
        assert asked.value.proposed.points == 6
        with pytest.raises(Invalid, match="Say why"):
            save_finding(session, review, text(audit, repetition=False), actor=audit.auditor)
        taken = save_finding(session, review, text(audit, repetition=True), actor=audit.auditor)
        assert (taken.level, taken.points, taken.deduction) == (
            "serious",
            Decimal(6),
            Decimal("500.00"),
        )
        assert taken.repeated
        assert taken.outcome == "按条款处罚 + 整改"
        refused = save_finding(
            session,
            review,
            text(audit, repetition=False, repetition_reason="首次处理尚未送达"),
            finding=taken,
            actor=audit.auditor,
        )
        assert (refused.level, refused.points, refused.repeated) == ("ordinary", Decimal(3), False)
        decisions = session.scalars(sa.select(FindingDecision)).all()
        assert [(row.kind, row.reason) for row in decisions] == [
            ("repeat_refused", "首次处理尚未送达")
        ]


@pytest.mark.parametrize(
    ("changes", "earlier"),
    [
        ({}, date(2026, 5, 1)),  # six months and a day
        ({"clause_no": "104"}, date(2026, 10, 20)),  # another clause
        ({"person_id": None, "person_name": "李四"}, date(2026, 10, 20)),  # somebody else
    ],
)
def test_no_repetition(
    portal: Portal, audit: Audit, changes: dict[str, object], earlier: date
) -> None:
    with portal.session(portal.world.scope) as session:
        fail(session, audit, 0, occurred_on=earlier)
        made = save_finding(
            session, audit.review(session, 1), text(audit, **changes), actor=audit.auditor
        )
        assert not made.repeated


def test_a_draft_or_withdrawn_finding_is_no_earlier_act(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        first = save_finding(session, review, text(audit), actor=audit.auditor)
        save_finding(session, audit.review(session, 1), text(audit), actor=audit.auditor)
        confirm_finding(session, first, actor=audit.auditor)
        withdraw_finding(session, review, first, "录音不是本人", actor=audit.auditor)
        save_finding(session, audit.review(session, 2), text(audit), actor=audit.auditor)
        clock_row = session.scalars(sa.select(Deadline).where(Deadline.kind == CLOCK)).one()
        assert clock_row.state == "void"
        judge_twice(session, audit, review, passed=True)
        assert review.verdict == "pass", "a withdrawn finding does not stand in the way"


def test_a6_the_clause_is_that_of_the_day_of_the_act(portal: Portal, audit: Audit) -> None:
    """A later catalogue changes neither earlier acts nor findings that were written."""
    with portal.session(portal.world.scope) as session:
        content = default_catalogue()
        clause = next(c for c in content["clauses"] if c["no"] == "301")
        clause.update(text="言语不文明、态度恶劣或讥讽客户", points=5)
        publish(
            session,
            PENALTY_CLAUSES,
            content,
            in_force_from=date(2026, 11, 3),
            reason="修订",
            seen_version=0,
            actor=audit.head,
        )
        before = save_finding(session, audit.review(session), text(audit), actor=audit.auditor)
        assert (before.clause_text, before.clause_version, before.points) == (
            "言语不文明、态度恶劣",
            0,
            Decimal(3),
        )
        after = save_finding(
            session,
            audit.review(session, 1),
            text(audit, occurred_on=date(2026, 11, 3)),
            actor=audit.auditor,
        )
        assert (after.clause_text, after.clause_version, after.points) == (
            "言语不文明、态度恶劣或讥讽客户",
            1,
            Decimal(5),
        )


def test_serious_findings_are_reported_at_once(portal: Portal, audit: Audit) -> None:
    """A5: with the confirmation, not with the form."""
    with portal.session(portal.world.scope) as session:
        for position, clause in enumerate(("301", "302", "303")):
            finding = save_finding(
                session,
                audit.review(session, position),
                text(audit, clause_no=clause),
                actor=audit.auditor,
            )
            assert (
                session.scalars(sa.select(Escalation.finding_id)).all()
                == session.scalars(
                    sa.select(Finding.id).where(Finding.state == "confirmed", Finding.escalated)
                ).all()
            )
            confirm_finding(session, finding, actor=audit.auditor)
        assert session.scalar(sa.select(sa.func.count()).select_from(Escalation)) == 2


def test_verdict_and_findings_agree(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        with pytest.raises(Invalid, match="because of a finding"):
            end_first(session, review, passed=False, actor=audit.auditor)
        draft = save_finding(session, review, text(audit), actor=audit.auditor)
        with pytest.raises(Invalid, match="cannot pass"):
            end_first(session, review, passed=True, actor=audit.auditor)
        end_first(session, review, passed=False, actor=audit.auditor)
        assert draft.state == "draft", "confirmed by the verdict, not by the first listening"
        with pytest.raises(Invalid, match="cannot pass"):
            judge(session, review, passed=True, actor=audit.head)
        judge(session, review, passed=False, actor=audit.head)
        assert draft.state == "confirmed"
        with pytest.raises(Conflict):
            judge(session, review, passed=False, actor=audit.head)
        for change in (
            lambda: save_finding(session, review, text(audit), actor=audit.auditor),
            lambda: remove_finding(session, review, draft, actor=audit.auditor),
            lambda: withdraw_finding(session, review, draft, "x", actor=audit.auditor),
        ):
            with pytest.raises(Conflict):
                change()
        reopen(session, review, actor=audit.head)
        with pytest.raises(Conflict, match="Only a draft"):
            remove_finding(session, review, draft, actor=audit.auditor)


def test_what_a_finding_may_not_say(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        refusals: dict[str, dict[str, Any]] = {
            "in the future": {"occurred_on": date(2026, 11, 4)},
            "entrusted only on": {"occurred_on": date(2025, 12, 31)},
            "before it begins": {"clip_from": 9, "clip_to": 3},
            "not delivered for this case": {"delivery_id": audit.delivery_ids[1]},
            "needs its recording": {"clip_from": 3, "clip_to": 9},
            "only 12 seconds long": {
                "delivery_id": audit.delivery_ids[0],
                "clip_from": 9,
                "clip_to": 13,
            },
            "person responsible is missing": {"person_id": None},
            "no clause 999": {"clause_no": "999"},
        }
        for message, changes in refusals.items():
            with pytest.raises(Invalid, match=message):
                save_finding(session, review, text(audit, **changes), actor=audit.auditor)
        late = save_finding(
            session,
            review,
            text(audit, clause_no="601", times=4, delivery_id=audit.delivery_ids[0]),
            actor=audit.auditor,
        )
        assert (late.points, late.deduction) == (Decimal(4), Decimal("800.00"))


@given(
    st.sampled_from(sorted(DEFAULT_CATALOGUE.clauses)),
    st.integers(1, 50),
    st.lists(st.dates(date(2026, 1, 1), ACT), max_size=4),
)
def test_repetition_never_mitigates(no: str, times: int, earlier: list[date]) -> None:
    """Whatever came before: level and points never fall, the deduction stays, refusal undoes."""
    plain = assess(DEFAULT_CATALOGUE, no, ACT, times=times)
    again = assess(DEFAULT_CATALOGUE, no, ACT, times=times, earlier=earlier)
    assert again.level.rank >= plain.level.rank
    assert again.points == plain.points * (2 if again.repeated else 1)
    assert again.deduction == plain.deduction
    assert again.escalates >= plain.escalates
    refused = assess(
        DEFAULT_CATALOGUE, no, ACT, times=times, earlier=earlier, take_repetition=False
    )
    assert refused == plain


@given(st.booleans(), st.lists(st.sampled_from(["draft", "confirmed", "issued", "withdrawn"])))
def test_a_case_passes_exactly_without_standing_findings(passed: bool, states: list[str]) -> None:
    stand = any(state != "withdrawn" for state in states)
    if passed is stand:
        with pytest.raises(Invalid):
            check_verdict(passed, states)
    else:
        check_verdict(passed, states)


@given(st.lists(st.sampled_from(["", " ", "x"]), min_size=9, max_size=9))
def test_a_row_is_complete_exactly_with_everything_of_a6(values: list[str]) -> None:
    row = Row(*values)
    complete = (
        all(value.strip() for value in (*values[1:6], *values[7:]))
        and row.clause_text == row.clause_text_in_force
    )
    assert (not lacks(row)) is complete


def test_clock_names(portal: Portal, audit: Audit) -> None:
    """The label of a clock holds case and clause, no person."""
    with portal.session(portal.world.scope) as session:
        finding = fail(session, audit)
        row = session.scalars(sa.select(Deadline).where(Deadline.kind == CLOCK)).one()
        assert row.label == f"{finding.case_no} · 301"
        assert row.due_at == beijing(date(2026, 11, 10), 18)
        assert row.opened_at == clock.now()
