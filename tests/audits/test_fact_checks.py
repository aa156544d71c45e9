"""The vendor checks what it was shown: frozen meanwhile, asked again after a change, more time
(A5)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.app.reminders import extensions_asked
from portal.audits.findings import service as findings
from portal.audits.findings.queries import findings_of
from portal.audits.models import Finding
from portal.audits.reviews import facts, stages
from portal.audits.reviews.checks import check_of
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.queries import next_for
from portal.deadlines.models import Deadline, Extension
from portal.deadlines.service import sweep
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.errors import Conflict, Invalid
from portal.notifications.models import Notification
from tenants.database import ScopedSession
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import Audit, beijing, open_audit, text

pytestmark = pytest.mark.usefixtures("at_work")
CHANGED = "通话中一次打断客户。"


@pytest.fixture
def audit(portal: Portal) -> Audit:
    with portal.session(portal.world.scope) as session:
        return open_audit(session, portal.world, portal.world.vendors[0], 3)


def _asked(portal: Portal, audit: Audit) -> UUID:
    """Tuesday 10:00: the facts of the first case are with the vendor until Wednesday's close."""
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        findings.save_finding(session, review, text(audit), actor=audit.auditor)
        stages.end_first(session, review, passed=False, actor=audit.auditor)
        check = stages.ask_facts(session, review, actor=audit.head)
        session.commit()
        return check.id


def _finding(session: ScopedSession, audit: Audit) -> Finding:
    return findings_of(session, audit.vendor.id, audit.review_ids[0])[0]


def _answer(portal: Portal, audit: Audit, check_id: UUID, *, agreed: bool = True) -> None:
    with portal.session(Scope.vendor(audit.vendor.id)) as session:
        manager = audit.vendor.actor(Role.MANAGER, audit.world.company_id)
        facts.answer(session, check_id, agreed=agreed, text="有误", actor=manager)
        session.commit()


def test_findings_are_frozen_while_the_vendor_checks_them(portal: Portal, audit: Audit) -> None:
    """No writing, changing, removing, confirming, by service or page, until it has answered or the
    question is taken back with a reason, which the vendor reads."""
    check_id = _asked(portal, audit)
    with portal.session(portal.world.scope) as session:
        review, row = audit.review(session), _finding(session, audit)
        wanted = text(audit, facts=CHANGED)
        for act in (
            lambda: findings.save_finding(session, review, wanted, actor=audit.head),
            lambda: findings.save_finding(session, review, wanted, finding=row, actor=audit.head),
            lambda: findings.remove_finding(session, review, row, actor=audit.head),
            lambda: findings.withdraw_finding(session, review, row, "误", actor=audit.head),
            lambda: findings.confirm_finding(session, row, actor=audit.head),
            lambda: stages.ask_facts(session, review, actor=audit.head),
        ):
            with pytest.raises(Conflict):
                act()
        with pytest.raises(Invalid):
            stages.recall_facts(session, review, reason=" ", actor=audit.head)
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    desk = f"/reviews/{audit.review_ids[0]}"
    page = head.get(desk).text
    assert 'id="finding-form"' not in page and f"{desk}/facts/recall" in page
    body = {"version": "3", "reason": "责任人登记有误"}
    assert head.post(f"{desk}/facts/recall", data=body).status_code == 302
    assert 'id="finding-form"' in head.get(desk).text
    manager = portal.client(audit.vendor.email(Role.MANAGER))
    shown = manager.get(f"/fact-checks/{check_id}").text
    assert "责任人登记有误" in shown and 'name="agreed"' not in shown
    answered = manager.post(f"/fact-checks/{check_id}/answer", data={"agreed": "1", "version": "2"})
    assert answered.status_code == 409
    with portal.session(portal.world.scope) as session:
        clock_ = session.scalars(sa.select(Deadline).where(Deadline.subject_id == check_id)).one()
        assert clock_.state == "void"
        review, row = audit.review(session), _finding(session, audit)
        assert review.stage == "second"
        findings.save_finding(
            session, review, text(audit, facts=CHANGED), finding=row, actor=audit.head
        )
        stages.judge(session, review, passed=False, actor=audit.head)


