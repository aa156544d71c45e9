"""Rectification notices through the pages: issued, answered, returned, accepted (C2.4)."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audits.assessments.service import confirm_form
from portal.calendar.service import load
from portal.deadlines.models import Deadline
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.notices import seals
from portal.notices.models import Document
from portal.notices.snapshots import validate
from portal.notifications.models import Notification
from portal.rectification.arrivals import announce
from portal.rectification.models import Answer, Decision, Evidence, Rectification
from portal.rectification.queries import score_facts
from tenants.rows import new_id
from tenants.scope import Scope
from tests.factories.audits import open_audit, prepared
from tests.rectification.desk import DUE, TEXTS, Desk, desk, download, friday, png

__all__ = ["desk", "friday"]

SEAL = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40">'
    b'<circle cx="20" cy="20" r="18" fill="none" stroke="#c00" stroke-width="2"/></svg>'
)


def test_drafts_are_unseen_and_issued_on_paper(desk: Desk) -> None:
    """C2.4: number, clock over the weekend, demands one by one, message, PDF."""
    notice_id = desk.draft()
    path = f"/rectifications/{notice_id}"
    assert desk.vendor.get(path).status_code == 404
    assert "催收记录不完整" not in desk.vendor.get("/rectifications/").text
    assert desk.act(notice_id, "issue").status_code == 302
    desk.portal.work()
    row = desk.row(notice_id)
    assert (row.number, row.state, row.due_at) == ("ZG-HC-2026-0001", "issued", DUE)
    with desk.portal.session(desk.portal.world.scope) as session:
        paper = session.scalars(sa.select(Document)).one()
        validate("rectification_notice", paper.content)
        assert [one["demand"] for one in paper.content["demands"]] == [
            "补录三件个案的催收记录",
            "对相关人员重新培训",
        ]
        assert paper.file_id is not None
        told = session.scalars(
            sa.select(Notification.path).where(Notification.tenant_id == desk.vendor_id)
        ).all()
        assert path in told
    page = desk.vendor.get(path)
    assert page.status_code == 200
    assert "补录三件个案的催收记录" in page.text


def _answer_with_evidence(desk: Desk, notice_id: UUID) -> None:
    """A draft with a file, which the company does not see; then submitted at the last moment."""
    path = f"/rectifications/{notice_id}"
    saved = desk.answer(notice_id, "save", evidence=(io.BytesIO(png()), "培训签到.png"))
    assert saved.status_code == 302, saved.text
    assert TEXTS["cause"] not in desk.company.get(path).text
    with desk.portal.session(desk.portal.world.scope) as session:
        evidence_id = session.scalars(sa.select(Evidence.id)).one()
    file = f"{path}/evidence/{evidence_id}"
    assert desk.company.get(file).status_code == 404
    assert download(desk.vendor, file) == png()
    with desk.at(DUE):
        assert desk.answer(notice_id, "submit").status_code == 302
        assert TEXTS["cause"] in desk.company.get(path).text
        assert download(desk.company, file) == png()


def test_a_notice_that_waits_for_its_seal_says_so(desk: Desk) -> None:
    """To both: a reload brings no PDF before the seal is decided, and the clock runs."""
    world = desk.portal.world
    admin = world.actor(Role.ADMINISTRATOR)
    with desk.portal.session(world.scope) as session:
        seal, _ = seals.add_picture(session, "公章", SEAL, actor=admin)
        seals.set_rule(session, "rectification_notice", seal.id, actor=admin)
        session.commit()
    path = f"/rectifications/{desk.issued()}"
    desk.portal.work()
    for reader in (desk.company, desk.vendor):
        page = reader.get(path).text
        assert "文书待公司用印" in page and "PDF 正在生成" not in page
        assert 'href="/papers/' in page


def test_answered_returned_answered_again_accepted(desk: Desk) -> None:
    notice_id = desk.issued()
    _answer_with_evidence(desk, notice_id)
    for told in (1, 0):
        with desk.portal.session(desk.portal.world.scope) as session:
            actor = system_actor(desk.portal.world.company_id)
            assert announce(session, actor=actor) == told
            session.commit()
    inbox = desk.company.get("/messages").text
    assert inbox.count("华诚 已按期答复 ZG-HC-2026-0001。</td>") == 1
    assert "已按期答复" not in desk.vendor.get("/messages").text
    with desk.at(DUE + timedelta(hours=16)):  # Thursday, 10:00
        done = desk.act(notice_id, "return", reason="缺少培训记录。", working_days="2")
        assert done.status_code == 302, done.text
        row = desk.row(notice_id)
        assert (row.state, row.round) == ("returned", 2)
        assert row.due_at == clock.at_beijing(date(2026, 11, 16), 18), "a weekend lies between"
        shown = desk.vendor.get(f"/rectifications/{notice_id}").text
        assert "缺少培训记录。" in shown
        assert TEXTS["cause"] in shown, "the old answer stays readable"
        again = desk.answer(notice_id, "submit", version="0", cause="新的原因。")
        assert again.status_code == 302, again.text
        assert desk.act(notice_id, "accept", note="同意销项。").status_code == 302
    row = desk.row(notice_id)
    assert (row.state, row.close_reason) == ("accepted", "同意销项。")
    with desk.portal.session(desk.portal.world.scope) as session:
        answers = session.scalars(sa.select(Answer).order_by(Answer.round)).all()
        assert [(one.round, one.state, one.in_time) for one in answers] == [
            (1, "submitted", True),
            (2, "submitted", True),
        ]
        clocks = session.scalars(
            sa.select(Deadline).where(Deadline.kind == "rectification").order_by(Deadline.round)
        ).all()
        assert [(one.round, one.state) for one in clocks] == [(1, "met"), (2, "met")]
        verdicts = session.scalars(sa.select(Decision.verdict).order_by(Decision.round)).all()
        assert verdicts == ["returned", "accepted"]


def test_a_late_answer_is_taken_and_on_record(desk: Desk) -> None:
    notice_id = desk.issued()
    other = desk.issued(title="另一件")
    with (
        desk.portal.session(desk.portal.world.scope) as session,
        clock.frozen(DUE + timedelta(minutes=1)),
    ):
        facts = score_facts(session, desk.vendor_id, "2026-11", load(session))
        assert facts.total == 2
        assert {one.working_days_late for one in facts.missed} == {None}
    with desk.at(DUE + timedelta(hours=20)):  # Thursday: the first working day after
        answer = desk.answer(notice_id, "submit")
        assert answer.status_code == 302
        with desk.portal.session(desk.portal.world.scope) as session:
            facts = score_facts(session, desk.vendor_id, "2026-11", load(session))
            assert {(one.id, one.working_days_late) for one in facts.missed} == {
                (notice_id, 1),
                (other, None),
            }
            assert score_facts(session, desk.vendor_id, "2026-10", load(session)).total == 0
            assert session.scalars(sa.select(Answer.in_time)).all() == [False]
        assert desk.act(other, "cancel", reason="重复发出").status_code == 302
        with desk.portal.session(desk.portal.world.scope) as session:
            assert score_facts(session, desk.vendor_id, "2026-11", load(session)).total == 1


def test_a_wrong_file_loses_nothing_that_was_typed(desk: Desk) -> None:
    notice_id = desk.issued()
    answer = desk.answer(
        notice_id,
        "submit",
        evidence=[
            (io.BytesIO(b"MZ\x90\x00 not a picture"), "证据.pdf"),
            (io.BytesIO(png()), "good.png"),
        ],
    )
    assert answer.status_code == 422
    assert "证据.pdf" in answer.text
    assert TEXTS["prevention"] in answer.text
    assert desk.row(notice_id).state == "issued", "nothing was submitted"
    with desk.portal.session(desk.portal.world.scope) as session:
        assert session.scalars(sa.select(Answer.cause)).all() == [TEXTS["cause"]]
        kept = session.scalars(sa.select(Evidence.id)).all()
        assert len(kept) == 1, "the good file is kept"
    # The same bytes again are not stored twice.
    assert (
        desk.answer(notice_id, "save", evidence=(io.BytesIO(png()), "good-again.png")).status_code
        == 302
    )
    removed = desk.vendor.post(f"/rectifications/{notice_id}/evidence/{kept[0]}/remove")
    assert removed.status_code == 302
    with desk.portal.session(desk.portal.world.scope) as session:
        assert session.scalars(sa.select(Evidence.id)).all() == []


def test_an_incomplete_answer_stays_a_draft(desk: Desk) -> None:
    notice_id = desk.issued()
    answer = desk.answer(notice_id, "submit", cause="", done_on="")
    assert answer.status_code == 422
    assert TEXTS["correction"] in answer.text
    assert desk.row(notice_id).state == "issued"
    future = desk.answer(notice_id, "submit", done_on="2026-11-20")
    assert future.status_code == 422
    assert desk.answer(notice_id, "submit").status_code == 302


def test_double_clicks_and_stale_pages(desk: Desk) -> None:
    draft_id = new_id()
    first = desk.draft(draft_id=str(draft_id))
    desk.draft(draft_id=str(draft_id))
    assert first != draft_id
    with desk.portal.session(desk.portal.world.scope) as session:
        assert session.scalars(sa.select(Rectification.id)).all() == [draft_id]
    version = desk.row(draft_id).version
    assert desk.act(draft_id, "issue", version=version).status_code == 302
    assert desk.act(draft_id, "issue", version=version).status_code == 409
    assert desk.act(draft_id, "issue").status_code == 409
    sent = {"version": "0", "act": "submit", **TEXTS}
    path = f"/rectifications/{draft_id}/answer"
    keep = desk.vendor.post(f"{path}/keep", data={"version": "0", **TEXTS})
    assert keep.status_code == 200
    assert 'value="1"' in keep.text
    stale = desk.vendor.post(path, data={**sent, "cause": "另一窗口"})
    assert stale.status_code == 409
    assert "另一窗口" in stale.text
    assert desk.vendor.post(path, data={**sent, "version": "1"}).status_code == 302
    assert desk.vendor.post(path, data={**sent, "version": "1"}).status_code == 409
    with desk.portal.session(desk.portal.world.scope) as session:
        assert len(session.scalars(sa.select(Answer)).all()) == 1
        assert len(session.scalars(sa.select(Document)).all()) == 1


def test_a_notice_that_lacks_a_part_takes_no_number(desk: Desk) -> None:
    notice_id = desk.draft(demands="", grounds="")
    answer = desk.act(notice_id, "issue")
    assert answer.status_code == 422
    row = desk.row(notice_id)
    assert (row.state, row.number) == ("draft", None)
    sooner = desk.company.post(
        f"/rectifications/{notice_id}/edit",
        data={
            "version": row.version,
            "source": "audit",
            "level": "minor",
            "title": "改",
            "working_days": "2",
        },
    )
    assert sooner.status_code == 422, "sooner than the level's five working days"


def test_others_see_nothing(desk: Desk) -> None:
    notice_id = desk.issued()
    other = desk.portal.client(desk.portal.world.vendors[1].email(Role.MANAGER))
    path = f"/rectifications/{notice_id}"
    assert other.get(path).status_code == 404
    assert other.post(f"{path}/answer", data=TEXTS).status_code == 404
    assert "ZG-" not in other.get("/rectifications/").text
    office = desk.portal.client(desk.portal.world.vendors[0].email(Role.OFFICE))
    assert office.get(path).status_code == 200
    assert office.post(f"{path}/answer", data=TEXTS).status_code == 404
    for verb in ("issue", "accept", "return", "cancel", "edit"):
        assert desk.vendor.post(f"{path}/{verb}", data={"version": 2}).status_code == 404


def _attacks() -> tuple[str, ...]:
    return (
        "UPDATE rectifications SET facts = 'x'",
        "UPDATE rectifications SET issued_at = NULL",
        "DELETE FROM rectifications",
        "UPDATE rectification_demands SET text = 'x'",
        "DELETE FROM rectification_demands",
        "UPDATE rectification_answers SET cause = 'x'",
        "DELETE FROM rectification_evidence",
    )


def test_what_was_issued_and_submitted_does_not_change(desk: Desk) -> None:
    notice_id = desk.issued()
    sent = desk.answer(notice_id, "submit", evidence=(io.BytesIO(png()), "a.png"))
    assert sent.status_code == 302, sent.text
    for attack in _attacks():
        with (
            desk.portal.session(desk.portal.world.scope) as session,
            pytest.raises(IntegrityError, match="does not change"),
        ):
            session.execute(sa.text(attack))
    # A vendor may move the state of a notice but not close it.
    with (
        desk.portal.session(Scope.vendor(desk.vendor_id)) as session,
        pytest.raises(IntegrityError, match="closed_is_dated"),
    ):
        session.execute(sa.text("UPDATE rectifications SET state = 'accepted'"))
    removed = desk.vendor.post(f"/rectifications/{notice_id}/evidence/{new_id()}/remove")
    assert removed.status_code in (404, 409)


def test_a_notice_begins_from_an_issued_form(desk: Desk) -> None:
    """A10 → C2.4: the findings of the form become facts, grounds and demands."""
    world = desk.portal.world
    with desk.portal.session(world.scope) as session:
        audit = open_audit(session, world, world.vendors[0])
        form = prepared(session, audit)
        unissued = desk.company.get(f"/rectifications/new?form={form.id}")
        assert unissued.status_code == 404
        confirm_form(session, form, actor=audit.head)
        session.commit()
        form_id, number = form.id, form.number
    assert str(number) in desk.company.get("/rectifications/new").text
    page = desk.company.get(f"/rectifications/new?form={form_id}").text
    assert "当日停止接触该户" in page
    assert "第301条" in page
    notice_id = desk.issued(form_id=str(form_id))
    with desk.portal.session(world.scope) as session:
        content = session.scalars(
            sa.select(Document.content).where(Document.subject_id == notice_id)
        ).one()
        assert content["source_reference"] == number
    other = desk.company.post(
        "/rectifications/new",
        data={
            "draft_id": str(new_id()),
            "form_id": str(form_id),
            "vendor": str(world.vendors[1].id),
            "source": "audit",
            "level": "minor",
            "title": "x",
        },
    )
    assert other.status_code == 404, "the form of another vendor"


PAGES: tuple[Callable[[UUID], str], ...] = (
    lambda _one: "/rectifications/",
    lambda _one: "/rectifications/new",
    lambda one: f"/rectifications/{one}",
    lambda one: f"/rectifications/{one}/edit",
)


@pytest.mark.parametrize("page", PAGES)
def test_pages_render(desk: Desk, page: Callable[[UUID], str]) -> None:
    assert desk.company.get(page(desk.draft())).status_code == 200
