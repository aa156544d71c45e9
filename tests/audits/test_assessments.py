"""The daily audit assessment form: prepared, checked, confirmed by another, issued (A5, A6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audits.assessments.service import (
    Incomplete,
    confirm_form,
    prepare_form,
    return_form,
)
from portal.audits.findings.service import CLOCK
from portal.audits.models import AssessmentForm, Escalation, Finding, FindingDecision, Review
from portal.audits.queries import score_facts
from portal.cases.models import Case
from portal.deadlines.models import Deadline
from portal.deadlines.service import sweep
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.errors import Conflict, Invalid
from portal.notices.models import Document, DocumentRecipient
from portal.notices.snapshots import validate
from portal.notifications.models import Notification
from portal.vendors.models import Member
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import (
    Audit,
    beijing,
    fail,
    open_audit,
    pass_others,
    prepared,
)

pytestmark = pytest.mark.usefixtures("at_work")


@pytest.fixture
def audit(portal: Portal) -> Audit:
    with portal.session(portal.world.scope) as session:
        return open_audit(session, portal.world, portal.world.vendors[0])


def _form(session: sa.orm.Session, form_id: object) -> AssessmentForm:
    return session.scalars(sa.select(AssessmentForm).where(AssessmentForm.id == form_id)).one()


def test_worked_journey(portal: Portal, audit: Audit) -> None:
    """Three cases, one fails: number, three recipients, paper, clock, facts for the score."""
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        form_id = form.id
    portal.work()
    with portal.session(portal.world.scope) as session:
        form = _form(session, form_id)
        assert (form.number, form.state) == ("JH-HC-2026-0001", "issued")
        assert (form.reviewed, form.passed, form.unjudged) == (3, 2, 0)
        assert (form.expected, form.delivered) == (3, 3)
        finding = session.scalars(sa.select(Finding)).one()
        assert (finding.state, finding.level, finding.outcome) == (
            "issued",
            "ordinary",
            "严重警告",
        )
        assert (finding.points, finding.deduction) == (Decimal(3), Decimal("500.00"))
        assert finding.handling == "严重警告，扣款 500.00 元"
        # 一般: three working days from Tuesday 3 November.
        assert finding.correct_by == date(2026, 11, 6)
        document = session.scalars(
            sa.select(Document).where(Document.template == "assessment_form")
        ).one()
        validate("assessment_form", document.content)
        row = document.content["findings"][0]
        assert row["creditor"] == "恒信消费金融"
        assert row["card"] == "622202*********0001"
        assert row["clauses"] == [{"number": "301", "text": "言语不文明、态度恶劣"}]
        assert document.file_id is not None, "the PDF was rendered"
        parts = session.execute(
            sa.select(DocumentRecipient.part, DocumentRecipient.name, DocumentRecipient.account_id)
            .where(DocumentRecipient.document_id == document.id)
            .order_by(DocumentRecipient.id)
        ).all()
        people = audit.vendor.people
        assert [tuple(part) for part in parts] == [
            ("经理", "周经理", people[Role.MANAGER][0]),
            ("组长", "郑组长", people[Role.TEAM_LEADER][0]),
            ("责任人", "王催收", people[Role.AGENT][0]),
        ]
        facts = score_facts(session, audit.vendor.id, "2026-11")
        assert (facts.reviewed, facts.passed) == (3, 2)
        assert [(f.clause, f.points) for f in facts.findings] == [("301", Decimal(3))]
        assert score_facts(session, audit.vendor.id, "2026-10").reviewed == 0
        assert score_facts(session, portal.world.vendors[1].id, "2026-11").reviewed == 0


def test_the_preparer_does_not_confirm(portal: Portal, audit: Audit) -> None:
    """A6: the head confirms what somebody else prepared."""
    with portal.session(portal.world.scope) as session:
        fail(session, audit)
        pass_others(session, audit, (1, 2))
        form = prepare_form(
            session, tenant_id=audit.vendor.id, request_id=audit.request_id, actor=audit.head
        )
        with pytest.raises(Conflict, match="Whoever prepared"):
            confirm_form(session, form, actor=audit.head)
        assert form.state == "prepared"


LACKS: dict[str, Callable[[Finding, Case], None]] = {
    "entrusting company is missing": lambda _f, c: setattr(c, "entrusting_company", " "),
    "card number is missing": lambda _f, c: setattr(c, "card_masked", ""),
    "not said how": lambda f, _c: setattr(f, "handling", ""),
    "number of the clause": lambda f, _c: setattr(f, "clause_no", ""),
    "text of clause 301": lambda f, _c: setattr(f, "clause_text", "言语不文明"),
    "person responsible": lambda f, _c: setattr(f, "person_name", ""),
    "facts are missing": lambda f, _c: setattr(f, "facts", "\n"),
}


@pytest.mark.parametrize("message", LACKS)
def test_a6_refuses_an_incomplete_form(portal: Portal, audit: Audit, message: str) -> None:
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit)
        finding = session.scalars(sa.select(Finding)).one()
        case = session.get(Case, (finding.tenant_id, finding.case_id))
        assert case is not None
        LACKS[message](finding, case)
        session.commit()
        with pytest.raises(Incomplete) as refused:
            confirm_form(session, form, actor=audit.head)
        session.rollback()
        assert any(message in str(problem) for problem in refused.value.problems)
        assert (
            session.scalar(sa.select(sa.func.count()).where(Document.template == "assessment_form"))
            == 0
        )
        assert _form(session, form.id).number is None


def test_a5_a_form_needs_a_manager_to_go_to(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit)
        session.execute(
            sa.update(Member)
            .where(Member.tenant_id == audit.vendor.id, Member.role.in_(["manager", "supervisor"]))
            .values(until=date(2026, 10, 1))
        )
        with pytest.raises(Incomplete, match="1 thing "):
            confirm_form(session, form, actor=audit.head)


def test_a_form_for_the_judged_part_says_so(portal: Portal, audit: Audit) -> None:
    """A5's clock runs per finding: what is judged need not wait for the rest."""
    prepare = partial(
        prepare_form,
        tenant_id=audit.vendor.id,
        request_id=audit.request_id,
        actor=audit.auditor,
    )
    with portal.session(portal.world.scope) as session:
        with pytest.raises(Invalid, match="No judged case"):
            prepare(session)
        pass_others(session, audit, (1,))
        with pytest.raises(Invalid, match="2 cases"):
            prepare(session)
        with pytest.raises(Invalid, match="nothing to report"):
            prepare(session, partial=True)
        fail(session, audit)
        first = prepare(session, partial=True)
        assert (first.reviewed, first.passed, first.unjudged) == (2, 1, 1)
        fail(session, audit, 2, clause_no="102")
        second = prepare(session)
        assert (second.reviewed, second.passed, second.unjudged) == (1, 0, 0)
        assert {row.form_id for row in session.scalars(sa.select(Finding))} == {
            first.id,
            second.id,
        }


