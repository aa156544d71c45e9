"""Appeals of several points, upheld in part, and who is left to decide (申诉, A5)."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from portal.audits.appeals.models import Appeal, FindingCorrection
from portal.audits.appeals.rules import Counted, Relief, capped, check_points, eased
from portal.audits.appeals.service import decide, raise_appeal, refer
from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.findings.service import save_finding
from portal.audits.models import Finding
from portal.audits.queries import score_facts
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict, Forbidden, Invalid
from portal.notices.models import Document
from portal.notifications.models import Notification
from portal.vendors.clauses import Level, default_catalogue, parse_catalogue
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.audits import (
    ACT,
    Audit,
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
CATALOGUE = parse_catalogue(default_catalogue())
FIRM = Counted("301", 3, Level.SERIOUS, Decimal(18), Decimal(1500), "三次打断客户", True)
"""301 (一般, 3 points, CNY 500) three times, repeated: the next level and twice the points."""


def _eased(now: Counted = FIRM, **relief: object) -> Counted:
    values = {"clause_no": now.clause_no, "times": now.times, "facts": now.facts, **relief}
    return eased(CATALOGUE, ACT, now, Relief(**values), [date(2026, 9, 1)])  # type: ignore[arg-type]


def test_worked_examples_of_a_relief() -> None:
    """Once instead of three times; another clause; a lower level by itself; only the facts."""
    once = _eased(times=1)
    assert (once.level, once.points, once.deduction) == (Level.SERIOUS, Decimal(6), Decimal(500))
    other = _eased(clause_no="104", times=1)
    assert (other.level, other.points, other.deduction) == (
        Level.ORDINARY,
        Decimal(2),
        Decimal(100),
    )
    fresh = eased(CATALOGUE, ACT, FIRM, Relief("104", 1, "事实"), [])
    assert (fresh.level, fresh.points, fresh.repeated) == (Level.MINOR, Decimal(1), False)
    lower = _eased(level=Level.MINOR, points=Decimal("0.5"), deduction=Decimal(0))
    assert (lower.clause_no, lower.level, lower.points) == ("301", Level.MINOR, Decimal("0.5"))
    worded = _eased(facts="两次打断客户")
    assert worded == Counted("301", 3, FIRM.level, Decimal(18), Decimal(1500), "两次打断客户", True)


def test_nothing_becomes_heavier_and_something_changes() -> None:
    for heavier in (
        {"level": Level.RED_LINE},
        {"points": Decimal(19)},
        {"deduction": Decimal("1500.01")},
        {"times": 4},
    ):
        with pytest.raises(Invalid, match="nothing heavier"):
            _eased(**heavier)
    with pytest.raises(Invalid, match="changes something"):
        _eased()
    with pytest.raises(Invalid, match="no clause 999"):
        _eased(clause_no="999")
    with pytest.raises(Invalid, match="facts are missing"):
        _eased(facts=" ")


@given(
    clause=st.sampled_from(sorted(CATALOGUE.clauses)),
    times=st.integers(1, 5),
    now_clause=st.sampled_from(sorted(CATALOGUE.clauses)),
    now_times=st.integers(1, 5),
    repeated=st.booleans(),
    level=st.none() | st.sampled_from(list(Level)),
)
def test_whoever_appeals_is_never_worse_off(
    clause: str, times: int, now_clause: str, now_times: int, repeated: bool, level: Level | None
) -> None:
    own = CATALOGUE.judge(now_clause, ACT, [ACT] if repeated else ())
    now = Counted(
        now_clause,
        now_times,
        own.level,
        Decimal(own.points * now_times),
        own.deduction * now_times,
        "事实",
        repeated,
    )
    try:
        after = eased(CATALOGUE, ACT, now, Relief(clause, times, "事实", level), [ACT])
    except Invalid:
        return
    assert after != now and capped(after, now) == after
    assert after.repeated <= repeated


def test_points_are_known_and_at_least_one() -> None:
    assert check_points(["severity", "else", "facts"]) == ["facts", "severity"]
    with pytest.raises(Invalid):
        check_points(["else"])


@pytest.fixture
def audit(portal: Portal) -> Audit:
    with portal.session(portal.world.scope) as session:
        return open_audit(session, portal.world, portal.world.vendors[0])


def _issued(portal: Portal, audit: Audit, **changes: object) -> tuple[UUID, UUID]:
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit, **changes)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        return form.id, session.scalars(sa.select(Finding.id)).one()


def _raise(portal: Portal, audit: Audit, finding_id: UUID, *points: str) -> UUID:
    manager = audit.vendor.actor(Role.MANAGER, audit.world.company_id)
    with portal.session(Scope.vendor(audit.vendor.id)) as session:
        finding = session.scalars(sa.select(Finding).where(Finding.id == finding_id)).one()
        row = raise_appeal(
            session, finding, "次数有误", points=points or ("severity",), actor=manager
        )
        session.commit()
        return row.id


def _ease(portal: Portal, appeal_id: UUID, by: Actor, relief: Relief) -> None:
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == appeal_id)).one()
        decide(session, row, uphold=False, relief=relief, reason="部分成立", actor=by)
        session.commit()


def _check_eased(portal: Portal, audit: Audit) -> None:
    """The finding, the score, the record and the paper after it."""
    with portal.session(portal.world.scope) as session:
        finding = session.scalars(sa.select(Finding)).one()
        assert (finding.state, finding.clause_no, finding.level) == ("issued", "104", "minor")
        assert finding.clause_text == CATALOGUE.get("104").text
        assert (finding.points, finding.deduction, finding.times) == (Decimal(1), Decimal(100), 1)
        assert (finding.facts, finding.handling) == ("语气不当", "警告，扣款 100.00 元")
        facts = score_facts(session, audit.vendor.id, "2026-11")
        assert [(one.clause, one.points, one.deduction) for one in facts.findings] == [
            ("104", Decimal(1), Decimal(100))
        ]
        assert facts.passed == 2, "the finding stands, so the case stays failed"
        kept = session.scalars(sa.select(FindingCorrection)).one()
        assert (kept.before["clause_no"], kept.after["clause_no"]) == ("301", "104")
        former, paper = session.scalars(
            sa.select(Document)
            .where(Document.template == "assessment_form")
            .order_by(Document.issued_at)
        ).all()
        assert paper.supersedes_id == former.id
        (told,) = paper.content["corrections"]
        assert (told["clause"], told["decided_by"]) == ("301", "综合部")
        assert told["eased"]["before"]["points"] == "9"
        assert told["eased"]["after"] == {
            "clause": "104",
            "level": "minor",
            "points": "1",
            "deduction": "100.00",
        }
        assert paper.content["findings"][0]["clauses"][0]["number"] == "104"


def test_upheld_in_part_the_finding_stands_eased(portal: Portal, audit: Audit) -> None:
    """By the pages: 301 three times (9 points, CNY 1,500) becomes 104 once (1 point, CNY 100); the
    form is replaced and tells of both; the case stays failed; the vendor may go on to the last."""
    form_id, finding_id = _issued(portal, audit, times=3)
    client = portal.client(audit.vendor.email(Role.MANAGER))
    address = f"/assessments/{form_id}/findings/{finding_id}/appeal"
    page = client.get(address).text
    assert all(f'value="{point}"' in page for point in ("facts", "clause", "severity"))
    assert client.post(address, data={"reason": "条款不当"}).status_code == 422, "no point"
    sent = {"reason": "条款不当", "points": ["clause", "severity"]}
    raised = client.post(address, data={**sent, "evidence": (io.BytesIO(pdf()), "说明.pdf")})
    assert raised.status_code == 302, raised.text
    colleague = portal.client(portal.world.email(Role.GENERAL_DEPARTMENT))
    path = raised.location
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal)).one()
        assert row.disputed == ["clause", "severity"]
        refer(session, row, actor=audit.head)
        session.commit()
    assert 'name="clause_no"' in colleague.get(path).text
    form = {"version": "2", "reason": "条款适用有误", "outcome": "partly", "facts": "语气不当"}
    heavy = colleague.post(f"{path}/decision", data={**form, "clause_no": "303", "points": "50"})
    assert heavy.status_code == 422 and 'value="50"' in heavy.text
    done = colleague.post(f"{path}/decision", data={**form, "clause_no": "104", "times": "1"})
    assert done.status_code == 302, done.text
    _check_eased(portal, audit)
    portal.work()
    shown = client.get(path).text
    for word in ("部分成立", "301 → 104", "9.00 → 1", "1500.00 → 100.00"):
        assert word in shown, word
    assert address in shown, "and at the last"


def test_at_the_last_what_was_eased_may_fall(portal: Portal, audit: Audit) -> None:
    _form, finding_id = _issued(portal, audit)
    first = _raise(portal, audit, finding_id)
    relief = Relief("301", 1, "语气不当", points=Decimal(1))
    _ease(portal, first, audit.colleague, relief)
    last = _raise(portal, audit, finding_id, "facts")
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == last)).one()
        assert row.instance == 2
        general = portal.world.actor(Role.GENERAL_DEPARTMENT)
        decide(session, row, uphold=True, reason="撤销", actor=general)
        session.commit()
        papers = session.scalars(
            sa.select(Document)
            .where(Document.template == "assessment_form")
            .order_by(Document.issued_at)
        ).all()
        told = papers[-1].content["corrections"]
        assert len(papers) == 3 and ["eased" in one for one in told] == [True, False]
        assert papers[-1].content["findings"] == []


def test_eased_on_one_call_another_counts(portal: Portal, audit: Audit) -> None:
    """402 (10 points) counts and 301 (3) is merged into it; 402 becomes 104 (1): 301 counts now."""
    clip = {"delivery_id": audit.delivery_ids[0], "clip_from": 1, "clip_to": 3}
    with portal.session(portal.world.scope) as session:
        review = audit.review(session)
        for clause in ("301", "402"):
            wanted = text(audit, clause_no=clause, **clip)
            save_finding(session, review, wanted, actor=audit.auditor)
        judge_twice(session, audit, review, passed=False)
        pass_others(session, audit, (1, 2))
        form = prepare_form(
            session, tenant_id=audit.vendor.id, request_id=audit.request_id, actor=audit.auditor
        )
        hear(session, form, audit.head)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        heavy = session.scalars(sa.select(Finding.id).where(Finding.clause_no == "402")).one()
    appeal = _raise(portal, audit, heavy, "clause")
    _ease(portal, appeal, audit.colleague, Relief("104", 1, "未透露欠款"))
    with portal.session(portal.world.scope) as session:
        facts = score_facts(session, audit.vendor.id, "2026-11")
        assert [(one.clause, one.points) for one in facts.findings] == [("301", Decimal(3))]
        eased_one = session.scalars(sa.select(Finding).where(Finding.id == heavy)).one()
        assert eased_one.clause_no == "104" and eased_one.merged_into_id is not None


def test_of_another_clause_it_is_no_repetition_any_more(portal: Portal, audit: Audit) -> None:
    """301 twice: the second counts double. The first becomes 104: the second is single again, but
    keeps what an appeal of its own had lowered."""
    _form, first = _issued(portal, audit)
    with portal.session(portal.world.scope) as session:
        second = open_audit(session, portal.world, audit.vendor, first=50)
        again: dict[str, Any] = {"repetition": True, "repetition_reason": "再犯"}
        fail(session, second, occurred_on=date(2026, 11, 3), **again)
        pass_others(session, second, (1, 2))
        form = prepare_form(
            session, tenant_id=audit.vendor.id, request_id=second.request_id, actor=audit.auditor
        )
        confirm_form(session, form, actor=audit.head)
        session.commit()
        later = session.scalars(sa.select(Finding.id).where(Finding.id != first)).one()
    own = _raise(portal, audit, later)
    _ease(portal, own, audit.colleague, Relief("301", 1, "语气", deduction=Decimal(50)))
    _ease(
        portal,
        _raise(portal, audit, first),
        audit.colleague,
        Relief("104", 1, "话术不当"),
    )
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Finding).where(Finding.id == later)).one()
        assert (row.level, row.points, row.deduction) == ("ordinary", Decimal(3), Decimal(50))
        assert (row.repeated, row.handling) == (False, "严重警告，扣款 50.00 元")


def test_who_had_a_part_does_not_decide(portal: Portal, audit: Audit) -> None:
    """Not who wrote it, nor who heard it second and judged, nor who signed the form; a colleague
    does, or the general department once it is handed over, and then again another at the last."""
    _form, finding_id = _issued(portal, audit)
    appeal_id = _raise(portal, audit, finding_id)
    general = portal.world.actor(Role.GENERAL_DEPARTMENT)
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == appeal_id)).one()
        for actor in (audit.auditor, audit.head):
            with pytest.raises(Conflict, match="does not decide"):
                decide(session, row, uphold=True, reason="是", actor=actor)
        with pytest.raises(Forbidden):
            decide(session, row, uphold=True, reason="是", actor=general)
        with pytest.raises(Forbidden):
            refer(session, row, actor=general)
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    page = head.get(f"/appeals/{appeal_id}").text
    assert 'name="outcome"' not in page and f"/appeals/{appeal_id}/referral" in page
    handed = head.post(f"/appeals/{appeal_id}/referral", data={"version": "1"})
    assert handed.status_code == 302
    assert head.post(f"/appeals/{appeal_id}/referral", data={"version": "2"}).status_code == 409
    with portal.session(portal.world.scope) as session:
        told = sa.select(Notification.roles).where(Notification.path == f"/appeals/{appeal_id}")
        assert ["general_department"] in session.scalars(told).all()
        row = session.scalars(sa.select(Appeal).where(Appeal.id == appeal_id)).one()
        with pytest.raises(Forbidden):
            decide(session, row, uphold=True, reason="是", actor=audit.colleague)
        decide(session, row, uphold=False, reason="维持", actor=general)
        session.commit()
    last = _raise(portal, audit, finding_id)
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == last)).one()
        with pytest.raises(Conflict, match="does not decide"):
            decide(session, row, uphold=True, reason="是", actor=general)
        other = Actor(UUID(int=8), "另一人", *(portal.world.company_id,) * 2, general.roles)
        decide(session, row, uphold=False, reason="维持", actor=other)


def test_each_part_alone_keeps_one_from_deciding(portal: Portal, audit: Audit) -> None:
    """Confirmed by one, judged by another, heard second by a third, prepared by a fourth: each is
    refused."""
    people = [UUID(int=20 + at) for at in range(4)]
    with portal.session(portal.world.scope) as session:
        form = prepared(session, audit)
        for table, column, where, person in (
            ("findings", "confirmed_by", "true", people[0]),
            ("reviews", "judged_by", "true", people[1]),
            ("review_listenings", "by", "kind = 'second'", people[2]),
            ("assessment_forms", "prepared_by", "true", people[3]),
        ):
            change = sa.text(f'update {table} set "{column}" = :one where {where}')
            session.execute(change, {"one": person})
        session.refresh(form)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        finding_id = session.scalars(sa.select(Finding.id)).one()
    appeal_id = _raise(portal, audit, finding_id)
    company = portal.world.company_id
    with portal.session(portal.world.scope) as session:
        row = session.scalars(sa.select(Appeal).where(Appeal.id == appeal_id)).one()
        for person in people:
            actor = Actor(person, "某人", company, company, frozenset({Role.AUDITOR}))
            with pytest.raises(Conflict, match="does not decide"):
                decide(session, row, uphold=True, reason="是", actor=actor)
        decide(session, row, uphold=True, reason="是", actor=audit.colleague)


def test_evidence_is_limited_checked_and_kept_once(portal: Portal, audit: Audit) -> None:
    """At most ten files, of four kinds by their content, the same bytes once; nothing is kept of an
    appeal with one that is refused."""
    form_id, finding_id = _issued(portal, audit)
    client = portal.client(audit.vendor.email(Role.MANAGER))
    address = f"/assessments/{form_id}/findings/{finding_id}/appeal"
    body = {"reason": "见附件", "points": ["facts"]}

    def send(*files: tuple[bytes, str]) -> int:
        evidence = [(io.BytesIO(data), name) for data, name in files]
        return client.post(address, data={**body, "evidence": evidence}).status_code

    assert send(*((pdf(), f"{at}.pdf") for at in range(11))) == 422
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for data, name in (
        (svg, "a.png"),
        (b"<html><script>alert(1)</script>", "a.pdf"),
        (b"", "a.pdf"),
        (b"PK\x03\x04" + b"\0" * 200, "a.xlsx"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a.wav"),
    ):
        assert send((pdf(), "good.pdf"), (data, name)) == 422, name
    with portal.session(portal.world.scope) as session:
        assert session.scalar(sa.text("select count(*) from appeals")) == 0
        assert session.scalar(sa.text("select count(*) from appeal_evidence")) == 0
    assert send((pdf(), "13800001234说明.pdf"), (pdf(), "同一份.pdf")) == 302
    with portal.session(portal.world.scope) as session:
        assert session.scalar(sa.text("select count(*) from appeal_evidence")) == 1
        page = client.get(f"/appeals/{session.scalars(sa.select(Appeal.id)).one()}").text
        assert "13800001234" not in page
