"""The review desk by its keys in a browser, and what follows: the vendor's check of the facts, the
blind opinion, the appeal upheld in part. Each page in every dress."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.audits.assessments.service import confirm_form, prepare_form
from portal.audits.models import AssessmentForm, Escalation, Finding, Review
from portal.audits.reviews import stages
from portal.audits.reviews.models import FactCheck, Listening
from portal.identity.service import create_account
from portal.kernel import clock
from portal.kernel.access import Role
from tenants.scope import Login, Scope
from tests.factories.audits import Audit, deliver_visit, fail, hear, open_audit, pass_others
from tests.factories.world import PASSWORD
from tests.journeys.live import Live
from tests.journeys.people import Person
from tests.journeys.rendering import DRESSES, Dress, render_all

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("nothing_wrong")]
People = Callable[[str], Person]
AUDIO = "document.querySelector('.player audio')"
READY = "document.querySelector('.player.is-ready') !== null"
HURRIED = """for (const key of "lljlj") {
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}"""  # faster than the recording follows: 5 s on and none of it forgotten


@pytest.fixture(scope="module")
def audit(live: Live) -> Audit:
    """Three cases to review, the first with two recordings; a second request already judged."""
    world = live.portal.world
    with live.portal.session(world.scope) as session:
        made = open_audit(session, world, world.vendors[0], 3)
        deliver_visit(session, made)
        session.commit()
        return made


@pytest.fixture
def auditor(live: Live, person: People, audit: Audit) -> Person:
    """Who listens first."""
    assert audit.review_ids
    return person(live.portal.world.email(Role.AUDITOR))


def _at(auditor: Person) -> float:
    at: float = auditor.page.evaluate(f"{AUDIO}.currentTime")
    return at


def _key(auditor: Person, key: str) -> None:
    auditor.page.keyboard.press(key)


def _go(auditor: Person, key: str) -> str:
    """Press a key that leads to another page; its address."""
    with auditor.page.expect_navigation():
        _key(auditor, key)
    return auditor.path()


class TestTheDesk:
    """One story, in its order."""

    def test_1_one_key_to_the_next_case(self, auditor: Person, audit: Audit) -> None:
        """N from the queue to the first case, on to each, and round to the first; not while one
        types, nor when keys are switched off."""
        auditor.open("/reviews/", "desk-queue")
        went = [_go(auditor, "n").split("/")[2] for _ in range(4)]
        ids = [str(one) for one in audit.review_ids]
        assert sorted(went[:3]) == sorted(ids) and went[3] == went[0]
        here = auditor.path()
        auditor.page.locator("#notes-text").focus()
        _key(auditor, "n")
        auditor.page.wait_for_timeout(300)
        assert auditor.path() == here and auditor.page.input_value("#notes-text") == "n"
        auditor.page.fill("#notes-text", "")
        auditor.open(here)
        auditor.when(READY)
        auditor.page.locator("[data-keys-switch]").uncheck()
        auditor.page.locator("h1").click()
        _key(auditor, "n")
        auditor.page.wait_for_timeout(300)
        assert auditor.path() == here, "switched off"
        auditor.page.locator("[data-keys-switch]").check()

    def test_2_listen_mark_and_cite_by_keys(self, auditor: Person, audit: Audit) -> None:
        """Space plays and pauses, L and J go 5 s, M begins and ends a mark, 3 makes it serious; the
        mark is kept, taken into a finding, and the clip leads back to the moment."""
        auditor.open(f"/reviews/{audit.review_ids[0]}")
        auditor.when(READY)
        auditor.page.locator("h1").click()
        _key(auditor, "Space")
        auditor.when(f"!{AUDIO}.paused")
        _key(auditor, "Space")
        auditor.when(f"{AUDIO}.paused")
        began = _at(auditor)
        _key(auditor, "l")
        auditor.when(f"{AUDIO}.currentTime > {began + 4.5}")
        _key(auditor, "j")
        auditor.when(f"{AUDIO}.currentTime < {began + 0.5}")
        auditor.page.evaluate(HURRIED)
        auditor.when(f"{AUDIO}.currentTime > {began + 4.5} && {AUDIO}.currentTime < {began + 5.5}")
        _key(auditor, "j")
        auditor.when(f"{AUDIO}.currentTime < {began + 0.5}")
        _key(auditor, "m")
        _key(auditor, "l")
        auditor.when(f"{AUDIO}.currentTime > {began + 4.5}")
        _key(auditor, "m")
        _key(auditor, "3")
        start, end = (float(auditor.page.input_value(f"#mark-{one}")) for one in ("start", "end"))
        assert 4.5 <= end - start <= 5.5
        assert auditor.page.input_value("#mark-severity") == "serious"
        auditor.page.fill("#mark-text", "你听不懂人话吗")
        auditor.press("#mark-form button")
        auditor.when(READY)
        auditor.press("a[href*='mark=']")
        assert auditor.page.input_value("#words") == "你听不懂人话吗"
        assert float(auditor.page.input_value("#clip_from")) == int(start)
        auditor.page.select_option("#clause_no", "301")
        auditor.page.locator("#person_id").select_option(index=1)
        auditor.page.fill("#occurred_on", "2026-11-02")
        auditor.page.fill("#facts", "通话中语气恶劣")
        auditor.press("#finding-form .submit-row button")
        auditor.look("desk-finding")
        auditor.when(READY)
        auditor.page.locator("#findings [data-seek]").click()
        auditor.when(f"Math.abs({AUDIO}.currentTime - {int(start)}) < 2")

    def test_3_marks_of_the_other_recording_are_seen(self, auditor: Person, audit: Audit) -> None:
        """Marks belong to a recording; those of the others lead there, at their moment."""
        auditor.open(f"/reviews/{audit.review_ids[0]}")
        first = auditor.page.locator("#player strong").first.inner_text()
        other = auditor.page.locator("#player td a:not([aria-current])").first
        with auditor.page.expect_navigation():
            other.click()
        auditor.look("desk-other-recording")
        assert auditor.page.locator("#player strong").first.inner_text() != first
        auditor.press("#other-marks a.tabular")
        auditor.when(READY)
        assert auditor.page.locator("#player strong").first.inner_text() == first

    def test_4_the_vendor_checks_the_facts(
        self, live: Live, auditor: Person, person: People, audit: Audit
    ) -> None:
        """Proposed, asked, extended, answered with an objection, changed, asked again, judged."""
        auditor.open(f"/reviews/{audit.review_ids[0]}")
        auditor.press("button[value=fail]")
        head = person(live.portal.world.email(Role.AUDIT_HEAD))
        head.open(f"/reviews/{audit.review_ids[0]}", "desk-second")
        head.confirm(f"/reviews/{audit.review_ids[0]}/facts")
        head.open(f"/reviews/{audit.review_ids[0]}", "desk-vendor-checks")
        with live.portal.session(live.portal.world.scope) as session:
            check = session.scalars(sa.select(FactCheck.id)).one()
        manager = person(audit.vendor.email(Role.MANAGER))
        manager.open("/fact-checks/", "facts")
        manager.open(f"/fact-checks/{check}", "facts-asked")
        manager.click("#ask summary")
        manager.page.fill("#ask-wanted", "2026-11-06")
        manager.page.fill("#ask-reason", "责任人外出")
        manager.press("#ask button")
        manager.look("facts-extension-asked")
        head.open(f"/reviews/{audit.review_ids[0]}", "desk-extension")
        head.page.fill("#extension-note", "情况属实")
        head.press("button[value=grant]")
        manager.open(f"/fact-checks/{check}")
        manager.page.fill("#answer", "客户来电")
        manager.press("button[value='0']")
        manager.look("facts-objected")
        head.open(f"/reviews/{audit.review_ids[0]}")
        head.press("a[href*='finding=']")
        head.page.fill("#facts", "通话中一次语气恶劣")
        head.press("#finding-form .submit-row button")
        head.look("desk-changed-after-the-answer")
        head.confirm(f"/reviews/{audit.review_ids[0]}/facts")
        with live.portal.session(live.portal.world.scope) as session:
            again = session.scalars(
                sa.select(FactCheck.id).where(FactCheck.replaces_id == check)
            ).one()
        manager.open(f"/fact-checks/{again}", "facts-asked-again")
        manager.press("button[value='1']")
        head.open(f"/reviews/{audit.review_ids[0]}", "desk-agreed")
        head.press("button[value=fail]")

    def test_5_a_blind_opinion(self, live: Live, person: People, audit: Audit) -> None:
        """A red line, judged and drawn: closed to a third auditor until the opinion is given."""
        third = _another(live, person)
        with live.portal.session(live.portal.world.scope) as session:
            fail(session, audit, 1, clause_no="303")
            pass_others(session, audit, [2])
            for position in (1, 2):
                stages.ask_opinion(session, audit.review(session, position), clock.now())
            prepare_form(
                session,
                tenant_id=audit.vendor.id,
                request_id=audit.request_id,
                actor=audit.auditor,
            )
            session.commit()
            form = session.scalars(sa.select(AssessmentForm.id)).one()
            opinion = session.scalars(
                sa.select(Listening.id).where(
                    Listening.kind == "opinion", Listening.review_id == audit.review_ids[1]
                )
            ).one()
        third.open("/reviews/", "blind-queue")
        third.open(f"/reviews/{audit.review_ids[1]}", "blind-asked")
        third.open(f"/assessments/{form}", "blind-form")
        third.open("/reviews/opinions/")
        third.press(f"form[action$='{opinion}/take'] button")
        third.look("opinion")
        third.click("#verdict-fail")
        third.page.select_option("#clause_no", "303")
        third.press("form[data-warn-unsaved] button")
        third.look("opinions")

    def test_6_an_appeal_upheld_in_part(self, live: Live, person: People, audit: Audit) -> None:
        """Raised with two points, decided by an auditor who had no part, told on the new paper."""
        portal = live.portal
        with portal.session(portal.world.scope) as session:
            form = session.scalars(sa.select(AssessmentForm)).one()
            hear(session, form, audit.head)
            confirm_form(session, form, actor=audit.head)
            session.commit()
            form_id: UUID = form.id
            finding = session.scalars(
                sa.select(Finding.id).where(Finding.review_id == audit.review_ids[0])
            ).one()
            crisis = session.scalars(sa.select(Escalation.id)).one()
            review = session.scalars(sa.select(Review.id).limit(1)).one()
        manager = person(audit.vendor.email(Role.MANAGER))
        manager.open(f"/assessments/{form_id}", "form-issued")
        manager.open(f"/assessments/{form_id}/findings/{finding}/appeal", "appeal-new")
        manager.press(".submit-row button")
        manager.look("appeal-refused")
        manager.page.check("#points-1")
        manager.page.check("#points-2")
        manager.page.fill("#reason", "条款适用有误，请复听。")
        manager.press(".submit-row button")
        manager.look("appeal-raised")
        appeal = manager.path()
        head = person(portal.world.email(Role.AUDIT_HEAD))
        head.open(appeal, "appeal-had-a-part")
        colleague = _another(live, person, "fourth")
        colleague.open(appeal, "appeal-to-decide")
        colleague.click("input[value=partly]")
        colleague.page.fill("#reason", "话术问题，不构成辱骂。")
        colleague.page.select_option("#clause_no", "104")
        colleague.press("form[action$='/decision'] .submit-row button")
        colleague.look("appeal-decided")
        manager.open(appeal, "appeal-in-part")
        manager.open("/appeals", "appeals")
        colleague.open("/appeals", "appeals-company")
        colleague.open("/reviews/escalations", "escalations")
        colleague.open(f"/reviews/escalations/{crisis}", "crisis")
        colleague.open(f"/reviews/{review}", "desk-judged")

    @pytest.mark.parametrize("dress", DRESSES, ids=str)
    def test_7_every_page_in_every_dress(
        self, pages: list[tuple[Person, list[str]]], dress: Dress
    ) -> None:
        found = render_all(pages, dress)
        assert not found, "\n".join(found)


def _another(live: Live, person: People, name: str = "third") -> Person:
    """An auditor who had no part in anything yet."""
    email = f"{name}@company.example.com"
    with live.portal.session(Scope(Login.SIGN_IN)) as session:
        create_account(
            session,
            tenant_id=live.portal.world.company_id,
            email=email,
            name=name,
            roles={Role.AUDITOR},
            password=PASSWORD,
        )
        session.commit()
    return person(email)
