"""The course of an issued notice: extensions, milestones, escalation, re-check (C2.4)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.app.reminders import extensions_asked
from portal.calendar.service import load
from portal.deadlines import service as deadlines
from portal.deadlines.models import Deadline, Extension
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.notices.models import Document
from portal.notifications.models import Notification
from portal.rectification import rechecks
from portal.rectification.escalation import told
from portal.rectification.models import Answer, Milestone, RecheckResult, Rectification
from portal.rectification.queries import score_facts
from portal.vendors.clauses import DEFAULT_CATALOGUE, Level
from tenants.scope import Scope
from tests.rectification.desk import DUE, FRIDAY, Desk, desk

__all__ = ["desk"]
ACCEPTED = DUE + timedelta(hours=16)
"""Thursday 12 November 2026, 10:00 in Beijing."""
RECHECK_DAY = clock.at_beijing(date(2026, 12, 12), 10)
"""Thirty days later, a Saturday."""


@pytest.fixture(autouse=True)
def friday() -> Any:
    with clock.frozen(FRIDAY):
        yield


def _path(notice_id: UUID, *parts: object) -> str:
    return "/".join(["/rectifications", str(notice_id), *map(str, parts)])


def _accepted(desk: Desk) -> UUID:
    """A notice answered in time and accepted on Thursday."""
    notice_id = desk.issued()
    assert desk.answer(notice_id, "submit").status_code == 302
    with desk.at(ACCEPTED):
        assert desk.act(notice_id, "accept", note="同意销项。").status_code == 302
    return notice_id


def _sweep(desk: Desk, moment: datetime) -> int:
    """The worker's sweep at a moment; how many re-checks it opened."""
    actor = system_actor(desk.portal.world.company_id)
    with clock.frozen(moment), desk.portal.session(desk.portal.world.scope) as session:
        deadlines.sweep(session, actor=actor)
        deadlines.remind_after(session, load(session), actor=actor)
        opened = rechecks.open_due(session, actor=actor)
        session.commit()
    return opened


def _clocks(desk: Desk, kind: str) -> list[Deadline]:
    with desk.portal.session(desk.portal.world.scope) as session:
        return list(
            session.scalars(
                sa.select(Deadline).where(Deadline.kind == kind).order_by(Deadline.round)
            )
        )


def _ask(desk: Desk, notice_id: UUID, wanted: str, reason: str = "培训师周四到岗。") -> Any:
    return desk.vendor.post(
        _path(notice_id, "extensions"), data={"ask-wanted": wanted, "ask-reason": reason}
    )


def test_an_extension_is_asked_and_granted_on_record(desk: Desk) -> None:
    """延期: asked before the deadline with reason and day; the date granted may be another, and
    the clock keeps its first date and the ground."""
    notice_id = desk.issued()
    for wanted, reason in (("2026-11-14", "x"), ("2026-11-11", "x"), ("2026-11-13", "")):
        assert _ask(desk, notice_id, wanted, reason).status_code in (409, 422)
    assert _ask(desk, notice_id, "2026-11-13").status_code == 302
    assert _ask(desk, notice_id, "2026-11-16").status_code == 409, "one at a time"
    with desk.portal.session(desk.portal.world.scope) as session:
        actor = system_actor(desk.portal.world.company_id)
        assert [extensions_asked(session, actor=actor) for _ in range(2)] == [1, 0]
        session.commit()
        extension_id = session.scalars(sa.select(Extension.id)).one()
    assert desk.row(notice_id).due_at == DUE, "it runs on until it is decided"
    decide = _path(notice_id, "extensions", extension_id)
    given = {"decision": "grant", "extension-until": "2026-11-12", "extension-note": "准予一日。"}
    assert desk.vendor.post(decide, data=given).status_code == 404
    assert desk.company.post(decide, data=given).status_code == 302
    assert desk.company.post(decide, data=given).status_code == 409
    later = clock.at_beijing(date(2026, 11, 12), 18)
    assert desk.row(notice_id).due_at == later
    (row,) = _clocks(desk, "rectification")
    assert (row.due_at, row.basis["extended"][0]["reason"]) == (later, "准予一日。")
    assert datetime.fromisoformat(row.basis["extended"][0]["from"]) == DUE
    with desk.at(later - timedelta(minutes=1)):
        assert "准予一日。" in desk.vendor.get(_path(notice_id)).text
        assert desk.answer(notice_id, "submit").status_code == 302
    (row,) = _clocks(desk, "rectification")
    assert row.state == "met"


