"""Repetition: found, linked, and the next grade taken or refused with a reason (C2.4, A5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from portal.audits.assessments.service import confirm_form
from portal.audits.models import AssessmentForm
from portal.kernel import clock
from portal.kernel.access import Role
from portal.notices.models import Document
from portal.rectification import repeats
from portal.rectification.models import Repetition
from portal.rectification.repeats import clauses_in
from portal.rectification.service import issue_notice, text_from_form, write_draft
from tenants.rows import new_id
from tenants.scope import Scope
from tests.factories.audits import open_audit, prepared
from tests.rectification.desk import FRIDAY, Desk, desk

__all__ = ["desk"]


@pytest.fixture(autouse=True)
def friday() -> Any:
    with clock.frozen(FRIDAY):
        yield


def test_clauses_are_read_from_the_grounds() -> None:
    assert clauses_in("《条例》第102条、第 301 条；第12条；2026年第1102号") == {"102", "301"}


def test_a_repetition_waits_for_the_issuer(desk: Desk) -> None:
    """The next grade is taken with its own deadline, and the paper names the earlier notice."""
    first = desk.issued()
    again = desk.draft(title="再次漏记")
    with clock.frozen(FRIDAY + timedelta(minutes=5)):
        shown = desk.company.get(f"/rectifications/{again}").text
        assert f"/rectifications/{first}" in shown
        assert desk.act(again, "issue").status_code == 409, "not decided yet"
        assert desk.grade(again, "refuse", "").status_code == 422, "refused without a reason"
        assert desk.grade(again, "take", "").status_code == 302
        assert desk.grade(again, "take", "").status_code == 409
        row = desk.row(again)
        assert (row.level, row.working_days) == ("serious", 1)
        assert desk.act(again, "issue").status_code == 302
        page = desk.vendor.get(f"/rectifications/{again}").text
        assert "ZG-HC-2026-0001" in page
    with desk.portal.session(desk.portal.world.scope) as session:
        content = session.scalars(
            sa.select(Document.content).where(Document.subject_id == again)
        ).one()
        assert content["repeats"] == ["ZG-HC-2026-0001：第102条"]


def test_a_refusal_is_on_record_and_not_for_the_vendor(desk: Desk) -> None:
    desk.issued()
    again = desk.draft()
    with clock.frozen(FRIDAY + timedelta(minutes=5)):
        assert desk.grade(again, "refuse", "责任人不同，情节轻微。").status_code == 302
        assert desk.row(again).level == "ordinary"
        assert desk.act(again, "issue").status_code == 302
        assert "情节轻微" in desk.company.get(f"/rectifications/{again}").text
        assert "情节轻微" not in desk.vendor.get(f"/rectifications/{again}").text
    with (
        desk.portal.session(Scope.vendor(desk.vendor_id)) as session,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        session.scalars(sa.select(Repetition.id)).all()


def test_other_clauses_vendors_and_times_are_no_repetition(desk: Desk) -> None:
    desk.issued()
    later = FRIDAY + timedelta(minutes=5)
    with clock.frozen(later):
        other = desk.draft(grounds="《不规范催收处罚条例》第201条")
        assert desk.grade(other, "take", "").status_code == 409
        rival = desk.draft(vendor=str(desk.portal.world.vendors[1].id))
        assert desk.grade(rival, "take", "").status_code == 409
        stranger = desk.portal.client(desk.portal.world.vendors[1].email(Role.MANAGER))
        answer = stranger.post(f"/rectifications/{rival}/repetition", data={"decision": "take"})
        assert answer.status_code == 404
    old = desk.draft()
    with desk.at(FRIDAY + timedelta(days=185)):
        assert desk.grade(old, "take", "").status_code == 409, "more than six months later"


def _form(desk: Desk, first: int, **finding: object) -> UUID:
    """An issued form of one case with one finding."""
    world = desk.portal.world
    with desk.portal.session(world.scope) as session:
        audit = open_audit(session, world, world.vendors[0], 1, first=first)
        form = prepared(session, audit, **finding)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        return form.id


def _of_form(desk: Desk, form_id: UUID, *, issue: bool = False) -> tuple[str, ...]:
    """A notice of a form; what its repetitions share with it."""
    actor = desk.portal.world.actor(Role.VENDOR_MANAGER)
    with desk.portal.session(desk.portal.world.scope) as session:
        form = session.scalars(sa.select(AssessmentForm).where(AssessmentForm.id == form_id)).one()
        notice = write_draft(
            session,
            draft_id=new_id(),
            tenant_id=form.tenant_id,
            form_id=form.id,
            text=text_from_form(session, form, "逾期计入考核"),
            actor=actor,
        )
        shared = tuple(word for one in repeats.found(session, notice) for word in one.shared)
        if issue:
            issue_notice(session, notice, actor=actor)
        session.commit()
        return shared


def test_the_same_person_or_group_is_a_repetition(desk: Desk) -> None:
    """By other clauses: the same agent; somebody else of the same group; somebody who is not listed
    by the staff number, whatever the name. A second notice of one form is the same act."""
    typed = {"person_id": None, "person_name": "外聘甲", "staff_no": "T-9", "group_name": "临时组"}
    with clock.frozen(FRIDAY):
        first = _form(desk, 60)
        assert _of_form(desk, first, issue=True) == ()
        assert _of_form(desk, first) == (), "the same form again"
        assert _of_form(desk, _form(desk, 61, **typed, clause_no="104"), issue=True) == ()
    with clock.frozen(FRIDAY + timedelta(minutes=5)):
        assert _of_form(desk, _form(desk, 62, clause_no="102"))[0] == "王催收"
        group = {"person_id": None, "person_name": "新人", "group_name": "华诚一组"}
        assert _of_form(desk, _form(desk, 63, **group, clause_no="103")) == ("华诚一组",)
        renamed = {**typed, "person_name": "外聘甲（改名）", "group_name": ""}
        assert _of_form(desk, _form(desk, 64, **renamed, clause_no="105")) == ("外聘甲（改名）",)
        stranger = {**typed, "person_name": "外聘乙", "staff_no": "T-8", "group_name": "另一组"}
        assert _of_form(desk, _form(desk, 65, **stranger, clause_no="202")) == ()
