"""Appeals (申诉): window, deciders, last instance, and what an upheld one puts right (A5)."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audits.appeals.models import Appeal, AppealEvidence, FindingCorrection
from portal.audits.appeals.service import announce, decide, raise_appeal
from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.findings.service import save_finding
from portal.audits.models import AssessmentForm, Finding
from portal.audits.queries import score_facts
from portal.deadlines.models import Deadline
from portal.kernel import clock
from portal.kernel.access import Actor, Role, system_actor
from portal.kernel.errors import Conflict, Forbidden, Invalid, PortalError
from portal.notices.models import Document
from portal.notices.receipts import acknowledge
from portal.notices.rules import Choice
from portal.notifications.models import Notification
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import (
    ACT,
    Audit,
    beijing,
    fail,
    hear,
    judge_twice,
    open_audit,
    pass_others,
    prepared,
    text,
)
from tests.files.samples import pdf

pytestmark = pytest.mark.usefixtures("at_work")


@pytest.fixture
def audit(portal: Portal) -> Audit:
    with portal.session(portal.world.scope) as session:
        return open_audit(session, portal.world, portal.world.vendors[0])


def _issued(portal: Portal, audit: Audit) -> tuple[UUID, UUID]:
    """The form of the first case's finding, issued; the ids of form and finding."""
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        return form.id, session.scalars(sa.select(Finding.id)).one()


def _manager(audit: Audit) -> Actor:
    return audit.vendor.actor(Role.MANAGER, audit.world.company_id)


def _raise(portal: Portal, audit: Audit, finding_id: UUID, reason: str = "录音不是本人") -> UUID:
    with portal.session(Scope.vendor(audit.vendor.id)) as session:
        finding = session.scalars(sa.select(Finding).where(Finding.id == finding_id)).one()
        row = raise_appeal(session, finding, reason, actor=_manager(audit))
        session.commit()
        return row.id


def _decide(portal: Portal, appeal_id: UUID, by: Actor, *, uphold: bool) -> None:
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == appeal_id)).one()
        decide(session, row, uphold=uphold, reason="复听录音后决定", actor=by)
        session.commit()


def _acknowledge(portal: Portal, audit: Audit, at: datetime) -> None:
    with clock.frozen(at), portal.session(Scope.vendor(audit.vendor.id)) as session:
        paper = session.scalars(
            sa.select(Document).where(Document.template == "assessment_form")
        ).one()
        acknowledge(session, paper, Choice.APPEAL, actor=_manager(audit))
        session.commit()


def test_an_upheld_appeal_puts_right_what_followed(portal: Portal, audit: Audit) -> None:
    """Tuesday 3: issued. 签收 and appeal on Wednesday; upheld on Thursday by the head: the finding
    falls, the case has passed, a new paper replaces the form, the vendor is told."""
    form_id, finding_id = _issued(portal, audit)
    company = system_actor(portal.world.company_id)
    _acknowledge(portal, audit, beijing(date(2026, 11, 4), 10))
    with clock.frozen(beijing(date(2026, 11, 4), 11)):
        appeal_id = _raise(portal, audit, finding_id)
        with portal.session(portal.world.scope) as session:
            assert announce(session, actor=company) == 1
            assert announce(session, actor=company) == 0
            session.commit()
            due = session.scalars(sa.select(Deadline).where(Deadline.kind == "appeal")).one()
            # Five working days from Wednesday 4 November.
            assert due.due_at == beijing(date(2026, 11, 11), 18)
            told = session.scalars(
                sa.select(Notification).where(Notification.path == f"/appeals/{appeal_id}")
            ).one()
            assert set(told.roles) == {"auditor", "audit_head"}
    with clock.frozen(beijing(date(2026, 11, 5), 9)):
        _decide(portal, appeal_id, audit.colleague, uphold=True)
    portal.work()
    with portal.session(portal.world.scope) as session:
        finding = session.scalars(sa.select(Finding)).one()
        assert finding.state == "overturned"
        kept = session.scalars(sa.select(FindingCorrection)).one()
        assert (kept.before["state"], kept.after["state"]) == ("issued", "overturned")
        former, paper = session.scalars(
            sa.select(Document)
            .where(Document.template == "assessment_form")
            .order_by(Document.issued_at)
        ).all()
        assert (former.number, paper.number) == ("JH-HC-2026-0001", "JH-HC-2026-0002")
        assert paper.supersedes_id == former.id and paper.file_id is not None
        assert paper.content["findings"] == [] and paper.content["passed"] == 3
        (fallen,) = paper.content["corrections"]
        assert (fallen["clause"], fallen["decided_by"]) == ("301", "稽核部")
        assert paper.content["head"] == former.content["head"], "under the head's confirmation"
        facts = score_facts(session, audit.vendor.id, "2026-11")
        assert (facts.reviewed, facts.passed, facts.findings) == (3, 3, ())
        closed = session.scalars(sa.select(Deadline).where(Deadline.kind == "appeal")).one()
        assert closed.state == "met"
    client = portal.client(audit.vendor.email(Role.MANAGER))
    page = client.get(f"/assessments/{form_id}").text
    assert "JH-HC-2026-0002" in page and client.get(f"/appeals/{appeal_id}").status_code == 200


