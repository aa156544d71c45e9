"""The pages of the audit by their people: the whole way through the browser's requests (A5, A6)."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.audits.models import AssessmentForm, Finding, Review
from portal.kernel.access import Role
from portal.notices.models import DocumentRecipient
from tests.conftest import Portal
from tests.factories.audits import Audit, fail, hear, open_audit, pass_others, prepared
from tests.reading import sheet_rows

pytestmark = pytest.mark.usefixtures("at_work")


@pytest.fixture
def audit(portal: Portal) -> Audit:
    with portal.session(portal.world.scope) as session:
        return open_audit(session, portal.world, portal.world.vendors[0], 2)


def _finding(audit: Audit, **changes: str) -> dict[str, str]:
    return {
        "occurred_on": "2026-11-02",
        "clause_no": "302",
        "times": "1",
        "person_id": str(audit.vendor.people[Role.AGENT][1]),
        "delivery_id": str(audit.delivery_ids[0]),
        "clip_from": "3.2",
        "clip_to": "7.5",
        "facts": "辱骂客户,持续约四秒。",
        "words": "原话若干",
        "correction": "停岗培训",
        **changes,
    }


def _version(page: str, action: str) -> str:
    """The version that a page's form carries."""
    part = page[page.index(f'action="{action}"') :]
    found = re.search(r'name="version" value="(\d+)"', part)
    assert found
    return found[1]


def test_from_the_queue_to_the_vendors_page(portal: Portal, audit: Audit) -> None:
    auditor = portal.client(portal.world.email(Role.AUDITOR))
    first, second = (f"/reviews/{review_id}" for review_id in audit.review_ids)
    queue = auditor.get("/reviews/").text
    assert "HC-00001" in queue and "1/1" in queue
    page = auditor.get(first).text
    assert "622202*********0001" in page and "622202000" not in page
    assert "张例" not in page
    assert f"/requests/{audit.request_id}/files/{audit.delivery_ids[0]}/audio" in page
    mark = {"delivery_id": str(audit.delivery_ids[0]), "start": "3.2", "end": "7.5"}
    answer = auditor.post(f"{first}/marks", data={**mark, "severity": "serious", "text": "辱骂"})
    assert answer.status_code == 302
    assert auditor.post(f"{first}/marks", data={**mark, "start": ""}).status_code == 422
    version = _version(auditor.get(first).text, f"{first}/notes")
    noted = {"version": version, "notes": "疑似主管授意"}
    assert auditor.post(f"{first}/notes", data=noted).status_code == 302
    refused = auditor.post(f"{first}/findings", data=_finding(audit, facts=""))
    assert refused.status_code == 422 and "停岗培训" in refused.text, "nothing typed is lost"
    assert auditor.post(f"{first}/findings", data=_finding(audit)).status_code == 302
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    _judge_twice(auditor, head, first, second)
    where = {"vendor": str(audit.vendor.id), "request": str(audit.request_id)}
    form = auditor.post("/assessments/", data=where).location
    assert auditor.post(f"{form}/confirm", data={"version": "1"}).status_code == 403
    assert "HC-00001" in head.get(form).text
    assert head.post(f"{form}/confirm", data={"version": "1"}).status_code == 409, "clip unheard"
    with portal.session(portal.world.scope) as session:
        hear(session, session.scalars(sa.select(AssessmentForm)).one(), audit.head)
        session.commit()
    assert head.post(f"{form}/confirm", data={"version": "1"}).status_code == 302
    twice = head.post(f"{form}/confirm", data={"version": "1"})
    assert twice.status_code == 409, "a double click issues once"
    portal.work()
    _vendor_reads(portal, audit, form)
    _leads_on(portal, form)
    general = portal.client(portal.world.email(Role.GENERAL_MANAGER))
    reports = general.get("/reviews/escalations").text
    assert "辱骂、侮辱或人身攻击" in reports
    seen = re.search(r'action="(/reviews/escalations/[^"]+/seen)"', reports)
    assert seen and general.post(seen[1]).status_code == 302
    assert "公司general_manager" in general.get("/reviews/escalations").text