def test_a_returned_form_frees_its_findings(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit)
        return_form(session, form, "责任人写错", actor=audit.head)
        session.commit()
        assert {row.form_id for row in session.scalars(sa.select(Review))} == {None}
        with pytest.raises(Conflict):
            confirm_form(session, form, actor=audit.head)
        clocks = session.scalars(sa.select(Deadline.state).where(Deadline.kind == CLOCK)).all()
        assert clocks == ["open"], "the clock goes on running"
        again = prepare_form(
            session, tenant_id=audit.vendor.id, request_id=audit.request_id, actor=audit.auditor
        )
        confirm_form(session, again, actor=audit.head)
        session.commit()
        assert again.number == "JH-HC-2026-0001", "a returned form took no number"


def test_what_was_issued_does_not_change_in_the_database(portal: Portal, audit: Audit) -> None:
    """A6: not even through SQL by the company's login."""
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit)
        confirm_form(session, form, actor=audit.head)
        session.commit()
    attacks = (
        "UPDATE findings SET points = 0",
        "UPDATE findings SET issued_at = NULL",
        "UPDATE findings SET facts = 'x', version = version + 1",
        "DELETE FROM findings",
        "UPDATE assessment_forms SET passed = 3",
        "UPDATE assessment_forms SET state = 'prepared', issued_at = NULL",
        "DELETE FROM assessment_forms",
        "UPDATE reviews SET verdict = 'pass'",
        "UPDATE reviews SET form_id = NULL",
        "DELETE FROM reviews",
    )
    for attack in attacks:
        with (
            portal.session(portal.world.scope) as session,
            pytest.raises(IntegrityError, match="does not change"),
        ):
            session.execute(sa.text(attack))
    with portal.session(portal.world.scope) as session:
        session.execute(sa.text("UPDATE reviews SET notes = 'later'"))
        session.commit()


