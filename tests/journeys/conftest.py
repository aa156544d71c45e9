"""One running portal and one browser for the journeys of a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from devserver.postgres import Cluster
from portal.files import sandbox
from tests.conftest import Template, running_portal
from tests.journeys.live import Live, serving
from tests.journeys.people import Person, shape

CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Chromium's engine alone. The whole browser draws a window, which nobody looks at, too."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, which has no window. Of one file: while it is held, an event loop runs in
    this thread, in which nothing else could run one of its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()
    sandbox.stop()


@pytest.fixture(scope="module")
def live(
    cluster: Cluster, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """A portal with a worker, on a database of its own, on Tuesday 3 November 2026, 10:00."""
    with (
        running_portal(
            cluster, template, tmp_path_factory.mktemp("portal"), signed_seconds=30
        ) as portal,
        serving(portal) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def problems() -> list[str]:
    """What was wrong on the pages of this file's journeys."""
    return []


@pytest.fixture(scope="module")
def seen() -> dict[str, tuple[str, str]]:
    """The pages looked at: name → (who, address)."""
    return {}


@pytest.fixture(scope="module")
def person(
    live: Live, chromium: Browser, problems: list[str], seen: dict[str, tuple[str, str]]
) -> Iterator[Callable[[str], Person]]:
    """Who has this address, signed in with a browser of their own."""
    folder = os.environ.get("JOURNEY_SHOTS")
    shots = Path(folder) if folder else None
    known: dict[str, Person] = {}

    def come(email: str) -> Person:
        if email not in known:
            known[email] = Person(live, chromium, email, problems, seen, shots)
            known[email].sign_in()
        return known[email]

    yield come
    for one in known.values():
        one.context.close()


@pytest.fixture(scope="module")
def pages(
    live: Live, person: Callable[[str], Person], seen: dict[str, tuple[str, str]]
) -> list[tuple[Person, list[str]]]:
    """Each kind of page that the month went through, once for the company and once for vendors;
    the home page of everybody who saw theirs, for each is another."""
    kinds: dict[tuple[str, str], tuple[str, str]] = {}
    for email, path in seen.values():
        side = "company" if email.endswith("@company.example.com") else "vendor"
        kinds[email if path == "/" else side, shape(path)] = (email, path)
    by_person: dict[str, list[str]] = {}
    for email, path in kinds.values():
        by_person.setdefault(email, []).append(path)
    return [(person(email).sign_in(), paths) for email, paths in by_person.items()]


@pytest.fixture
def nothing_wrong(live: Live, problems: list[str]) -> Iterator[None]:
    """A step ends with nothing wrong on its pages, in the log or against the content policy."""
    yield
    found = [*problems, *live.faults.errors, *live.faults.policy]
    problems.clear()
    live.faults.errors.clear()
    live.faults.policy.clear()
    assert not found, "\n".join(found)
