"""The upload desk in a browser, on the portal's disk and on an S3 store: folders, resuming, pauses.

The same journeys and the same script for both stores; only where the parts go differs.
"""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Route

from devserver.postgres import Cluster
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.kernel.access import Role
from portal.materials.models import Delivery, Upload
from tests.conftest import Template, running_portal
from tests.factories.materials import add_request
from tests.files import weed
from tests.journeys import papers
from tests.journeys.conftest import CHROMIUM, FLAGS
from tests.journeys.live import Live, serving
from tests.journeys.people import Person, expect_ok

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("nothing_wrong")]
People = Callable[[str], Person]
DONE = "document.querySelectorAll('[data-desk-body] [data-status=done]').length"


@pytest.fixture(scope="module", params=["local", "s3"])
def live(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    template: Template,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    """A portal that keeps files on its disk, and one that keeps them in SeaweedFS."""
    with ExitStack() as stack:
        changes = {}
        if request.param == "s3":
            changes = vars(stack.enter_context(weed.server()))
        folder = tmp_path_factory.mktemp("portal")
        portal = stack.enter_context(running_portal(cluster, template, folder, **changes))
        yield stack.enter_context(serving(portal))


@pytest.fixture
def desk(live: Live, person: People) -> Person:
    """Office staff of the first vendor at the desk of a new request for ten cases."""
    portal = live.portal
    with portal.session(portal.world.scope) as session:
        count = session.scalar(sa.text("select count(*) from cases")) or 0
        made = add_request(
            session, portal.world, portal.world.vendors[0], cases=10, first=int(count) + 1
        )
        path = f"/requests/{made.id}"
    office = person(portal.world.vendors[0].email(Role.OFFICE))
    office.open(path)
    return office


def numbers(person: Person) -> list[str]:
    """The case numbers of the request on the page."""
    found = person.page.locator("#items tbody th .tabular.nowrap").all_inner_texts()
    return sorted(set(found))


def is_part(method: str, url: str) -> bool:
    """Whether a request sends the bytes of a part, to either store."""
    parts = urlsplit(url)
    return method == "PUT" and ("/parts/" in parts.path or "partNumber" in parts.query)


def part_number(url: str) -> int:
    """Which part an address is for."""
    parts = urlsplit(url)
    if "/parts/" in parts.path:
        return int(parts.path.rsplit("/", 1)[-1])
    return int(parts.query.lower().partition("partnumber=")[2].partition("&")[0])


class Tap:
    """Sees every part that the page sends, and may hold or break some of them."""

    def __init__(self, page: Page, rule: Callable[[Route, int, int], bool] | None = None) -> None:
        """`rule(route, part, nth)` answers whether it dealt with the request itself."""
        self.numbers: list[int] = []
        self._rule = rule
        page.route(lambda url: "/parts/" in url or "artNumber=" in url, self._see)

    def _see(self, route: Route) -> None:
        if not is_part(route.request.method, route.request.url):
            route.continue_()
            return
        number = part_number(route.request.url)
        self.numbers.append(number)
        if self._rule is None or not self._rule(route, number, len(self.numbers)):
            route.continue_()


def until(person: Person, what: Callable[[], object], seconds: int = 60) -> None:
    """Wait until something is so, while the page goes on."""
    for _ in range(seconds * 10):
        if what():
            return
        person.page.wait_for_timeout(100)
    raise AssertionError(f"never so at {person.page.url}")


def whole_size(live: Live, url: str) -> int:
    """The size of the file whose part an address is for."""
    with live.portal.session(live.portal.world.scope) as session:
        known = session.execute(
            sa.select(Upload.storage_key, Upload.declared_size).where(
                Upload.storage_key.is_not(None)
            )
        ).all()
    return next(size for key, size in known if key and key in url)


def delivered(live: Live, person: Person) -> list[tuple[str, int]]:
    """(SHA-256, size) of what counts for the request on the page, once the checks have run."""
    request_id = person.path().split("/")[2].split("#", maxsplit=1)[0]
    statement = (
        sa.select(StoredFile.sha256, StoredFile.size)
        .join(Delivery, Delivery.file_id == StoredFile.id)
        .where(Delivery.request_id == request_id, Delivery.state == "current")
    )
    for _ in range(100):
        with live.portal.session(live.portal.world.scope) as session:
            rows = [(row.sha256, row.size) for row in session.execute(statement)]
        if all(sha for sha, _size in rows):
            return sorted(rows)
        person.page.wait_for_timeout(200)
    raise AssertionError("the files were never read")


def facts(*files: Path) -> list[tuple[str, int]]:
    return sorted(
        (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_size) for file in files
    )


def choose(person: Person, *files: Path) -> None:
    """Choose files and wait until each is matched."""
    person.page.set_input_files("#desk-files", list(files))
    person.when("!document.querySelector('[data-desk-send]').disabled")


def test_a_folder_is_sent_as_it_is(live: Live, desk: Person, tmp_path: Path) -> None:
    """UX 5: a whole folder with folders in it; matched before anything is sent; each file once."""
    made = []
    for at, number in enumerate(numbers(desk)):
        folder = tmp_path / "十一月" / f"第{at % 3}组"
        folder.mkdir(parents=True, exist_ok=True)
        made.append(papers.recording(folder / f"{number}_催收录音.wav", 3 + at))
    (tmp_path / "十一月" / ".DS_Store").write_bytes(b"junk")
    tap = Tap(desk.page)
    desk.page.set_input_files("#desk-folder", tmp_path / "十一月")
    desk.when("!document.querySelector('[data-desk-send]').disabled")
    assert not tap.numbers, "nothing is sent before somebody says so"
    desk.look("desk-matched")
    desk.click("[data-desk-send]")
    desk.when(f"{DONE} === {len(made)}", 60)
    desk.look("desk-done")
    assert tap.numbers == [1] * len(made)
    assert delivered(live, desk) == facts(*made)


def hold_in_mid_file(page: Page, file: Path, seconds: int = 60) -> None:
    """Choose a file and send it; part 3 never goes off."""
    held: list[Route] = []

    def hold(route: Route, number: int, _nth: int) -> bool:
        if number == 3:
            held.append(route)
        return number == 3

    Tap(page, hold)
    page.set_input_files("#desk-files", file)
    page.locator("[data-desk-send]:not([disabled])").wait_for()
    page.click("[data-desk-send]")
    for _ in range(seconds * 10):
        if held:
            return
        page.wait_for_timeout(100)
    raise AssertionError("part 3 never went off")


def goes_on(live: Live, desk: Person, big: Path) -> None:
    """Chosen again, a file of four parts lacks only what did not come."""
    desk.open(desk.path())
    desk.until("[data-desk-unfinished]")
    desk.look("desk-unfinished")
    tap = Tap(desk.page)
    choose(desk, big)
    desk.click("[data-desk-send]")
    desk.when(f"{DONE} === 1", 60)
    # Part 3 was under way when the browser went: the store may have got it, or not.
    assert {4} <= set(tap.numbers) <= {3, 4}
    assert delivered(live, desk) == facts(big)
    desk.open(desk.path())
    assert not desk.page.locator("[data-desk-unfinished]").count()


def test_a_closed_tab_goes_on(live: Live, desk: Person, tmp_path: Path) -> None:
    """The tab is closed in mid-file."""
    big = papers.recording(tmp_path / f"{numbers(desk)[0]}_催收录音.wav", 1_700)
    page = desk.context.new_page()
    expect_ok(page.goto(desk.path()))
    hold_in_mid_file(page, big)
    page.close()
    goes_on(live, desk, big)


def test_a_killed_browser_goes_on(live: Live, desk: Person, tmp_path: Path) -> None:
    """The whole browser is killed in mid-file, and says goodbye to nobody."""
    big = papers.recording(tmp_path / f"{numbers(desk)[0]}_催收录音.wav", 1_700)
    mark = f"--doomed={tmp_path.name}"
    doomed = desk.browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, mark])
    other = Person(live, doomed, desk.email, [], {})
    other.sign_in()
    other.open(desk.path())
    hold_in_mid_file(other.page, big)
    gone = kill_processes(mark)
    assert gone, "it runs with the mark"
    with pytest.raises(PlaywrightError):
        other.page.reload()
    goes_on(live, desk, big)


