"""What a form is measured by: the clause in force on the day of each act, and a clock for each
finding from its own confirmation (A5, A6)."""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa

from portal.audits.assessments.service import Incomplete, confirm_form, prepare_form
from portal.audits.findings.service import CLOCK, confirm_finding, save_finding
from portal.audits.models import Escalation, Finding
from portal.audits.terms import AUDIT_TERMS, default_terms
from portal.deadlines.models import Deadline
from portal.deadlines.service import sweep
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.notices.models import Document
from portal.notifications.models import Notification
from portal.schemes.service import publish
from portal.vendors.clauses import default_catalogue
from portal.vendors.penalties import PENALTY_CLAUSES
from tenants.database import ScopedSession
from tests.conftest import Portal
from tests.factories.audits import Audit, beijing, judge_twice, open_audit, text

pytestmark = pytest.mark.usefixtures("at_work")
OLD, NEW = "言语不文明、态度恶劣", "言语不文明、态度恶劣或讥讽客户"
REVISED = date(2026, 11, 3)


@pytest.fixture
def audit(portal: Portal) -> Audit:
    with portal.session(portal.world.scope) as session:
        return open_audit(session, portal.world, portal.world.vendors[0], 2)


def _judged(
    session: ScopedSession, audit: Audit, position: int, at: datetime, **changes: object
) -> Finding:
    """A case that fails, judged at a moment."""
    with clock.frozen(at):
        review = audit.review(session, position)
        finding = save_finding(session, review, text(audit, **changes), actor=audit.auditor)
        judge_twice(session, audit, review, passed=False)
        return finding


def _confirmed(session: sa.orm.Session, audit: Audit) -> Document:
    form = prepare_form(
        session, tenant_id=audit.vendor.id, request_id=audit.request_id, actor=audit.auditor
    )
    return confirm_form(session, form, actor=audit.head)


def test_a6_each_act_is_judged_by_the_clause_of_its_own_day(portal: Portal, audit: Audit) -> None:
    """Acts before and after a revision on one form: each with its text; either with the other's is
    refused."""
    with portal.session(portal.world.scope) as session:
        content = default_catalogue()
        next(c for c in content["clauses"] if c["no"] == "301").update(text=NEW)
        publish(
            session,
            PENALTY_CLAUSES,
            content,
            in_force_from=REVISED,
            reason="修订",
            seen_version=0,
            actor=audit.head,
        )
        _judged(session, audit, 0, clock.now())
        other = {"occurred_on": REVISED, "repetition": False, "repetition_reason": "另一人"}
        _judged(session, audit, 1, clock.now(), **other)
        session.commit()
        rows = session.scalars(sa.select(Finding).order_by(Finding.case_no)).all()
        for row, wrong in zip(rows, (NEW, OLD), strict=True):
            right, row.clause_text = row.clause_text, wrong
            session.flush()
            with pytest.raises(Incomplete) as refused, session.begin_nested():
                _confirmed(session, audit)
            assert [row.case_no in str(one) for one in refused.value.problems] == [True]
            session.expire_all()
            row.clause_text = right
            session.flush()
        paper = _confirmed(session, audit)
        printed = [row["clauses"] for row in paper.content["findings"]]
        assert printed == [[{"number": "301", "text": one}] for one in (OLD, NEW)]


def test_a5_each_finding_has_its_own_clock_from_its_confirmation(
    portal: Portal, audit: Audit
) -> None:
    """Confirmed on Tuesday the 3rd and on Thursday the 5th: target 3, breach 5 working
    days from each. One form, issued when the first is late and the second is not."""
    with portal.session(portal.world.scope) as session:
        _judged(session, audit, 0, beijing(date(2026, 11, 3), 10))
        review = audit.review(session, 1)
        wanted = text(audit, clause_no="102", occurred_on=date(2026, 11, 2))
        later = save_finding(session, review, wanted, actor=audit.auditor)
        with clock.frozen(beijing(date(2026, 11, 5), 16)):
            judge_twice(session, audit, review, passed=False)
        session.commit()
        by_case = sa.select(Deadline).where(Deadline.kind == CLOCK).order_by(Deadline.label)
        first, second = session.scalars(by_case).all()
        assert second.subject_id == later.id
        assert [(row.target_at, row.due_at) for row in (first, second)] == [
            (beijing(date(2026, 11, 6), 18), beijing(date(2026, 11, 10), 18)),
            (beijing(date(2026, 11, 10), 18), beijing(date(2026, 11, 12), 18)),
        ]
        with clock.frozen(beijing(date(2026, 11, 11), 9)):
            sweep(session, actor=system_actor(portal.world.company_id))
            _confirmed(session, audit)
            session.commit()
            assert [row.state for row in (first, second)] == ["breached", "met"]
            assert {row.met_at for row in (first, second)} == {clock.now()}


def test_a5_the_days_are_the_schemes_of_the_day_of_confirmation(
    portal: Portal, audit: Audit
) -> None:
    with portal.session(portal.world.scope) as session:
        publish(
            session,
            AUDIT_TERMS,
            {**default_terms(), "form_target_days": 1, "form_breach_days": 2},
            in_force_from=date(2026, 11, 4),
            reason="加快",
            seen_version=0,
            actor=audit.head,
        )
        _judged(session, audit, 0, beijing(date(2026, 11, 3), 10))
        _judged(session, audit, 1, beijing(date(2026, 11, 4), 10), clause_no="102")
        rows = session.scalars(sa.select(Deadline).where(Deadline.kind == CLOCK)).all()
        days = sorted((row.target_at and row.target_at.day, row.due_at.day) for row in rows)
        assert days == [(5, 6), (6, 10)]


def test_a5_what_is_severe_is_reported_at_its_confirmation_with_its_record(
    portal: Portal, audit: Audit
) -> None:
    """Before any form: the record, the message and its hour; what is ordinary is not reported."""
    with portal.session(portal.world.scope) as session:
        for position, clause in enumerate(("301", "302")):
            wanted = text(audit, clause_no=clause)
            row = save_finding(session, audit.review(session, position), wanted, actor=audit.head)
            assert session.scalars(sa.select(Escalation)).all() == []
            moment = beijing(date(2026, 11, 3 + position), 11)
            with clock.frozen(moment):
                confirm_finding(session, row, actor=audit.head)
        session.commit()
        (record,) = session.scalars(sa.select(Escalation)).all()
        assert (record.finding_id, record.raised_at, record.state) == (row.id, moment, "reported")
        path = f"/reviews/escalations/{record.id}"
        (told,) = session.scalars(sa.select(Notification).where(Notification.path == path)).all()
        assert (told.roles, told.at) == ([Role.GENERAL_MANAGER], moment)
        forms = sa.select(Document.id).where(Document.template == "assessment_form")
        assert session.scalars(forms).all() == []