def test_an_extension_is_refused_and_not_asked_too_late(desk: Desk) -> None:
    notice_id = desk.issued()
    assert _ask(desk, notice_id, "2026-11-13").status_code == 302
    with desk.portal.session(desk.portal.world.scope) as session:
        extension_id = session.scalars(sa.select(Extension.id)).one()
    answer = desk.company.post(
        _path(notice_id, "extensions", extension_id),
        data={"decision": "refuse", "extension-note": "理由不足。"},
    )
    assert answer.status_code == 302
    assert desk.row(notice_id).due_at == DUE
    assert "理由不足。" in desk.vendor.get(_path(notice_id)).text
    with desk.at(DUE + timedelta(seconds=1)):
        assert _ask(desk, notice_id, "2026-11-13").status_code == 409
    other = desk.portal.client(desk.portal.world.vendors[1].email(Role.MANAGER))
    asked = {"ask-wanted": "2026-11-13", "ask-reason": "x"}
    assert other.post(_path(notice_id, "extensions"), data=asked).status_code == 404


def test_an_extension_asked_in_time_is_granted_after_the_deadline(desk: Desk) -> None:
    """Due Wednesday; asked on Friday for Friday; answered on Thursday, late; granted then: the
    answer is in time, the clock met. Only the company's decision changes a submitted answer."""
    notice_id = desk.issued()
    assert _ask(desk, notice_id, "2026-11-13").status_code == 302
    vendor = Scope.vendor(desk.portal.world.vendors[0].id)
    with desk.at(ACCEPTED):
        _sweep(desk, ACCEPTED)
        assert desk.answer(notice_id, "submit").status_code == 302
        with desk.portal.session(vendor) as session:
            row = session.scalars(sa.select(Answer)).one()
            assert row.in_time is False
            row.in_time = True
            with pytest.raises(IntegrityError, match="does not change"):
                session.flush()
            session.rollback()
        with desk.portal.session(desk.portal.world.scope) as session:
            extension_id = session.scalars(sa.select(Extension.id)).one()
        assert desk.act(notice_id, "accept", note="同意销项。").status_code == 302
        given = {"decision": "grant", "extension-until": "2026-11-13", "extension-note": "准予。"}
        path = _path(notice_id, "extensions", extension_id)
        assert desk.company.post(path, data=given).status_code == 302
        page = desk.company.get(_path(notice_id)).text
    (row_,) = _clocks(desk, "rectification")
    assert (row_.state, row_.breached_at) == ("met", None)
    with desk.portal.session(desk.portal.world.scope) as session:
        assert session.scalars(sa.select(Answer.in_time)).one() is True
        facts = score_facts(session, desk.portal.world.vendors[0].id, "2026-11", load(session))
        assert facts.missed == ()
    assert "准予。" in page


