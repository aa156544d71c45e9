"""Calibration is blind from the moment a case is drawn, on every page of everybody who may give the
opinion (A5)."""

from __future__ import annotations

import io
from datetime import date

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from openpyxl import load_workbook

from portal.app.feeds import clocks
from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.findings.service import save_finding
from portal.audits.models import AssessmentForm, Escalation, Finding
from portal.audits.reviews import opinions, stages
from portal.audits.reviews.models import FactCheck, Listening
from portal.audits.reviews.service import save_notes
from portal.audits.reviews.terms import REVIEW_TERMS, default_terms
from portal.identity.feeds import FeedOwner
from portal.identity.service import create_account
from portal.kernel.access import Actor, Role
from portal.kernel.errors import Conflict
from portal.schemes.service import publish
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.audits import Audit, hear, judge_twice, open_audit, text
from tests.factories.world import PASSWORD

pytestmark = pytest.mark.usefixtures("at_work")
THIRD = "third@hengxin.example.com"
FACTS = "催收员威胁上门"
TOLD = (FACTS, "语气很差", "303", "</svg>红线", "</svg>不合格")
"""What would tell of the first judgement."""


@pytest.fixture
def audit(portal: Portal) -> Audit:
    """Two cases, both drawn for an opinion: the first failed for a red line after a check of facts,
    the second passed; its form is prepared. A third auditor heard neither."""
    with portal.session(Scope(Login.SIGN_IN)) as session:
        create_account(
            session,
            tenant_id=portal.world.company_id,
            email=THIRD,
            name="第三人",
            roles={Role.AUDITOR},
            password=PASSWORD,
        )
        session.commit()
    with portal.session(portal.world.scope) as session:
        made = open_audit(session, portal.world, portal.world.vendors[0], 2)
        publish(
            session,
            REVIEW_TERMS,
            {**default_terms(), "opinion_percent": 100},
            in_force_from=date(2026, 11, 1),
            reason="全部盲评",
            seen_version=0,
            actor=made.head,
        )
        review = made.review(session)
        save_notes(session, review, "语气很差", actor=made.auditor)
        clip = {"delivery_id": made.delivery_ids[0], "clip_from": 1, "clip_to": 3}
        wanted = text(made, clause_no="303", facts=FACTS, **clip)
        save_finding(session, review, wanted, actor=made.auditor)
        stages.end_first(session, review, passed=False, actor=made.auditor)
        check = stages.ask_facts(session, review, actor=made.head)
        check.state, check.agreed, check.answered_at = "answered", True, check.issued_at
        session.flush()
        stages.judge(session, review, passed=False, actor=made.head)
        judge_twice(session, made, made.review(session, 1), passed=True)
        prepare_form(
            session, tenant_id=made.vendor.id, request_id=made.request_id, actor=made.auditor
        )
        session.commit()
    return made


def _pages(portal: Portal, audit: Audit) -> list[str]:
    """Every page on which the company tells of the judgement of the first case."""
    with portal.session(portal.world.scope) as session:
        form = session.scalars(sa.select(AssessmentForm.id)).one()
        crisis = session.scalars(sa.select(Escalation.id)).one()
        finding = session.scalars(sa.select(Finding.id)).one()
        check = session.scalars(sa.select(FactCheck.id)).one()
    review = f"/reviews/{audit.review_ids[0]}"
    return [
        "/",
        "/reviews/",
        "/reviews/?state=fail",
        "/reviews/?state=pass",
        f"/reviews/?request={audit.request_id}",
        review,
        f"{review}?finding={finding}",
        "/reviews/opinions/",
        "/reviews/escalations",
        f"/reviews/escalations/{crisis}",
        "/fact-checks/",
        f"/fact-checks/{check}",
        "/assessments/",
        f"/assessments/{form}",
        "/appeals",
        "/rectifications/opinions",
        "/messages",
        f"/requests/{audit.request_id}",
        "/papers",
    ]


def _seen(client: FlaskClient, path: str) -> str:
    answer = client.get(path, follow_redirects=True)
    body: str = answer.text.split('<main class="content"')[-1]
    for filter_word in ("<option", "</option>"):
        body = "".join(
            part if filter_word == "</option>" else part.split("</option>", 1)[-1]
            for part in body.split(filter_word)
        )
    return body


