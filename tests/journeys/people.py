"""People before a browser: each has a browser context, and whatever they open is examined."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Download,
    Page,
    Response,
    ViewportSize,
)
from playwright.sync_api import Error as PlaywrightError

from tests.factories.world import PASSWORD
from tests.journeys.live import Live

AXE = {"resultTypes": ["violations"], "elementRef": False}
REFUSED = "refused by the content policy:"
# Every refusal of the content policy is told to the console. Axe puts a style of its own into the
# player's shadow root, so what is refused while it runs is not the page's doing.
LISTEN = """
document.addEventListener('securitypolicyviolation', (event) => {
  if (window.__examining) return;
  const place = `${event.sourceFile}:${event.lineNumber}:${event.columnNumber}`;
  console.info(`REFUSED ${event.effectiveDirective} ${event.blockedURI} ${place}`);
});
""".replace("REFUSED", REFUSED)
WIDE: ViewportSize = {"width": 1440, "height": 900}
PATIENCE = 60
"""Seconds within which what was pressed must answer, on a machine under load."""
NARROW: ViewportSize = {"width": 390, "height": 844}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def expect_ok(answer: Response | None) -> None:
    """The page came, and is no error page."""
    assert answer is not None
    assert answer.status < 400, f"{answer.status} {answer.url}"


def examine(page: Page) -> list[str]:
    """What axe finds on the page, one line a violation."""
    page.evaluate("window.__examining = true")
    found = Axe().run(page, options=AXE)
    page.evaluate("setTimeout(() => { window.__examining = false; }, 50)")
    return [
        f"{page.url}: axe {one['id']}: "
        + "; ".join(f"{node['target']} {node['html'][:160]}" for node in one["nodes"][:3])
        for one in found.response["violations"]
    ]


def watched(context: BrowserContext, problems: list[str]) -> Page:
    """A page of the context; errors of scripts and refusals of the policy land in `problems`."""
    context.add_init_script(LISTEN)
    page = context.new_page()

    def hear(message: ConsoleMessage) -> None:
        if REFUSED in message.text:
            problems.append(f"{page.url}: {message.text}")

    def miss(answer: Response) -> None:
        if answer.status >= 400 and "/static/" in answer.url:
            problems.append(f"{page.url}: {answer.status} {answer.url}")

    page.on("console", hear)
    page.on("response", miss)
    page.on("pageerror", lambda error: problems.append(f"{page.url}: {error}"))
    return page


@dataclass
class Person:
    """Somebody with a browser: clicks, reads, downloads. `seen` are the pages looked at."""

    live: Live
    browser: Browser
    email: str
    problems: list[str]
    seen: dict[str, tuple[str, str]]
    shots: Path | None = None
    context: BrowserContext = field(init=False)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        """Open a browser of their own."""
        self.context = self.browser.new_context(
            base_url=self.live.url, locale="zh-CN", viewport=WIDE, timezone_id="Asia/Shanghai"
        )
        self.context.set_default_timeout(PATIENCE * 1_000)
        self.page = watched(self.context, self.problems)

    def sign_in(self) -> Person:
        """Begin a new session: sign in by the form."""
        self.context.clear_cookies(name="portal")
        self.page.goto("/sign-in")
        self.fill_sign_in()
        return self

    def fill_sign_in(self) -> None:
        """Type address and password into the form on the page."""
        self.page.fill("#email", self.email)
        self.page.fill("#password", PASSWORD)
        self.press("form[action$='/sign-in'] button")

    def open(self, path: str, name: str = "") -> None:
        """Go to an address; with `name`, look at what is there."""
        expect_ok(self.page.goto(path))
        if name:
            self.look(name)

    def press(self, selector: str) -> None:
        """Press what leads to another page, and wait for that page."""
        with self.page.expect_navigation():
            self.page.locator(selector).first.click()

    def click(self, selector: str) -> None:
        """Press something that stays on the page."""
        self.page.locator(selector).first.click()

    def confirm(self, action: str) -> None:
        """Open a confirmation whose form posts to an address that ends so, and say yes."""
        box = self.page.locator(f"details.confirm:has(form[action$='{action}'])").first
        box.locator("summary").click()
        with self.page.expect_navigation():
            box.locator("form button:not([type=button])").click()

    def until(self, selector: str, seconds: float = PATIENCE) -> None:
        """Wait until something is on the page, by itself or after a reload of its own."""
        self.page.locator(selector).first.wait_for(state="visible", timeout=seconds * 1000)

    def when(self, script: str, seconds: float = PATIENCE) -> None:
        """Wait until an expression is true. (Playwright's own way evaluates text inside the page,
        which the content policy refuses.)"""
        for _ in range(int(seconds * 5)):
            try:
                if self.page.evaluate(script):
                    return
            except PlaywrightError as error:
                if "context was destroyed" not in error.message:  # the page is loading anew
                    raise
            self.page.wait_for_timeout(200)
        raise AssertionError(f"never true at {self.page.url}: {script}")

    def reload_until(self, selector: str, tries: int = 60) -> None:
        """Reload until something is on the page: what a job makes, people come back for."""
        for _ in range(tries):
            if self.page.locator(selector).count():
                return
            self.page.wait_for_timeout(300)
            try:
                expect_ok(self.page.reload())
            except PlaywrightError as error:
                if "ERR_ABORTED" not in error.message:  # the page was reloading itself
                    raise
        raise AssertionError(f"{selector} never came at {self.page.url}")

    def download(self, selector: str) -> bytes:
        """Press a link that downloads, and return the file."""
        with self.page.expect_download() as waiting:
            self.page.locator(selector).first.click()
        got: Download = waiting.value
        path = got.path()
        return Path(path).read_bytes()

    def status_of(self, path: str) -> int:
        """The status that this person gets at an address, in the own session."""
        return self.context.request.get(self.live.url + path, max_redirects=0).status

    def source(self, path: str) -> str:
        """The page at an address as the server sends it to this person."""
        return self.context.request.get(self.live.url + path).text()

    def text(self) -> str:
        """What stands on the page."""
        return self.page.locator("main").inner_text()

    def in_sight(self, selector: str) -> bool:
        """Whether something lies in the part of the page that the screen shows."""
        box = self.page.locator(selector).first.bounding_box()
        height = self.page.evaluate("window.innerHeight")
        return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= height

    def path(self) -> str:
        """The address of the page without the host."""
        return self.page.url.removeprefix(self.live.url)

    def look(self, name: str) -> None:
        """Examine the page: no refusal of the policy, no error, nothing that axe objects to."""
        self.page.wait_for_load_state("load")
        self.problems += examine(self.page)
        self.seen[name] = (self.email, self.path().split("#")[0])
        if self.shots:
            self.page.screenshot(path=self.shots / f"{name}.png", full_page=True)


Newcomer = Callable[[str], Person]


def kept_state(person: Person) -> dict[str, Any]:
    """The cookies of a person, to open the same session in another browser."""
    state: dict[str, Any] = json.loads(json.dumps(person.context.storage_state()))
    return state


def shape(path: str) -> str:
    """An address with its ids left out: pages of one kind have one shape."""
    return _ID.sub("<id>", path.split("?", maxsplit=1)[0])
