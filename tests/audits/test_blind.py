"""Calibration is blind from the moment a case is drawn, on every page of everybody who may give the
opinion (A5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from portal.app.feeds import clocks
from portal.app.mailing import Post
from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.findings.service import save_finding
from portal.audits.models import AssessmentForm, Escalation, Finding
from portal.audits.reviews import opinions, stages
from portal.audits.reviews.models import FactCheck, Listening
from portal.audits.reviews.service import save_notes
from portal.audits.reviews.terms import REVIEW_TERMS, default_terms
from portal.deadlines.service import sweep
from portal.identity.feeds import FeedOwner
from portal.identity.service import create_account
from portal.kernel import clock
from portal.kernel import settings as settings_module
from portal.kernel.access import Actor, Role, system_actor
from portal.kernel.errors import Conflict
from portal.notifications.kinds import DIGEST
from portal.notifications.models import Mail
from portal.schemes.service import publish
from tenants.scope import Login, Scope
from tests.conftest import Portal
from tests.factories.audits import Audit, beijing, hear, judge_twice, open_audit, text
from tests.factories.world import PASSWORD
from tests.notifications.post_office import PostOffice, serving
from tests.reading import sheet_rows, without_ids

pytestmark = pytest.mark.usefixtures("at_work")
THIRD = "third@hengxin.example.com"
OTHER_HEAD = "other.head@hengxin.example.com"
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
        create_account(
            session,
            tenant_id=portal.world.company_id,
            email=OTHER_HEAD,
            name="另一负责人",
            roles={Role.AUDIT_HEAD, Role.GENERAL_MANAGER},
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
        "/journal",
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
    return without_ids(body)


def test_who_may_give_the_opinion_sees_no_judgement(portal: Portal, audit: Audit) -> None:
    third = portal.client(THIRD)
    for path in _pages(portal, audit):
        body = _seen(third, path)
        for word in TOLD:
            assert word not in body, f"{path} tells {word}"
    for path in ("/reviews/list.xlsx", "/assessments/list.xlsx"):
        cells = {str(cell) for row in sheet_rows(third.get(path).data) for cell in row}
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


LEADS = ("HC-00001 · 303", "/fact-checks/·", "/reviews/escalations/·", "finding.", "clause=303")
"""What else would tell of it: a clock's label, a page that is there for a failed case only, an
entry of the journal."""


@pytest.fixture
def office(portal: Portal) -> Iterator[PostOffice]:
    """A mail server, there before anything happens."""
    with serving(PostOffice()) as running:
        url = f"smtp://127.0.0.1:{running.port}?starttls=no"
        made = replace(portal.settings, smtp_url=url, mail_from="portal@company.example.com")
        settings_module.install(made)
        yield running


def _clocks_run_out(portal: Portal, emails: Sequence[str]) -> dict[str, dict[str, str]]:
    """The form stays undone: its clock is near on Tuesday the 10th and runs out that evening; a
    digest each morning. By address what it sees unasked: place → text."""
    company = system_actor(portal.world.company_id)
    post = Post(portal.app, portal.database, portal.world.company_id)
    clients = {email: portal.client(email) for email in emails}
    feeds = {email: _feed(client) for email, client in clients.items()}
    seen: dict[str, dict[str, str]] = {email: {} for email in emails}
    for day, hour in ((10, 9), (10, 19), (11, 9)):
        with clock.frozen(beijing(date(2026, 11, day), hour, 5)):
            with portal.session(portal.world.scope) as session:
                sweep(session, actor=company)
                session.commit()
            post.digest()
            while post.run():
                pass
            clients = {email: portal.client(email) for email in emails}
            for email, client in clients.items():
                for path in ("/", "/messages", "/journal", feeds[email]):
                    text = client.get(path).text.split("<main")[-1]
                    place = "feed" if path == feeds[email] else path
                    seen[email][place] = seen[email].get(place, "") + text
    return seen


def _feed(client: FlaskClient) -> str:
    client.post("/account/feed", data={"act": "renew"})
    page = client.get("/account").text
    return f"/calendar/{page.partition('/calendar/')[2].partition('.ics')[0]}.ics"


def _told(text: str) -> list[str]:
    return [word for word in (*TOLD, *LEADS) if word in without_ids(text.replace("\r\n ", ""))]


def test_nothing_that_comes_unasked_tells_of_it(
    portal: Portal, office: PostOffice, audit: Audit
) -> None:
    """Inbox, mails, digest, calendar feed, home page and journal of a second audit head, who is of
    the general manager's office too: silent until the opinion is given up. The head who judged is
    told in every one of these places."""
    head = portal.world.email(Role.AUDIT_HEAD)
    seen = _clocks_run_out(portal, [OTHER_HEAD, head])
    with portal.session(portal.world.scope) as session:
        mails = session.scalars(sa.select(Mail).where(Mail.address.in_(seen))).all()
        for mail in mails:
            place = "digest" if mail.kind == DIGEST else "mail"
            text = f"{mail.subject} {mail.text} {mail.html}"
            seen[mail.address][place] = seen[mail.address].get(place, "") + text
    assert len(office.taken) >= len(mails)
    silent = {place: _told(text) for place, text in seen[OTHER_HEAD].items()}
    assert not any(silent.values()), silent
    assert "review_terms" in seen[OTHER_HEAD]["/journal"], "which shows the rest"
    told = {place: _told(text) for place, text in seen[head].items()}
    assert len(told) == 6 and all(told.values()), told
    with portal.session(portal.world.scope) as session:
        opinion = session.scalars(
            sa.select(Listening.id).where(
                Listening.kind == "opinion", Listening.review_id == audit.review_ids[0]
            )
        ).one()
    other = portal.client(OTHER_HEAD)
    other.post(f"/reviews/opinions/{opinion}/look")
    assert {"HC-00001 · 303", "/reviews/escalations/·"} <= {*_told(other.get("/messages").text)}


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