def test_who_found_it_does_not_decide(portal: Portal, audit: Audit) -> None:
    _form, finding_id = _issued(portal, audit)
    appeal_id = _raise(portal, audit, finding_id)
    for actor, error in (
        (audit.auditor, Conflict),
        (portal.world.actor(Role.GENERAL_DEPARTMENT), Forbidden),
        (portal.world.actor(Role.VENDOR_MANAGER), Forbidden),
    ):
        with pytest.raises(error):
            _decide(portal, appeal_id, actor, uphold=True)
    _decide(portal, appeal_id, audit.colleague, uphold=False)
    with pytest.raises(Conflict, match="decided already"):
        _decide(portal, appeal_id, audit.colleague, uphold=True)


def test_once_within_its_window_then_at_the_last(portal: Portal, audit: Audit) -> None:
    """Acknowledged on Wednesday 4: until the close of Monday 9. After a rejection three working
    days to the general department, whose decision ends it."""
    _form, finding_id = _issued(portal, audit)
    _acknowledge(portal, audit, beijing(date(2026, 11, 4), 10))
    with clock.frozen(beijing(date(2026, 11, 9), 18, 1)), pytest.raises(Conflict, match="passed"):
        _raise(portal, audit, finding_id)
    with clock.frozen(beijing(date(2026, 11, 9), 17, 59)):
        first = _raise(portal, audit, finding_id)
        with pytest.raises(Conflict, match="not decided yet"):
            _raise(portal, audit, finding_id)
    with clock.frozen(beijing(date(2026, 11, 10), 9)):
        _decide(portal, first, audit.colleague, uphold=False)
    with clock.frozen(beijing(date(2026, 11, 14), 9)), pytest.raises(Conflict, match="passed"):
        _raise(portal, audit, finding_id)
    with clock.frozen(beijing(date(2026, 11, 13), 9)):
        last = _raise(portal, audit, finding_id)
        with pytest.raises(Forbidden):
            _decide(portal, last, audit.colleague, uphold=True)
        _decide(portal, last, portal.world.actor(Role.GENERAL_DEPARTMENT), uphold=False)
        with pytest.raises(Conflict, match="no further appeal"):
            _raise(portal, audit, finding_id)


def test_an_appeal_needs_a_reason_and_keeps_its_evidence(portal: Portal, audit: Audit) -> None:
    form_id, finding_id = _issued(portal, audit)
    client = portal.client(audit.vendor.email(Role.TEAM_LEADER))
    address = f"/assessments/{form_id}/findings/{finding_id}/appeal"
    assert client.get(address).status_code == 200
    assert client.post(address, data={"reason": " ", "points": ["facts"]}).status_code == 422
    fake = {
        "reason": "见附件",
        "points": ["facts"],
        "evidence": (io.BytesIO(b"MZ nothing"), "a.pdf"),
    }
    assert client.post(address, data=fake).status_code == 422
    good = {"reason": "见附件", "points": ["facts"], "evidence": (io.BytesIO(pdf()), "说明.pdf")}
    raised = client.post(address, data=good)
    assert raised.status_code == 302, raised.text
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal)).one()
        held = session.scalars(sa.select(AppealEvidence)).one()
    file = f"/appeals/{row.id}/evidence/{held.id}"
    for reader in (client, portal.client(portal.world.email(Role.AUDIT_HEAD))):
        with reader.get(file) as answer:
            assert answer.data.startswith(b"%PDF")
    other = portal.client(portal.world.vendors[1].email(Role.MANAGER))
    for path in (file, f"/appeals/{row.id}", address):
        assert other.get(path).status_code == 404
    assert client.post(f"/appeals/{row.id}/decision", data={"outcome": "uphold"}).status_code == 404


def test_the_database_lets_nothing_issued_change_without_its_record(
    portal: Portal, audit: Audit
) -> None:
    """A finding changes by a correction alone, an appeal does not begin decided nor change then."""
    _form, finding_id = _issued(portal, audit)
    appeal_id = _raise(portal, audit, finding_id)
    with portal.session(portal.world.scope) as session:
        for statement in (
            "update findings set state = 'overturned', version = version + 1",
            "update findings set facts = ''",
            "delete from findings",
            "update appeals set reason = ''",
            "delete from appeals",
        ):
            with pytest.raises(IntegrityError):
                session.execute(sa.text(statement))
            session.rollback()
    _decide(portal, appeal_id, audit.colleague, uphold=False)
    with portal.session(portal.world.scope) as session, pytest.raises(IntegrityError):
        session.execute(sa.text("update appeals set decision = 'another'"))
    with portal.session(Scope.vendor(audit.vendor.id)) as session:
        row = session.scalars(sa.select(Appeal)).one()
        forged = {c.key: getattr(row, c.key) for c in sa.inspect(Appeal).column_attrs}
        forged |= {"id": finding_id, "instance": 2, "state": "upheld"}
        with pytest.raises(IntegrityError):
            session.execute(sa.insert(Appeal).values(**forged))