def _judge_twice(auditor: FlaskClient, head: FlaskClient, first: str, second: str) -> None:
    """The auditor listens to both cases, the head judges them; each is led on to the next."""
    version = _version(auditor.get(first).text, f"{first}/listened")
    heard = auditor.post(f"{first}/listened", data={"verdict": "fail", "version": version})
    assert heard.location == second, "one key to the next"
    version = _version(auditor.get(second).text, f"{second}/listened")
    auditor.post(f"{second}/listened", data={"verdict": "pass", "version": version})
    version = _version(head.get(first).text, f"{first}/verdict")
    own = auditor.post(f"{first}/verdict", data={"verdict": "fail", "version": version})
    assert own.status_code == 409, "who listened first does not judge"
    judged = head.post(f"{first}/verdict", data={"verdict": "fail", "version": version})
    assert judged.location == second
    version = _version(head.get(second).text, f"{second}/verdict")
    head.post(f"{second}/verdict", data={"verdict": "pass", "version": version})


def _leads_on(portal: Portal, form: str) -> None:
    """The lists as workbooks, and the notice that begins from the form, for who may write one."""
    auditor = portal.client(portal.world.email(Role.AUDITOR))
    failed = _cells(auditor, "/reviews/list.xlsx?state=fail")
    assert [row[:3] for row in failed[1:]] == [("HC-00001", "华诚", "DQ-HC-2026-0001")]
    assert [row[0] for row in _cells(auditor, "/assessments/list.xlsx")[1:]] == ["JH-HC-2026-0001"]
    writer = portal.client(portal.world.email(Role.VENDOR_MANAGER))
    notice = f"/rectifications/new?form={form.rpartition('/')[2]}"
    assert notice in writer.get(form).text and writer.get(notice).status_code == 200
    assert notice not in auditor.get(form).text