def test_what_changed_after_the_answer_is_checked_again(portal: Portal, audit: Audit) -> None:
    """No verdict by facts that the vendor was not shown; it is asked again and sees what changed;
    a finding that is gone needs no new question, nor does a handling that it never saw."""
    first = _asked(portal, audit)
    _answer(portal, audit, first, agreed=False)
    with portal.session(portal.world.scope) as session:
        review, row = audit.review(session), _finding(session, audit)
        with pytest.raises(Conflict, match="shown these facts already"):
            stages.ask_facts(session, review, actor=audit.head)
        wanted = text(audit, handling="口头警告")
        findings.save_finding(session, review, wanted, finding=row, actor=audit.head)
        stages.check_may_judge(session, review, actor=audit.head)
        wanted = text(audit, facts=CHANGED)
        findings.save_finding(session, review, wanted, finding=row, actor=audit.head)
        with pytest.raises(Conflict, match="something else"):
            stages.judge(session, review, passed=False, actor=audit.head)
        session.commit()
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    desk = f"/reviews/{audit.review_ids[0]}"
    page = head.get(desk).text
    assert f"{desk}/facts" in page
    with portal.session(portal.world.scope) as session:
        version = str(audit.review(session).version)
    refused = head.post(f"{desk}/verdict", data={"verdict": "fail", "version": version})
    assert refused.status_code == 409
    assert head.post(f"{desk}/facts", data={"version": version}).status_code == 302
    with portal.session(portal.world.scope) as session:
        again = check_of(session, audit.review(session))
        assert again is not None and again.replaces_id == first
    manager = portal.client(audit.vendor.email(Role.MANAGER))
    shown = manager.get(f"/fact-checks/{again.id}").text
    assert CHANGED in shown and "新增或变更" in shown and f"/fact-checks/{first}" in shown
    assert f"/fact-checks/{again.id}" in manager.get(f"/fact-checks/{first}").text
    _answer(portal, audit, again.id)
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        stages.judge(session, review, passed=False, actor=audit.head)
        stages.reopen(session, review, actor=audit.head)
        row = _finding(session, audit)
        findings.withdraw_finding(session, review, row, "误记", actor=audit.head)
        stages.judge(session, review, passed=True, actor=audit.head)


def test_unanswered_it_goes_on_by_itself(portal: Portal, audit: Audit) -> None:
    """Until Wednesday 18:00 it waits; a minute later it is in the auditors' queue again, they are
    told, and it is judged without anything else being done; a change would be checked anew."""
    check_id = _asked(portal, audit)
    head = audit.head.account_id
    with portal.session(portal.world.scope) as session:
        three = audit.review(session, 2)
        with clock.frozen(beijing(date(2026, 11, 4), 17, 59)):
            assert next_for(session, head, three) != audit.review_ids[0]
        with clock.frozen(beijing(date(2026, 11, 4), 18, 1)):
            assert next_for(session, head, three) == audit.review_ids[0]
            sweep(session, actor=system_actor(portal.world.company_id))
            told = session.execute(
                sa.select(Notification.tenant_id, Notification.roles).where(
                    Notification.path == f"/fact-checks/{check_id}"
                )
            ).all()
            assert (portal.world.company_id, ["audit_head", "auditor"]) in [
                (row.tenant_id, sorted(row.roles)) for row in told
            ]
            session.commit()
    with clock.frozen(beijing(date(2026, 11, 4), 18, 1)):
        client = portal.client(portal.world.email(Role.AUDIT_HEAD))
        page = client.get(f"/reviews/{audit.review_ids[0]}").text
        assert 'value="fail"' in page and "视为无异议" in page
        with portal.session(portal.world.scope) as session:
            review, row = audit.review(session), _finding(session, audit)
            wanted = text(audit, facts=CHANGED)
            findings.save_finding(session, review, wanted, finding=row, actor=audit.head)
            with pytest.raises(Conflict, match="something else"):
                stages.judge(session, review, passed=False, actor=audit.head)
            stages.ask_facts(session, review, actor=audit.head)
            old = session.get_one(FactCheck, (audit.vendor.id, check_id))
            assert old.state == "lapsed"
            session.rollback()
            stages.judge(session, audit.review(session), passed=False, actor=audit.head)


