"""First listening → second, by another → the vendor's check of the facts → judged (A3, A5)."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from portal.audits.findings.service import save_finding
from portal.audits.reviews import facts, stages
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.queries import next_for
from portal.audits.reviews.service import save_notes
from portal.audits.reviews.terms import REVIEW_TERMS, default_terms
from portal.deadlines.models import Deadline
from portal.deadlines.service import sweep
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.errors import Conflict, Invalid
from portal.notifications.models import Notification
from portal.schemes.service import publish
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import Audit, beijing, judge_twice, open_audit, text
from tests.factories.contacts import as_csv, line

pytestmark = pytest.mark.usefixtures("at_work")


@pytest.fixture
def audit(portal: Portal) -> Audit:
    with portal.session(portal.world.scope) as session:
        return open_audit(session, portal.world, portal.world.vendors[0], 3)


def _asked(portal: Portal, audit: Audit) -> FactCheck:
    """The first case failed at the first listening, its facts sent to the vendor at the second."""
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        save_notes(session, review, "疑似主管授意", actor=audit.auditor)
        clip = {"delivery_id": audit.delivery_ids[0], "clip_from": 2, "clip_to": 6}
        save_finding(session, review, text(audit, **clip), actor=audit.auditor)
        stages.end_first(session, review, passed=False, remark="注意语气", actor=audit.auditor)
        check = stages.ask_facts(session, review, question="请核对通话时间。", actor=audit.head)
        session.commit()
        session.refresh(check)
        session.expunge(check)
        return check


def test_the_stages_are_gone_through_in_their_order(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        for act in (
            lambda: stages.judge(session, review, passed=True, actor=audit.head),
            lambda: stages.ask_facts(session, review, actor=audit.head),
        ):
            with pytest.raises(Conflict):
                act()
        stages.end_first(session, review, passed=True, actor=audit.auditor)
        for act in (
            lambda: stages.end_first(session, review, passed=True, actor=audit.head),
            lambda: stages.judge(session, review, passed=True, actor=audit.auditor),
            lambda: stages.ask_facts(session, review, actor=audit.auditor),
        ):
            with pytest.raises(Conflict):
                act()
        with pytest.raises(Invalid, match="no finding stands"):
            stages.ask_facts(session, review, actor=audit.head)
        stages.judge(session, review, passed=True, actor=audit.head)
        assert (review.stage, review.state, review.verdict) == ("judged", "judged", "pass")
        heard = stages.listenings_of(session, review.tenant_id, review.id)
        assert [(row.kind, row.verdict) for row in heard if row.kind != "opinion"] == [
            ("first", "pass"),
            ("second", "pass"),
        ]
        stages.reopen(session, review, actor=audit.auditor)
        assert review.stage == "second", "a case that is opened again is heard a second time"


def test_the_terms_may_leave_passing_cases_at_one_listening(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        publish(
            session,
            REVIEW_TERMS,
            {**default_terms(), "second_listening": "failing", "opinion_percent": 0},
            in_force_from=date(2026, 11, 1),
            reason="人手",
            seen_version=0,
            actor=audit.head,
        )
        one, two = audit.review(session), audit.review(session, 1)
        stages.end_first(session, one, passed=True, actor=audit.auditor)
        assert (one.stage, one.judged_by) == ("judged", audit.auditor.account_id)
        save_finding(session, two, text(audit), actor=audit.auditor)
        stages.end_first(session, two, passed=False, actor=audit.auditor)
        assert two.stage == "second"


def test_the_vendor_has_a_working_day_and_sees_what_is_meant_for_it(
    portal: Portal, audit: Audit
) -> None:
    """Tuesday 10:00: until Wednesday's close. Friday's runs over the weekend (test of calendar)."""
    check = _asked(portal, audit)
    assert check.due_at == beijing(date(2026, 11, 4), 18)
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Deadline).where(Deadline.subject_id == check.id)).one()
        assert (row.kind, row.owed_by, row.state) == ("fact_check", "vendor", "open")
        with pytest.raises(Conflict, match="has not answered yet"):
            stages.judge(session, audit.review(session), passed=False, actor=audit.head)
    manager = portal.client(audit.vendor.email(Role.MANAGER))
    page = manager.get(f"/fact-checks/{check.id}").text
    for shown in (
        "通话中语气恶劣",
        "你听不懂人话吗",
        "301",
        "请核对通话时间",
        f"/files/{audit.delivery_ids[0]}/listen#t=2",
    ):
        assert shown in page, shown
    for hidden in ("疑似主管授意", "注意语气", "严重警告", "500.00", "/reviews/", "张例"):
        assert hidden not in page, hidden
    assert str(check.id) in manager.get("/").text, "its clock is on the vendor's home page"
    other = portal.client(portal.world.vendors[1].email(Role.MANAGER))
    assert other.get(f"/fact-checks/{check.id}").status_code == 404
    assert other.post(f"/fact-checks/{check.id}/answer", data={"agreed": "1"}).status_code == 404
    assert str(check.id) not in other.get("/fact-checks/").text
    leader = portal.client(audit.vendor.email(Role.TEAM_LEADER))
    assert leader.get(f"/fact-checks/{check.id}").status_code == 200
    assert leader.post(f"/fact-checks/{check.id}/answer", data={}).status_code in (403, 404)


def test_an_objection_has_words_and_reaches_the_desk(portal: Portal, audit: Audit) -> None:
    check = _asked(portal, audit)
    manager = portal.client(audit.vendor.email(Role.MANAGER))
    path = f"/fact-checks/{check.id}/answer"
    assert manager.post(path, data={"agreed": "0", "version": "1"}).status_code == 422
    said = {"agreed": "0", "answer": "该通话为客户来电。", "version": "1"}
    assert manager.post(path, data=said).status_code == 302
    again = manager.post(path, data={"agreed": "1", "version": "2"})
    assert again.status_code == 409, "an answer is given once"
    with portal.session(portal.world.scope) as session:
        by = system_actor(portal.world.company_id)
        assert facts.announce(session, actor=by) == 1
        assert facts.announce(session, actor=by) == 0
        told = session.scalars(sa.select(Notification.path).order_by(Notification.at)).all()
        assert f"/reviews/{audit.review_ids[0]}" in told
        row = session.scalars(sa.select(Deadline).where(Deadline.subject_id == check.id)).one()
        assert row.state == "met"
        session.commit()
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    desk = head.get(f"/reviews/{audit.review_ids[0]}").text
    assert "该通话为客户来电。" in desk
    version = re.search(r'name="version" value="(\d+)"><p>', desk.replace("\n", ""))
    assert version
    judged = head.post(
        f"/reviews/{audit.review_ids[0]}/verdict",
        data={"verdict": "fail", "version": version[1]},
    )
    assert judged.status_code == 302
    with portal.session(portal.world.scope) as session:
        assert audit.review(session).verdict == "fail"


def test_silence_lapses_when_the_case_is_judged(portal: Portal, audit: Audit) -> None:
    check = _asked(portal, audit)
    with clock.frozen(beijing(date(2026, 11, 5), 9)):
        with portal.session(portal.world.scope) as session:
            sweep(session, actor=system_actor(portal.world.company_id))
            stages.judge(session, audit.review(session), passed=False, actor=audit.head)
            session.commit()
        with portal.session(portal.world.scope) as session:
            row = session.get(FactCheck, (check.tenant_id, check.id))
            assert row is not None and row.state == "lapsed"
            due = session.scalars(sa.select(Deadline).where(Deadline.subject_id == check.id)).one()
            assert (due.state, due.met_at is not None) == ("breached", True)
        with portal.session(Scope.vendor(audit.vendor.id)) as session:
            by = audit.vendor.actor(Role.MANAGER, portal.world.company_id)
            with pytest.raises(Conflict, match="its case is judged"):
                facts.answer(session, check.id, agreed=True, text="", actor=by)


def test_what_was_asked_and_answered_stays(portal: Portal, audit: Audit) -> None:
    """The database refuses, whatever the application says."""
    check = _asked(portal, audit)
    changes: list[dict[str, Any]] = [{"facts": []}, {"question": "x"}, {"due_at": clock.now()}]
    for change in changes:
        with (
            portal.session(portal.world.scope) as session,
            pytest.raises(sa.exc.IntegrityError, match="does not change"),
        ):
            session.execute(sa.update(FactCheck).where(FactCheck.id == check.id).values(change))


def test_one_key_leads_to_what_one_can_do(portal: Portal, audit: Audit) -> None:
    """Not to what oneself heard first, nor to what the vendor is checking."""
    with portal.session(portal.world.scope) as session:
        auditor, head = audit.auditor.account_id, audit.head.account_id
        one, two, three = (audit.review(session, position) for position in range(3))
        assert next_for(session, auditor, one) == two.id
        assert next_for(session, auditor, three) == one.id, "round to the first"
        save_finding(session, one, text(audit), actor=audit.auditor)
        stages.end_first(session, one, passed=False, actor=audit.auditor)
        assert next_for(session, auditor, three) == two.id
        assert next_for(session, head, three) == one.id
        stages.ask_facts(session, one, actor=audit.head)
        assert next_for(session, head, three) == two.id
        with clock.frozen(beijing(date(2026, 11, 5), 9)):
            assert next_for(session, head, three) == one.id, "its working day is over"
        for review in (two, three):
            judge_twice(session, audit, review, passed=True)
        assert next_for(session, auditor, three) is None
    client = portal.client(portal.world.email(Role.AUDITOR))
    assert client.get("/reviews/next").location.startswith("/reviews/")
    queue = client.get("/reviews/?state=first").text
    assert queue.count("HC-0000") >= 3 and 'data-key="n"' in queue


def test_calls_stand_beside_the_recordings(portal: Portal, audit: Audit) -> None:
    """The desk shows the calls of the dialler's list: the one that was recorded leads to its
    recording, one more, which nobody recorded, is there as well; numbers masked (C4.1)."""
    office = portal.client(audit.vendor.email(Role.OFFICE))
    path = f"/requests/{audit.request_id}"
    lines = [line(1, "2026-11-02 09:30:00"), line(1, "2026-11-02 15:10:00", 61)]
    body = {"file": (io.BytesIO(as_csv(lines)), "calls.csv")}
    assert office.post(f"{path}/calls", data=body).status_code == 302
    portal.work()
    page = portal.client(portal.world.email(Role.AUDITOR)).get(f"/reviews/{audit.review_ids[0]}")
    assert "3:25" in page.text and "1:01" in page.text and "HC004" in page.text
    assert f"recording={audit.delivery_ids[0]}" in page.text
    assert "13800000001" not in page.text