def test_milestones_are_planned_shown_and_done_once(desk: Desk) -> None:
    notice_id = desk.issued()
    plan = _path(notice_id, "milestones")
    past = {"milestone-text": "补录", "milestone-planned_on": "2026-11-05"}
    assert desk.vendor.post(plan, data=past).status_code == 422
    for text, day in (("补录三件记录", "2026-11-09"), ("全员培训", "2026-11-20")):
        data = {"milestone-text": text, "milestone-planned_on": day}
        assert desk.vendor.post(plan, data=data).status_code == 302
        assert desk.company.post(plan, data=data).status_code == 403
    shown = desk.company.get(_path(notice_id)).text
    assert "补录三件记录" in shown
    assert "全员培训" in shown
    with desk.portal.session(desk.portal.world.scope) as session:
        first, second = session.scalars(
            sa.select(Milestone.id).order_by(Milestone.planned_on)
        ).all()
    assert desk.vendor.post(f"{plan}/{first}/done").status_code == 302
    assert desk.vendor.post(f"{plan}/{first}/done").status_code == 409
    assert desk.vendor.post(f"{plan}/{first}/remove").status_code == 409
    assert desk.answer(notice_id, "submit").status_code == 302
    with desk.at(ACCEPTED):
        assert desk.act(notice_id, "accept").status_code == 302
        assert desk.vendor.post(f"{plan}/{second}/remove").status_code == 409, "the plan stays"
        assert desk.vendor.post(f"{plan}/{second}/done").status_code == 302
    for statement in (
        "UPDATE rectification_milestones SET done_at = now()",
        "DELETE FROM rectification_milestones",
    ):
        with (
            desk.portal.session(Scope.vendor(desk.vendor_id)) as session,
            pytest.raises(IntegrityError, match="does not change"),
        ):
            session.execute(sa.text(statement))


@pytest.mark.parametrize("level", list(Level))
def test_who_is_told_follows_the_level(level: Level) -> None:
    """What stops the work (严重, 红线) goes to the general manager's office at the breach, the rest
    when it is still open a working day later."""
    outcome = DEFAULT_CATALOGUE.outcomes[level]
    at_once = Role.GENERAL_MANAGER in told(outcome, still_open=False)
    assert at_once == (level in (Level.SERIOUS, Level.RED_LINE))
    assert {Role.VENDOR_MANAGER, Role.GENERAL_DEPARTMENT} < set(told(outcome, still_open=True))
    assert Role.GENERAL_MANAGER in told(outcome, still_open=True)


def test_overdue_escalates(desk: Desk) -> None:
    notice_id = desk.issued()

    def told_roles() -> set[str]:
        with desk.portal.session(desk.portal.world.scope) as session:
            rows = session.scalars(
                sa.select(Notification).where(
                    Notification.tenant_id == desk.portal.world.company_id,
                    Notification.path == _path(notice_id),
                    Notification.kind == "overdue",
                )
            ).all()
            return {role for row in rows for role in row.roles}

    _sweep(desk, DUE + timedelta(minutes=1))
    assert told_roles() == {"vendor_manager", "general_department"}
    _sweep(desk, DUE + timedelta(hours=25))
    assert "general_manager" in told_roles()
    with desk.at(DUE + timedelta(hours=26)):
        assert "已逾期，已上报公司相关人员" in desk.vendor.get(_path(notice_id)).text


def test_an_accepted_notice_is_reopened_with_reason_and_date(desk: Desk) -> None:
    notice_id = _accepted(desk)
    with desk.at(ACCEPTED + timedelta(hours=1)):
        data = {"reopen-version": desk.row(notice_id).version, "reopen-working_days": "2"}
        reopen = _path(notice_id, "reopen")
        assert desk.company.post(reopen, data=data).status_code == 422, "no reason"
        data["reopen-reason"] = "抽查发现同类漏记。"
        assert desk.vendor.post(reopen, data=data).status_code == 404
        assert desk.company.post(reopen, data=data).status_code == 302
        assert desk.company.post(reopen, data=data).status_code == 409
        row = desk.row(notice_id)
        assert (row.state, row.round, row.closed_at, row.recheck_on) == ("returned", 2, None, None)
        assert row.due_at == clock.at_beijing(date(2026, 11, 16), 18)
        shown = desk.vendor.get(_path(notice_id)).text
        assert "抽查发现同类漏记。" in shown
        assert "同意销项。" in shown, "what was accepted stays readable"
        assert desk.answer(notice_id, "submit", cause="新的原因。").status_code == 302
        assert desk.act(notice_id, "accept").status_code == 302
    with (
        desk.portal.session(desk.portal.world.scope) as session,
        pytest.raises(IntegrityError, match="does not change"),
    ):
        session.execute(sa.text("UPDATE rectifications SET close_reason = 'x'"))


