"""What goes wrong at a desk: a second click, a stale form, a lost session, a lost connection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.files.models import StoredFile
from portal.kernel.access import Role
from portal.materials.models import Delivery, RequestItem
from tests.factories.materials import add_request
from tests.factories.world import PASSWORD
from tests.journeys import papers
from tests.journeys.live import Live
from tests.journeys.people import Person

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("nothing_wrong")]
People = Callable[[str], Person]


@pytest.fixture(scope="module")
def request_path(live: Live) -> str:
    """A material request of the first vendor for three cases; returns its address."""
    portal = live.portal
    with portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, portal.world.vendors[0])
        return f"/requests/{made.id}"


def test_a_double_click_is_one_import(live: Live, person: People, tmp_path: Path) -> None:
    """The button pressed twice, and the same form sent twice by two requests: one import each."""
    manager = person(live.portal.world.email(Role.VENDOR_MANAGER))
    page = manager.page
    manager.open("/cases/imports/")
    page.set_input_files("#file", papers.cases_file(tmp_path, live.portal.world))
    page.locator("form[action$='/cases/imports/'] button").dblclick()
    manager.until("form[action$='/take'] button")
    action = page.locator("form[action$='/take']").get_attribute("action") or ""
    fields: dict[str, str | float | bool] = {
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


LIST = (
    "文件名,案件编号\n甲/录音.wav,HC-00031\n乙\\录音.wav,HC-00032\n"
    "HC-00033/通话.wav,HC-00033\n别处.wav,HC-00031\n"
)
COUNT = "[...document.querySelectorAll('[data-desk-body] [data-status={}]')].length"


def folder_of(tmp_path: Path) -> Path:
    """A day's folder as people keep it: the same name in two folders, a list that tells them apart,
    a slip in a case number, a file that the list and its folder put to different cases."""
    folder = tmp_path / "上交"
    for at, name in enumerate(
        (
            "甲/录音.wav",
            "乙/录音.wav",
            "HC-00033/通话.wav",
            "HC-O0034_催收录音.wav",
            "HC-00035/别处.wav",
            "会议.wav",
        )
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        papers.recording(folder / name, 3 + at)
    (folder / "录音清单.csv").write_bytes(LIST.encode("gb18030"))
    return folder


@pytest.fixture(scope="module")
def office(live: Live, person: People) -> Person:
    """Office staff at the desk of a request for five cases, HC-00031 to HC-00035."""
    portal = live.portal
    with portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, portal.world.vendors[0], cases=5, first=31)
        path = f"/requests/{made.id}"
    came = person(portal.world.vendors[0].email(Role.OFFICE))
    came.open(path)
    return came


def test_a_folder_is_sorted_out_and_known_again(live: Live, office: Person, tmp_path: Path) -> None:
    """UX 5: lists go by folders; guesses are confirmed; one kind at a time is looked at; what
    was sent is known again when the folder is dropped once more, whoever put it where."""
    page, folder = office.page, folder_of(tmp_path)
    page.set_input_files("#desk-folder", folder)
    office.when(f"{COUNT.format('matched')} === 3 && {COUNT.format('unmatched')} === 3")
    page.locator("[data-only=unmatched]").focus()
    page.keyboard.press("Enter")
    office.when("document.querySelectorAll('[data-desk-body] tr:not([hidden])').length === 3")
    assert page.evaluate("document.activeElement.dataset.only") == "unmatched"
    office.look("desk-filtered")
    page.locator("[data-only=unmatched]").click()
    assert page.locator("[data-desk-accept-all]").inner_text().count("2") == 1
    page.click("[data-desk-accept-all]")
    office.when("document.querySelector('[data-desk-send]').innerText.includes('5')")
    row = page.locator("[data-desk-body] tr", has_text="会议.wav")
    row.scroll_into_view_if_needed()
    row.locator("select").focus()
    row.locator("select").select_option(index=2)
    page.click("[data-desk-send]")
    office.when(f"{COUNT.format('done')} === 6", 60)
    office.until("[data-desk-next] a[href='#hand-in']")
    portal = live.portal
    with portal.session(portal.world.scope) as session:
        rows = session.execute(
            sa.select(RequestItem.case_no, StoredFile.size)
            .join(Delivery, Delivery.item_id == RequestItem.id)
            .join(StoredFile, StoredFile.id == Delivery.file_id)
            .where(Delivery.request_id == office.path().split("/")[2].split("#")[0])
        )
        where = {size: number for number, size in rows}
    by_path = {
        str(file.relative_to(folder)): where[file.stat().st_size] for file in folder.rglob("*.wav")
    }
    assert by_path.pop("会议.wav")
    assert by_path == {
        "甲/录音.wav": "HC-00031",
        "乙/录音.wav": "HC-00032",
        "HC-00033/通话.wav": "HC-00033",
        "HC-O0034_催收录音.wav": "HC-00034",
        "HC-00035/别处.wav": "HC-00031",
    }
    page.reload()
    page.set_input_files("#desk-folder", folder)
    office.when(f"{COUNT.format('duplicate')} === 6")
    assert page.locator("[data-desk-send]").is_disabled()


def test_what_is_in_hand_stays(office: Person, tmp_path: Path) -> None:
    """The items are read anew while checks run: panels stay open, with the new figures, ticks and
    focus stay, and a chosen file holds the list until it is sent or given up."""
    page = office.page
    again = "document.body.dispatchEvent(new CustomEvent('materials-changed'))"
    mark = "document.querySelector('#items').dataset.mark = 'old'"
    fresh = "!document.querySelector('#items').dataset.mark"
    page.reload()
    page.locator("[data-tick-all]").click()
    ticked = page.locator("#items input[name=item]:checked")
    count = ticked.count()
    assert count > 1
    assert page.locator(".tick-bar [data-count]").inner_text() == str(count)
    page.locator("#hand-in summary").click()
    ticked.first.focus()
    for script in (mark, again):
        page.evaluate(script)
    office.when(fresh)
    assert page.evaluate("document.activeElement.name") == "item"
    assert page.locator("#items input[name=item]:checked").count() == count
    assert page.locator("#hand-in details[open] form").is_visible()
    office.look("request-in-hand")
    page.keyboard.press("Escape")
    page.locator("#items details.confirm summary").first.click()
    chosen = page.locator("#items details[open] input[type=file]")
    chosen.set_input_files(papers.recording(tmp_path / "新.wav", 2))
    for script in (mark, again):
        page.evaluate(script)
    page.wait_for_timeout(1_000)
    assert not page.evaluate(fresh)
    assert page.evaluate("document.querySelector('#items details[open] input').form.action")
    chosen.set_input_files([])
    office.when(fresh)
    assert page.locator("#items details.confirm[open]").count() == 1