def _cells(client: FlaskClient, path: str) -> list[tuple[Any, ...]]:
    """The first sheet of an exported list, row by row."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return sheet_rows(answer.data)


def _vendor_reads(portal: Portal, audit: Audit, form: str) -> None:
    manager = portal.client(audit.vendor.email(Role.MANAGER))
    assert "JH-HC-2026-0001" in manager.get("/assessments/").text
    page = manager.get(form)
    assert page.status_code == 200
    for shown in ("辱骂、侮辱或人身攻击", "辱骂客户", "原话若干", "/pdf", "HC-00002"):
        assert shown in page.text, shown
    for hidden in ("疑似主管授意", "/reviews/", "张例"):
        assert hidden not in page.text, hidden
    with portal.session(portal.world.scope) as session:
        found = session.execute(
            sa.select(DocumentRecipient.part, DocumentRecipient.opened_at).join_from(
                DocumentRecipient,
                AssessmentForm,
                AssessmentForm.document_id == DocumentRecipient.document_id,
            )
        )
        opened = {row.part: row.opened_at for row in found}
        assert opened["经理"] is not None and opened["责任人"] is None
    assert len(_cells(manager, "/assessments/list.xlsx")) == 2
    for path in (
        "/reviews/",
        "/reviews/list.xlsx",
        "/reviews/escalations",
        f"/reviews/{audit.review_ids[0]}",
    ):
        assert manager.get(path).status_code in (403, 404)
    other = portal.client(portal.world.vendors[1].email(Role.MANAGER))
    assert other.get(form).status_code == 404
    assert "JH-" not in other.get("/assessments/").text
    assert len(_cells(other, "/assessments/list.xlsx")) == 1


def test_a_request_whose_cases_all_passed_waits_for_no_form(portal: Portal, audit: Audit) -> None:
    """There is nothing to report; one failed case puts it on the list."""
    auditor = portal.client(portal.world.email(Role.AUDITOR))
    with portal.session(portal.world.scope) as session:
        pass_others(session, audit, range(1, len(audit.review_ids)))
        session.commit()
        assert 'id="waiting"' not in auditor.get("/assessments/").text
        fail(session, audit)
        session.commit()
    page = auditor.get("/assessments/").text
    assert 'id="waiting"' in page and "DQ-HC-2026-0001" in page


def test_a_stale_change_is_refused_and_kept(portal: Portal, audit: Audit) -> None:
    """Two auditors on one draft and one note: the second sees why, and what was typed stays."""
    one = portal.client(portal.world.email(Role.AUDITOR))
    two = portal.client(portal.world.email(Role.AUDIT_HEAD))
    path = f"/reviews/{audit.review_ids[0]}"
    one.post(f"{path}/findings", data=_finding(audit))
    with portal.session(portal.world.scope) as session:
        finding_id = session.scalars(sa.select(Finding.id)).one()
    draft = f"{path}/findings/{finding_id}"
    changed = one.post(draft, data=_finding(audit, version="1", facts="第一人的改动"))
    assert changed.status_code == 302
    late = two.post(draft, data=_finding(audit, version="1", facts="第二人的改动"))
    assert late.status_code == 409
    assert "第一人的改动" in late.text and "第二人的改动" in late.text
    again = two.post(
        draft, data=_finding(audit, version=_version(late.text, draft), facts="第二人的改动")
    )
    assert again.status_code == 302
    one.post(f"{path}/notes", data={"version": "1", "notes": "甲"})
    stale = two.post(f"{path}/notes", data={"version": "1", "notes": "乙的笔记"})
    assert stale.status_code == 409 and "乙的笔记" in stale.text
    with portal.session(portal.world.scope) as session:
        assert audit.review(session).notes == "甲"


def test_repetition_is_asked_on_the_page(portal: Portal, audit: Audit) -> None:
    with portal.session(portal.world.scope) as session:
        fail(session, audit, 0)
        session.commit()
    auditor = portal.client(portal.world.email(Role.AUDITOR))
    path = f"/reviews/{audit.review_ids[1]}"
    data = _finding(audit, clause_no="301", delivery_id="", clip_from="", clip_to="")
    asked = auditor.post(f"{path}/findings", data=data)
    assert asked.status_code == 422 and 'name="repetition"' in asked.text
    assert (
        auditor.post(f"{path}/findings", data={**data, "repetition": "refuse"}).status_code == 422
    )
    assert auditor.post(f"{path}/findings", data={**data, "repetition": "take"}).status_code == 302
    with portal.session(portal.world.scope) as session:
        levels = session.scalars(sa.select(Finding.level).order_by(Finding.id)).all()
        assert levels == ["ordinary", "serious"]


def test_what_a_form_lacks_stands_on_its_page(portal: Portal, audit: Audit) -> None:
    """A6: the head sees the list before and after trying."""
    with portal.session(portal.world.scope) as session:
        form_id = prepared(session, audit).id
        session.execute(sa.update(Finding).values(handling=""))
        session.commit()
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    head.post("/language", data={"locale": "en", "next": "/"})
    path = f"/assessments/{form_id}"
    line = "Case HC-00001: it is not said how the finding is handled."
    assert line in head.get(path).text
    refused = head.post(f"{path}/confirm", data={"version": "1"})
    assert refused.status_code == 422 and line in refused.text
    assert head.post(f"{path}/return", data={"version": "1", "reason": ""}).status_code == 422
    given = head.post(f"{path}/return", data={"version": "1", "reason": "补处理意见"})
    assert given.status_code == 302
    assert "补处理意见" in head.get(path).text
    with portal.session(portal.world.scope) as session:
        assert set(session.scalars(sa.select(Review.form_id))) == {None}


def test_another_case_of_the_address_is_not_found(portal: Portal, audit: Audit) -> None:
    """A finding is changed at its own case only."""
    with portal.session(portal.world.scope) as session:
        finding = fail(session, audit, 0)
        session.commit()
    auditor = portal.client(portal.world.email(Role.AUDITOR))
    path = f"/reviews/{audit.review_ids[1]}/findings/{finding.id}"
    for verb in ("confirm", "remove", "withdraw"):
        assert auditor.post(f"{path}/{verb}", data={"version": "1"}).status_code == 404
    assert auditor.post(path, data=_finding(audit)).status_code == 404