def test_a_vendor_sees_nothing_before_the_issue(portal: Portal, audit: Audit) -> None:
    """Drafts, confirmed findings, prepared forms, clocks, notes: absent through both walls."""
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit, clause_no="302")
        form_id = form.id
    scope = Scope.vendor(audit.vendor.id)
    private = (Review, Escalation, FindingDecision)
    with portal.session(scope) as session:
        for table in private:
            granted = sa.text("select has_table_privilege(:t, 'SELECT')")
            assert not session.scalar(granted, {"t": table.__tablename__})
        for issued in (Finding, AssessmentForm):
            assert session.scalars(sa.select(issued)).all() == [], "the application's wall"
            count = session.scalar(sa.text(f"select count(*) from {issued.__tablename__}"))
            assert count == 0, "the database's wall"
    with portal.session(scope) as session:
        assert session.scalars(sa.select(Deadline).where(Deadline.kind == CLOCK)).all() == []
    client = portal.client(audit.vendor.email(Role.MANAGER))
    assert client.get(f"/assessments/{form_id}").status_code == 404
    with portal.session(portal.world.scope) as session:
        confirm_form(session, _form(session, form_id), actor=audit.head)
        session.commit()
    assert client.get(f"/assessments/{form_id}").status_code == 200
    other = portal.client(portal.world.vendors[1].email(Role.MANAGER))
    assert other.get(f"/assessments/{form_id}").status_code == 404
    with portal.session(scope) as session:
        assert len(session.scalars(sa.select(Finding)).all()) == 1


FRIDAY = beijing(date(2026, 9, 18), 16)
"""Friday before a working Sunday (20 Sep) and the Mid-Autumn holiday (25–27 Sep 2026)."""


def test_a5_the_clock_over_weekend_make_up_day_and_holiday(portal: Portal, audit: Audit) -> None:
    """Target the third, breach the fifth working day; issued in between: met, past target."""
    with portal.session(portal.world.scope) as session:
        session.execute(sa.update(Case).values(entrusted_on=date(2026, 9, 1)))
        session.commit()
        with clock.frozen(FRIDAY):
            form = prepared(session, audit, occurred_on=date(2026, 9, 17))
        row = session.scalars(sa.select(Deadline).where(Deadline.kind == CLOCK)).one()
        days = [(d["day"], d["counted"]) for d in row.basis["days"] if d["counted"]]
        by_number = {number: day for day, number in days}
        assert sorted(by_number) == [1, 2, 3, 4, 5]
        skipped = {d["day"]: d["kind"] for d in row.basis["days"][1:] if not d["counted"]}
        assert skipped["2026-09-19"] == "weekend"
        assert "2026-09-25" not in dict(days), "Mid-Autumn does not count"
        assert row.target_at == beijing(date.fromisoformat(by_number[3]), 18)
        assert row.due_at == beijing(date.fromisoformat(by_number[5]), 18)
        assert row.owed_by == "company"
        with clock.frozen(row.due_at):
            confirm_form(session, form, actor=audit.head)
            session.commit()
        assert (row.state, row.met_at) == ("met", row.due_at)


def test_a5_a_late_form_is_a_breach_on_record(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit)
        row = session.scalars(sa.select(Deadline).where(Deadline.kind == CLOCK)).one()
        # Tuesday 3 November and five working days: Tuesday 10, close of business.
        assert row.due_at == beijing(date(2026, 11, 10), 18)
        assert row.target_at == beijing(date(2026, 11, 6), 18)
        with clock.frozen(row.due_at + timedelta(minutes=1)):
            sweep(session, actor=system_actor(portal.world.company_id))
            confirm_form(session, form, actor=audit.head)
            session.commit()
            assert row.state == "breached"
            assert row.met_at == clock.now()


def test_messages_name_no_debtor(portal: Portal, audit: Audit) -> None:
    """UX 11, and A5: the general manager's office hears of a red line at once."""
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit, clause_no="303")
        confirm_form(session, form, actor=audit.head)
        session.commit()
        rows = session.scalars(sa.select(Notification)).all()
        told = {(row.tenant_id == audit.vendor.id, role) for row in rows for role in row.roles}
        assert {(False, "general_manager"), (False, "audit_head"), (True, "manager")} <= told
        assert not any("张例" in str(row.params) for row in rows)
        escalation = session.scalars(sa.select(Escalation)).one()
        assert escalation.seen_at is None
