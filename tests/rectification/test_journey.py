"""Rectification notices through the pages: issued, answered, returned, accepted (C2.4)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy.exc import IntegrityError

from portal.audits.assessments.service import confirm_form
from portal.calendar.service import load
from portal.deadlines.models import Deadline
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.notices.models import Document
from portal.notices.snapshots import validate
from portal.notifications.models import Notification
from portal.rectification.arrivals import announce
from portal.rectification.models import Answer, Decision, Evidence, Rectification
from portal.rectification.queries import score_facts
from tenants.rows import new_id
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import open_audit, prepared

FRIDAY = datetime(2026, 11, 6, 2, 0, tzinfo=UTC)
"""Friday 6 November 2026, 10:00 in Beijing: a weekend lies ahead."""
DUE = clock.at_beijing(date(2026, 11, 11), 18)
"""Ordinary, three working days: Monday, Tuesday, Wednesday; close of business."""
TEXTS = {
    "cause": "组长未复核催收记录。",
    "correction": "已逐条补录并重新培训。",
    "prevention": "每日抽查并留痕。",
    "person_treatment": "停岗培训两日。",
    "done_on": "2026-11-06",
}


def _png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(out, "PNG")
    return out.getvalue()


def _download(client: FlaskClient, path: str) -> bytes:
    answer = client.get(path)
    try:
        return answer.data
    finally:
        answer.close()


@dataclass
class Desk:
    """A portal with both sides signed in."""

    portal: Portal
    company: FlaskClient
    vendor: FlaskClient

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Both sides sign in anew at another moment (sessions expire meanwhile)."""
        before = self.company, self.vendor
        with clock.frozen(moment):
            world = self.portal.world
            self.company = self.portal.client(world.email(Role.VENDOR_MANAGER))
            self.vendor = self.portal.client(world.vendors[0].email(Role.MANAGER))
            yield
        self.company, self.vendor = before

    @property
    def vendor_id(self) -> UUID:
        return self.portal.world.vendors[0].id

    def draft(self, **changes: Any) -> UUID:
        """Write a draft through the form; returns its id."""
        draft_id = new_id()
        values = {
            "draft_id": str(draft_id),
            "vendor": str(self.vendor_id),
            "source": "audit",
            "source_reference": "JH-HC-2026-0001",
            "level": "ordinary",
            "title": "催收记录不完整",
            "facts": "抽查十件个案，三件催收记录缺要素。",
            "grounds": "《不规范催收处罚条例》第102条",
            "demands": "1、补录三件个案的催收记录\n2. 对相关人员重新培训\n\n",
            "consequence": "逾期未整改的，按第605条处理。",
            "working_days": "",
            **changes,
        }
        answer = self.company.post("/rectifications/new", data=values)
        assert answer.status_code == 302, answer.text
        return draft_id

    def row(self, notice_id: UUID) -> Rectification:
        with self.portal.session(self.portal.world.scope) as session:
            return session.scalars(
                sa.select(Rectification).where(Rectification.id == notice_id)
            ).one()

    def act(self, notice_id: UUID, verb: str, **data: Any) -> Any:
        """A company act on the present state."""
        data.setdefault("version", self.row(notice_id).version)
        return self.company.post(f"/rectifications/{notice_id}/{verb}", data=data)

    def issued(self, **changes: Any) -> UUID:
        notice_id = self.draft(**changes)
        if self.grade(notice_id, "refuse", "已另案处理。").status_code not in (302, 409):
            raise AssertionError("the repetition could not be decided")
        assert self.act(notice_id, "issue").status_code == 302
        return notice_id

    def grade(self, notice_id: UUID, decision: str, reason: str) -> Any:
        """Decide on a repetition; 409 when there is none."""
        return self.company.post(
            f"/rectifications/{notice_id}/repetition",
            data={
                "decision": decision,
                "repetition-version": self.row(notice_id).version,
                "repetition-reason": reason,
            },
        )

    def answer(self, notice_id: UUID, act: str, **changes: Any) -> Any:
        """The vendor's form on the present draft."""
        page = self.vendor.get(f"/rectifications/{notice_id}").text
        found = re.search(r'name="version" type="hidden" value="(\d+)"', page)
        version = found.group(1) if found else "0"
        return self.vendor.post(
            f"/rectifications/{notice_id}/answer",
            data={"version": version, "act": act, **TEXTS, **changes},
            content_type="multipart/form-data",
        )


@pytest.fixture
def desk(portal: Portal) -> Desk:
    with clock.frozen(FRIDAY):
        world = portal.world
        return Desk(
            portal,
            portal.client(world.email(Role.VENDOR_MANAGER)),
            portal.client(world.vendors[0].email(Role.MANAGER)),
        )


@pytest.fixture(autouse=True)
def friday() -> Any:
    with clock.frozen(FRIDAY):
        yield


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
    saved = desk.answer(notice_id, "save", evidence=(io.BytesIO(_png()), "培训签到.png"))
    assert saved.status_code == 302, saved.text
    assert TEXTS["cause"] not in desk.company.get(path).text
    with desk.portal.session(desk.portal.world.scope) as session:
        evidence_id = session.scalars(sa.select(Evidence.id)).one()
    file = f"{path}/evidence/{evidence_id}"
    assert desk.company.get(file).status_code == 404
    assert _download(desk.vendor, file) == _png()
    with desk.at(DUE):
        assert desk.answer(notice_id, "submit").status_code == 302
        assert TEXTS["cause"] in desk.company.get(path).text
        assert _download(desk.company, file) == _png()


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
            (io.BytesIO(_png()), "good.png"),
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
        desk.answer(notice_id, "save", evidence=(io.BytesIO(_png()), "good-again.png")).status_code
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
    sent = desk.answer(notice_id, "submit", evidence=(io.BytesIO(_png()), "a.png"))
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