# --- one call is judged once ---------------------------------------------------------------------


def _clip(audit: Audit, **changes: object) -> dict[str, object]:
    return {"delivery_id": audit.delivery_ids[0], "clip_from": 1, "clip_to": 3, **changes}


def test_on_one_call_the_heaviest_counts_and_steps_back(portal: Portal, audit: Audit) -> None:
    """301 (3 points) and 402 (10) on one recording: 402 counts; it falls, 301 steps forward."""
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        for clause in ("301", "402"):
            wanted = text(audit, clause_no=clause, **_clip(audit))
            save_finding(session, review, wanted, actor=audit.auditor)
        judge_twice(session, audit, review, passed=False)
        pass_others(session, audit, (1, 2))
        form = prepare_form(
            session, tenant_id=audit.vendor.id, request_id=audit.request_id, actor=audit.auditor
        )
        hear(session, form, audit.head)
        paper = confirm_form(session, form, actor=audit.head)
        session.commit()
        assert {f["clauses"][0]["number"]: f["points"] for f in paper.content["findings"]} == {
            "301": "0",
            "402": "10",
        }
        facts = score_facts(session, audit.vendor.id, "2026-11")
        assert [(one.clause, one.points) for one in facts.findings] == [("402", Decimal(10))]
        heavy = session.scalars(sa.select(Finding.id).where(Finding.clause_no == "402")).one()
    _decide(portal, _raise(portal, audit, heavy), audit.colleague, uphold=True)
    with portal.session(portal.world.scope) as session:
        facts = score_facts(session, audit.vendor.id, "2026-11")
        assert [(one.clause, one.points) for one in facts.findings] == [("301", Decimal(3))]
        assert facts.passed == 2, "a finding still stands against the case"
        assert session.scalar(sa.select(sa.func.count()).select_from(FindingCorrection)) == 2


def test_a_call_that_a_form_reports_is_not_judged_again(portal: Portal, audit: Audit) -> None:
    """The same case and call in a second request: refused when it is to be confirmed."""
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit, call_at=beijing(ACT, 10))
        confirm_form(session, form, actor=audit.head)
        session.commit()
        first = session.scalars(sa.select(Finding)).one()
        again = open_audit(session, portal.world, audit.vendor, first=50)
        review = again.review(session)
        review.case_id = first.case_id
        session.flush()
        save_finding(
            session,
            review,
            text(again, clause_no="402", call_at=beijing(ACT, 10)),
            actor=audit.auditor,
        )
        with pytest.raises(Conflict, match="JH-HC-2026-0001"):
            judge_twice(session, audit, review, passed=False)


def test_a_repetition_that_is_none_any_more_is_judged_anew(portal: Portal, audit: Audit) -> None:
    """301 twice by one person: the second is 严重, 6 points, twice the deduction. The first falls:
    the second is 一般 again with 3 points, and its form is replaced too."""
    _form, first = _issued(portal, audit)
    with portal.session(portal.world.scope) as session:
        second = open_audit(session, portal.world, audit.vendor, first=50)
        fail(
            session,
            second,
            occurred_on=date(2026, 11, 3),
            repetition=True,
            repetition_reason="再犯",
        )
        pass_others(session, second, (1, 2))
        form = prepare_form(
            session, tenant_id=audit.vendor.id, request_id=second.request_id, actor=audit.auditor
        )
        confirm_form(session, form, actor=audit.head)
        session.commit()
        row = session.scalars(sa.select(Finding).where(Finding.id != first)).one()
        assert (row.level, row.points, row.repeated) == ("serious", Decimal(6), True)
    _decide(portal, _raise(portal, audit, first), audit.colleague, uphold=True)
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Finding).where(Finding.id != first)).one()
        assert (row.level, row.points, row.deduction) == ("ordinary", Decimal(3), Decimal(500))
        assert (row.repeated, row.handling) == (False, "严重警告，扣款 500.00 元")
        papers = session.scalars(
            sa.select(Document).where(Document.template == "assessment_form")
        ).all()
        assert len(papers) == 4 and sum(one.supersedes_id is not None for one in papers) == 2


def test_no_reason_no_decision(portal: Portal, audit: Audit) -> None:
    _form, finding_id = _issued(portal, audit)
    appeal_id = _raise(portal, audit, finding_id)
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == appeal_id)).one()
        with pytest.raises(Invalid):
            decide(session, row, uphold=True, reason=" ", actor=audit.colleague)
        form = session.scalars(sa.select(AssessmentForm)).one()
        assert form.issued_at is not None and issubclass(Invalid, PortalError)