def test_more_time_to_check_the_facts(portal: Portal, audit: Audit) -> None:
    """Asked on the vendor's page before the clock runs out, granted on the desk until Friday: the
    case waits until then. While the extension is undecided nobody judges over it."""
    check_id = _asked(portal, audit)
    manager = portal.client(audit.vendor.email(Role.MANAGER))
    page = f"/fact-checks/{check_id}"
    assert f"{page}/extensions" in manager.get(page).text
    ask = {"ask-wanted": "2026-11-06", "ask-reason": "责任人外出"}
    assert manager.post(f"{page}/extensions", data={"ask-wanted": "2026-11-06"}).status_code == 422
    other = portal.client(portal.world.vendors[1].email(Role.MANAGER))
    assert other.post(f"{page}/extensions", data=ask).status_code == 404
    assert manager.post(f"{page}/extensions", data=ask).status_code == 302
    assert manager.post(f"{page}/extensions", data=ask).status_code == 409, "one at a time"
    with portal.session(portal.world.scope) as session:
        assert extensions_asked(session, actor=system_actor(portal.world.company_id)) == 1
        asked = session.scalars(sa.select(Extension)).one()
        session.commit()
    decide = f"{page}/extensions/{asked.id}"
    assert manager.post(decide, data={"decision": "grant"}).status_code == 404
    late = beijing(date(2026, 11, 4), 18, 30)
    with clock.frozen(late), portal.session(portal.world.scope) as session:
        with pytest.raises(Conflict, match="asks for more time"):
            stages.judge(session, audit.review(session), passed=False, actor=audit.head)
        sweep(session, actor=system_actor(portal.world.company_id))
        session.commit()
    with clock.frozen(late):
        head = portal.client(portal.world.email(Role.AUDIT_HEAD))
        assert decide in head.get(f"/reviews/{audit.review_ids[0]}").text
        granted = {
            "decision": "grant",
            "extension-until": "2026-11-06",
            "extension-note": "情况属实",
        }
        assert head.post(decide, data={**granted, "extension-note": ""}).status_code == 422
        assert head.post(decide, data=granted).status_code == 302
        assert head.post(decide, data=granted).status_code == 409
    with portal.session(portal.world.scope) as session:
        row = session.get_one(FactCheck, (audit.vendor.id, check_id))
        clock_ = session.scalars(sa.select(Deadline).where(Deadline.subject_id == check_id)).one()
        assert row.due_at == clock_.due_at == beijing(date(2026, 11, 6), 18)
        assert clock_.state == "open"
        friday = clock.frozen(beijing(date(2026, 11, 6), 17))
        with friday, pytest.raises(Conflict, match="has not answered yet"):
            stages.judge(session, audit.review(session), passed=False, actor=audit.head)
        with clock.frozen(beijing(date(2026, 11, 7), 9)):
            stages.judge(session, audit.review(session), passed=False, actor=audit.head)


def test_a_refused_extension_leaves_the_clock(portal: Portal, audit: Audit) -> None:
    check_id = _asked(portal, audit)
    manager = portal.client(audit.vendor.email(Role.OFFICE))
    ask = {"ask-wanted": "2026-11-06", "ask-reason": "责任人外出"}
    assert manager.post(f"/fact-checks/{check_id}/extensions", data=ask).status_code == 302
    with portal.session(portal.world.scope) as session:
        asked = session.scalars(sa.select(Extension)).one()
        facts.refuse_extension(session, check_id, asked.id, note="材料齐全", actor=audit.head)
        session.commit()
        row = session.get_one(FactCheck, (audit.vendor.id, check_id))
        assert row.due_at == beijing(date(2026, 11, 4), 18)
    assert "材料齐全" in manager.get(f"/fact-checks/{check_id}").text