def test_a_tab_closed_at_the_end_goes_on(live: Live, desk: Person, tmp_path: Path) -> None:
    """All bytes have come, but not the word that they are all: nothing is sent a second time."""
    cases = numbers(desk)
    small = papers.recording(tmp_path / f"{cases[0]}_催收录音.wav", 4)
    big = papers.recording(tmp_path / f"{cases[1]}_催收录音.wav", 600)
    asked: set[str] = set()
    page = desk.context.new_page()
    expect_ok(page.goto(desk.path()))
    page.route(lambda url: "/uploads" in urlsplit(url).path, lambda route: unheard(route, asked))
    page.set_input_files("#desk-files", [small, big])
    page.locator("[data-desk-send]:not([disabled])").wait_for()
    page.click("[data-desk-send]")
    until(desk, lambda: len(asked) == 2)
    page.close()
    desk.open(desk.path())
    assert desk.page.locator("[data-upload]").count() == 2
    tap = Tap(desk.page)
    choose(desk, small, big)
    desk.click("[data-desk-send]")
    desk.when(f"{DONE} === 2", 20)
    assert not tap.numbers, "the store has all of it"
    desk.page.locator("[data-desk-unfinished]").wait_for(state="hidden")
    assert delivered(live, desk) == facts(small, big)


