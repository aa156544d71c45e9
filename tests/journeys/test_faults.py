"""What goes wrong at a desk: a second click, a stale form, a lost session, a lost connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.files.models import StoredFile
from portal.kernel.access import Role
from portal.materials.models import Delivery
from tests.factories.materials import add_request
from tests.factories.world import PASSWORD
from tests.journeys import papers
from tests.journeys.live import Live
from tests.journeys.people import Person

pytestmark = pytest.mark.journey
People = Callable[[str], Person]


@pytest.fixture(scope="module")
def request_path(live: Live) -> str:
    """A material request of the first vendor for three cases; returns its address."""
    portal = live.portal
    with portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, portal.world.vendors[0])
        return f"/requests/{made.id}"


@pytest.fixture(autouse=True)
def _no_fault(live: Live, problems: list[str]) -> Iterator[None]:
    """Whatever goes wrong at the desk, nothing is wrong in the portal."""
    yield
    found = [*problems, *live.faults.errors, *live.faults.policy]
    problems.clear()
    live.faults.errors.clear()
    live.faults.policy.clear()
    assert not found, "\n".join(found)


def test_a_double_click_is_one_import(live: Live, person: People, tmp_path: Path) -> None:
    """The button pressed twice, and the same form sent twice by two requests: one import each."""
    manager = person(live.portal.world.email(Role.VENDOR_MANAGER))
    page = manager.page
    manager.open("/cases/imports/")
    page.set_input_files("#file", papers.cases_file(tmp_path, live.portal.world))
    page.locator("form[action$='/cases/imports/'] button").dblclick()
    manager.until("form[action$='/take'] button")
    action = page.locator("form[action$='/take']").get_attribute("action") or ""
    fields = {
        name: page.locator(f"form[action$='/take'] input[name={name}]").input_value()
        for name in ("csrf_token", "version", "leave_bad")
    }
    page.locator("form[action$='/take'] button").dblclick()
    again = manager.context.request.post(live.url + action, form=fields, max_redirects=0)
    assert again.status == 302
    manager.until(".alert.tone-success")
    manager.open("/cases/imports/")
    assert page.locator("tbody tr").count() == 1
    manager.open("/cases/")
    numbers = page.locator("tbody th").all_inner_texts()
    assert len(numbers) == len(set(numbers))


def test_a_stale_form_is_told_so(live: Live, person: People, request_path: str) -> None:
    """Two tabs show one case; the second one's change is refused, and says why (409)."""
    manager = person(live.portal.world.email(Role.VENDOR_MANAGER))
    manager.open("/cases/")
    manager.press("tbody th a")
    second = manager.context.new_page()
    second.goto(manager.page.url)
    form = "form[action$='/status']"
    for page, status in ((manager.page, "suspended"), (second, "kept")):
        if not page.locator(f"{form} #status").is_visible():
            page.locator(f"details:has({form}) summary").click()
        page.select_option(f"{form} #status", status)
        page.fill(f"{form} #reason", "客户反映身体状况。")
    manager.press(f"{form} button:not([type=button])")
    assert manager.page.locator(".alert.tone-success").count() == 1
    with second.expect_navigation() as answer:
        second.locator(f"{form} button:not([type=button])").click()
    assert answer.value.status == 409
    assert second.locator(".alert.tone-danger").count() == 1, second.inner_text("main")
    assert second.input_value(f"{form} #reason") == "客户反映身体状况。"
    second.close()


def test_an_expired_session_leads_back(live: Live, person: People, request_path: str) -> None:
    """Signed out meanwhile: sign in, and be on the page one was on, nothing done by half."""
    office = person(live.portal.world.vendors[0].email(Role.OFFICE))
    page = office.page
    office.open(request_path)
    page.locator("#items input[name=item]").nth(2).check()
    page.select_option("#answer-form #reason", "not_connected")
    page.fill("#answer-form #note", "系统无录音。")
    office.context.clear_cookies(name="portal")
    office.press("#answer-form .submit-row button")
    assert office.path().startswith("/sign-in"), office.path()
    office.fill_sign_in()
    assert office.path().split("#")[0] == request_path, office.path()
    assert not page.locator("#items .chip", has_text="无法提供").count()
    # What was typed is there again, and is sent by the same button.
    office.until("#toasts .alert")
    assert page.locator("#items input[name=item]").nth(2).is_checked()
    assert page.input_value("#answer-form #reason") == "not_connected"
    assert page.input_value("#answer-form #note") == "系统无录音。"
    office.press("#answer-form .submit-row button")
    assert page.locator("#items .chip", has_text="无法提供").count() == 1
    assert not page.evaluate("'unsent-form' in sessionStorage"), "what has arrived is forgotten"


def test_nobody_else_finds_what_was_typed(live: Live, person: People, request_path: str) -> None:
    """Another account signs in on the same tab: nothing comes back, nothing is kept."""
    office = person(live.portal.world.vendors[0].email(Role.OFFICE))
    page = office.page
    office.open(request_path)
    page.locator("#items input[name=item]").nth(1).check()
    page.select_option("#answer-form #reason", "not_connected")
    page.fill("#answer-form #note", "系统无录音。")
    office.context.clear_cookies(name="portal")
    office.press("#answer-form .submit-row button")
    kept = page.evaluate("sessionStorage.getItem('unsent-form')")
    assert "系统无录音" in kept and "csrf" not in kept
    page.fill("#email", live.portal.world.vendors[0].email(Role.MANAGER))
    page.fill("#password", PASSWORD)
    office.press("form[action$='/sign-in'] button")
    assert office.path().split("#")[0] == request_path, office.path()
    assert page.input_value("#answer-form #note") == ""
    assert not page.evaluate("'unsent-form' in sessionStorage")
    office.sign_in()


def test_a_lost_connection_stores_once(
    live: Live, person: People, request_path: str, tmp_path: Path
) -> None:
    """Offline in the middle of an upload; online again, it goes on by itself and lands once."""
    office = person(live.portal.world.vendors[0].email(Role.OFFICE))
    page = office.page
    office.open(request_path)
    number = page.locator("#items tbody th .tabular.nowrap").first.inner_text()
    big = papers.recording(tmp_path / f"{number}_催收录音.wav", 600)
    held: list[int] = []

    def cut(route: object) -> None:
        held.append(1)
        if len(held) == 1:
            office.context.set_offline(True)
            route.abort("internetdisconnected")  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route(lambda url: "/uploads/" in url, cut)
    page.set_input_files("#desk-files", big)
    office.when("!document.querySelector('[data-desk-send]').disabled")
    office.click("[data-desk-send]")
    office.when("!document.querySelector('[data-desk-notice]').hidden")
    page.wait_for_timeout(500)
    office.context.set_offline(False)
    office.when("document.querySelectorAll('[data-desk-body] .tone-success').length === 1", 60)
    page.unroute_all()
    portal = live.portal
    with portal.session(portal.world.scope) as session:
        stored = session.execute(
            sa.select(StoredFile.size).join(Delivery, Delivery.file_id == StoredFile.id)
        ).all()
    assert [row.size for row in stored] == [big.stat().st_size]