def test_who_may_give_the_opinion_sees_no_judgement(portal: Portal, audit: Audit) -> None:
    third = portal.client(THIRD)
    for path in _pages(portal, audit):
        body = _seen(third, path)
        for word in TOLD:
            assert word not in body, f"{path} tells {word}"
    for path in ("/reviews/list.xlsx", "/assessments/list.xlsx"):
        sheet = load_workbook(io.BytesIO(third.get(path).data)).active
        cells = {str(cell) for row in sheet.iter_rows(values_only=True) for cell in row}
        assert not cells & {*TOLD, "不合格", "公司auditor / 公司audit_head"}, path
    assert third.get("/reviews/?state=fail").text.count("HC-00001") == 0, "nor by its filter"
    posted = third.post(f"/reviews/{audit.review_ids[0]}/findings", data={}, follow_redirects=True)
    assert FACTS not in posted.text
    with portal.session(portal.world.scope) as session:
        by = session.scalars(sa.select(Finding.found_by)).one()
        roles, company = frozenset({Role.AUDITOR}), portal.world.company_id
        own = [
            clocks(session, FeedOwner(person, company, True, roles, "zh_Hans_CN"))
            for person in (by, by.__class__(int=9))
        ]
        assert [any("303" in row.label for row in rows) for rows in own] == [True, False]


def test_those_who_judged_still_see_it(portal: Portal, audit: Audit) -> None:
    """The words of the test above are on those pages: for the head, who judged."""
    head = portal.client(portal.world.email(Role.AUDIT_HEAD))
    told = {
        path: [word for word in TOLD if word in _seen(head, path)] for path in _pages(portal, audit)
    }
    silent = [path for path, words in told.items() if not words]
    assert [path for path in silent if path.startswith("/assessments/0")] == []
    assert len(told) - len(silent) >= 10, silent


def test_whoever_looks_gives_no_opinion(portal: Portal, audit: Audit) -> None:
    third = portal.client(THIRD)
    review = f"/reviews/{audit.review_ids[0]}"
    with portal.session(portal.world.scope) as session:
        rows = {
            row.review_id: row.id
            for row in session.scalars(sa.select(Listening).where(Listening.kind == "opinion"))
        }
        form = session.scalars(sa.select(AssessmentForm.id)).one()
    one, two = (rows[review_id] for review_id in audit.review_ids)
    assert f"asked={one}" in third.get(review).location
    assert third.post(f"/reviews/opinions/{one}/look").location == review
    assert FACTS in third.get(review).text
    third.post(f"/reviews/opinions/{one}/take")
    assert third.get(f"/reviews/opinions/{one}").status_code == 404, "it is not blind any more"
    third.post(f"/reviews/opinions/{two}/take")
    refused = third.post(f"/reviews/opinions/{two}/look")
    assert refused.location == f"/reviews/opinions/{two}", "what one took is given first"
    third.post(f"/reviews/opinions/forms/{form}/look")
    assert FACTS not in third.get(f"/assessments/{form}").text
    third.post(f"/reviews/opinions/{two}", data={"version": "2", "verdict": "pass"})
    assert FACTS in third.get(f"/assessments/{form}").text


def test_the_whole_form_is_opened_at_once(portal: Portal, audit: Audit) -> None:
    third = portal.client(THIRD)
    with portal.session(portal.world.scope) as session:
        form = session.scalars(sa.select(AssessmentForm.id)).one()
    assert third.post(f"/reviews/opinions/forms/{form}/look").status_code == 302
    assert FACTS in third.get(f"/assessments/{form}").text
    assert "/take" not in third.get("/reviews/opinions/").text


def test_issuing_the_form_ends_it(portal: Portal, audit: Audit) -> None:
    """What nobody gave by then has lapsed, is counted, and hides nothing any more."""
    with portal.session(portal.world.scope) as session:
        form = session.scalars(sa.select(AssessmentForm)).one()
        hear(session, form, audit.head)
        confirm_form(session, form, actor=audit.head)
        session.commit()
        row = session.scalars(
            sa.select(Listening).where(Listening.kind == "opinion").limit(1)
        ).one()
        assert row.lapsed_at is not None
        company = portal.world.company_id
        someone = Actor(form.id, "另一人", company, company, frozenset({Role.AUDITOR}))
        with pytest.raises(Conflict, match="too late"):
            opinions.take(session, row, audit.review(session), actor=someone)
    third = portal.client(THIRD)
    assert FACTS in third.get(f"/assessments/{form.id}").text
    assert FACTS in third.get(f"/reviews/{audit.review_ids[0]}").text
