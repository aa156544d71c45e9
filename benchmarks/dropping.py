"""A folder dropped on the upload desk in a real Chromium, timed by the page's own clock.

The drop is a drag of the browser's own (the protocol of its developer tools), so that the page gets
entries of a folder and walks through them as it does for people.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.place import HOST

CHROMIUM = "/usr/bin/chromium"
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_WITHIN = 240.0
# Times go into the page's own clock; a state counts as shown in the frame after it was drawn.
_WATCH = """
window.__times = {};
addEventListener('drop', () => { __times.drop = performance.now(); }, true);
document.querySelector('[data-desk-send]').addEventListener('click', () => {
  __times.send = performance.now();
}, true);
window.__when = (state, count) => {
  const body = document.querySelector('[data-desk-body]');
  const look = () => {
    const rows = body.querySelectorAll(`:scope > [data-status=${state}]`).length;
    if (rows < count) return;
    clearInterval(timer);
    requestAnimationFrame(() => setTimeout(() => { __times[state] = performance.now(); }));
  };
  const timer = setInterval(look, 20);
};
"""


@contextmanager
def desk_page(port: int, path: str, cookies: dict[str, str]) -> Iterator[Page]:
    """The desk of a request in a browser of its own, signed in."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies(
            [
                {"name": name, "value": value, "domain": HOST, "path": "/"}
                for name, value in cookies.items()
            ]
        )
        page = context.new_page()
        page.goto(f"http://{HOST}:{port}{path}")
        page.locator("[data-desk-zone]").scroll_into_view_if_needed()
        page.evaluate(_WATCH)
        yield page
        browser.close()


def drop(page: Page, folder: Path) -> None:
    """Drag a folder onto the desk and let it go."""
    box = page.locator("[data-desk-zone]").bounding_box()
    assert box
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 12}
    data = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def drop_and_send(page: Page, folder: Path, count: int) -> tuple[float, float]:
    """Seconds from the drop until every file of the folder is shown as matched, and from the click
    on "send" until every one is shown as with the portal."""
    page.evaluate("([state, count]) => __when(state, count)", ["matched", count])
    drop(page, folder)
    _await(page, "matched")
    page.evaluate("([state, count]) => __when(state, count)", ["done", count])
    page.click("[data-desk-send]")
    _await(page, "done")
    times: dict[str, Any] = page.evaluate("__times")
    return (times["matched"] - times["drop"]) / 1000, (times["done"] - times["send"]) / 1000


def _await(page: Page, name: str) -> None:
    deadline = time.monotonic() + _WITHIN
    while not page.evaluate("(name) => __times[name]", name):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the desk never showed all files as {name}")
        page.wait_for_timeout(200)