def unheard(route: Route, asked: set[str]) -> None:
    """Let the portal never hear that all of a file was sent, whoever says it: Uppy of a file of
    several parts, or the desk."""
    path = urlsplit(route.request.url).path
    if route.request.method == "POST" and path.rsplit("/", 2)[-2] == "uploads":
        asked.add(path)
        route.fulfill(status=503, body="{}")
    else:
        route.continue_()


def kill_processes(mark: str) -> int:
    """Kill -9 every process with `mark` among its arguments; how many."""
    killed = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark in (entry / "cmdline").read_text().split("\0"):
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
    return killed


def test_a_lost_network_goes_on(live: Live, desk: Person, tmp_path: Path) -> None:
    """The network goes in mid-file and comes back: it goes on by itself, from where it was."""
    big = papers.recording(tmp_path / f"{numbers(desk)[0]}_催收录音.wav", 1_700)
    state = {"cut": False}

    def cut(route: Route, number: int, _nth: int) -> bool:
        if number == 2 and not state["cut"]:
            state["cut"] = True
            desk.context.set_offline(True)
            route.abort("internetdisconnected")
            return True
        return False

    tap = Tap(desk.page, cut)
    choose(desk, big)
    desk.click("[data-desk-send]")
    desk.when("!document.querySelector('[data-desk-notice]').hidden")
    desk.page.wait_for_timeout(500)
    assert state["cut"]
    desk.context.set_offline(False)
    desk.when(f"{DONE} === 1", 90)
    desk.page.unroute_all()
    assert tap.numbers.count(1) == 1, "what had arrived was not sent again"
    assert delivered(live, desk) == facts(big)


def test_pause_cancel_and_retry(live: Live, desk: Person, tmp_path: Path) -> None:
    """Paused, nothing is sent; cancelled, nothing is kept; failed, only that one is sent again."""
    cases = numbers(desk)
    files = [
        papers.recording(tmp_path / f"{number}_催收录音.wav", 4 + at)
        for at, number in enumerate(cases[:6])
    ]
    big = papers.recording(tmp_path / f"{cases[6]}_催收录音.wav", 1_700)
    held: list[Route] = []
    broken: list[str] = []

    def rule(route: Route, number: int, _nth: int) -> bool:
        if not broken and whole_size(live, route.request.url) < big.stat().st_size:
            broken.append(route.request.url)
            route.fulfill(status=400, body='{"error": "x", "code": "length"}')
            return True
        if number == 2 and not held:
            held.append(route)
            return True
        return False

    tap = Tap(desk.page, rule)
    choose(desk, *files, big)
    desk.click("[data-desk-send]")
    until(desk, lambda: held)
    desk.click("[data-desk-pause]")
    desk.when("!document.querySelector('[data-desk-resume]').hidden")
    desk.look("desk-paused")
    # What was sent before the pause has been seen once a later request of the page was answered.
    assert desk.page.evaluate("fetch(location.href).then((answer) => answer.status)") == 200
    before = len(tap.numbers)
    desk.page.wait_for_timeout(700)
    assert len(tap.numbers) == before, "paused, nothing is sent"
    row = desk.page.locator("[data-desk-body] tr", has_text=big.name)
    row.locator("[data-remove]").click()
    desk.click("[data-desk-resume]") if desk.page.locator(
        "[data-desk-resume]"
    ).is_visible() else None
    desk.when(f"{DONE} === 5", 60)
    failed = desk.page.locator("[data-desk-body] [data-status=failed]")
    assert failed.count() == 1
    desk.look("desk-failed")
    before = len(tap.numbers)
    failed.locator("[data-retry]").click()
    desk.when(f"{DONE} === 6", 60)
    assert len(tap.numbers) == before + 1, "only what failed is sent again"
    desk.page.unroute_all()
    assert delivered(live, desk) == facts(*files)
    with live.portal.session(live.portal.world.scope) as session:
        given_up = session.scalars(
            sa.select(Upload.storage_key).where(Upload.state == "abandoned")
        ).all()
        assert len(given_up) == 1
    assert not {one.key for one in storage().unfinished()} & set(given_up)