def _recheck(desk: Desk, notice_id: UUID, result: str, **more: str) -> Any:
    data = {
        "recheck-version": str(desk.row(notice_id).version),
        "recheck-result": result,
        "recheck-reason": "复听二十通，仍有两通漏记。",
        **more,
    }
    return desk.company.post(_path(notice_id, "recheck"), data=data)


def test_the_recheck_is_owed_after_thirty_days(desk: Desk) -> None:
    """30 days after acceptance the company owes it, within 3 working days; the vendor's own
    clocks say nothing of it."""
    notice_id = _accepted(desk)
    assert desk.row(notice_id).recheck_on == date(2026, 12, 12)
    assert _recheck(desk, notice_id, "effective").status_code == 409, "not due yet"
    assert _sweep(desk, RECHECK_DAY - timedelta(days=1)) == 0
    assert [_sweep(desk, RECHECK_DAY) for _ in range(2)] == [1, 0]
    (row,) = _clocks(desk, "rectification_recheck")
    assert (row.owed_by, row.due_at) == ("company", clock.at_beijing(date(2026, 12, 16), 18))
    with desk.portal.session(Scope.vendor(desk.vendor_id)) as session:
        kinds = session.scalars(sa.select(Deadline.kind)).all()
        assert "rectification_recheck" not in kinds
    with desk.at(RECHECK_DAY + timedelta(days=3)):
        assert _recheck(desk, notice_id, "effective", **{"recheck-reason": ""}).status_code == 422
        assert _recheck(desk, notice_id, "effective").status_code == 302
        assert _recheck(desk, notice_id, "effective").status_code == 409
        assert "复听二十通" in desk.vendor.get(_path(notice_id)).text
    (row,) = _clocks(desk, "rectification_recheck")
    assert row.state == "met"
    assert desk.row(notice_id).state == "accepted"


def test_not_effective_reopens_or_follows(desk: Desk) -> None:
    notice_id = _accepted(desk)
    _sweep(desk, RECHECK_DAY)
    with desk.at(RECHECK_DAY + timedelta(days=2)):
        again = _recheck(desk, notice_id, "reopened", **{"recheck-working_days": "3"})
        assert again.status_code == 302, again.text
        row = desk.row(notice_id)
        assert (row.state, row.round) == ("returned", 2)
        assert desk.answer(notice_id, "submit", done_on="2026-12-14").status_code == 302
        assert desk.act(notice_id, "accept").status_code == 302
    later = RECHECK_DAY + timedelta(days=33)
    assert _sweep(desk, later) == 1, "the new acceptance is re-checked too"
    with desk.at(later):
        made = _recheck(desk, notice_id, "followed")
        assert made.status_code == 302
        draft = made.location.rpartition("/")[2]
        assert desk.vendor.get(_path(draft)).status_code == 404
        assert str(draft) not in desk.vendor.get(_path(notice_id)).text
        assert desk.grade(UUID(draft), "take", "").status_code == 302
        assert desk.act(UUID(draft), "issue").status_code == 302
        shown = desk.vendor.get(_path(draft)).text
        assert "ZG-HC-2026-0001" in shown
    with desk.portal.session(desk.portal.world.scope) as session:
        content = session.scalars(
            sa.select(Document.content).where(Document.subject_id == UUID(draft))
        ).one()
        assert (content["follows"], content["recheck_days"]) == ("ZG-HC-2026-0001", 30)
        follower = session.scalars(
            sa.select(Rectification.follows_id).where(Rectification.id == UUID(draft))
        ).one()
        assert follower == notice_id
        results = session.scalars(sa.select(RecheckResult.result).order_by(RecheckResult.round))
        assert results.all() == ["reopened", "followed"]
