"""The frame of pages is kept for all people of the same roles: nothing of one may stay in it."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from portal.app.frame import HOLES, Frames
from portal.kernel import clock
from portal.kernel.access import Role
from tests.conftest import Portal
from tests.factories.world import MOMENT
from tests.reading import without_ids

TOKEN = re.compile(r'name="csrf(?:-token|_token)" (?:content|value)="([^"]+)"')
NONCE = re.compile(r'nonce="([^"]+)"')


def frames(app: Flask) -> Frames:
    kept = app.extensions["frames"]
    assert isinstance(kept, Frames)
    return kept


def test_two_people_share_a_frame_and_each_sees_only_their_own(portal: Portal) -> None:
    vendors = portal.world.vendors[:2]
    readers = [portal.client(vendor.email(Role.MANAGER)) for vendor in vendors]
    frames(portal.app).kept.clear()
    pages = [reader.get("/cases/?q=%3Cb%3E%22").text for reader in readers]
    assert len(frames(portal.app).kept) == 1, "drawn for the first, filled for the second"
    for page, mine, other in zip(pages, vendors, reversed(vendors), strict=True):
        assert mine.short_name in page and other.short_name not in page
        assert str(mine.people[Role.MANAGER][0]) in page
        assert str(other.people[Role.MANAGER][0]) not in page
        assert "\x00" not in page
        assert 'value="/cases/?q=%3Cb%3E%22"' in page, "the way back, escaped"
    whole = [reader.get("/").get_data(as_text=True) for reader in readers]
    tokens = [set(TOKEN.findall(page)) for page in whole]
    nonces = [set(NONCE.findall(page)) for page in whole]
    for of_pages in (tokens, nonces):
        assert [len(found) for found in of_pages] == [1, 1] and of_pages[0] != of_pages[1]


@pytest.mark.parametrize("locale", ["zh_Hans_CN", "zh_Hant_TW", "en"])
def test_nothing_of_a_person_or_a_moment_is_kept(portal: Portal, locale: str) -> None:
    role = Role.AUDITOR
    reader = portal.client(portal.world.email(role))
    reader.set_cookie("locale", locale)
    page = reader.get("/").get_data(as_text=True)
    for drawn in frames(portal.app).kept.values():
        assert set(drawn[1::2]) == set(HOLES), "each value has its hole"
        kept = "".join(drawn[::2])
        personal = [
            portal.world.actor(role).name,
            str(portal.world.people[role]),
            portal.world.email(role),
            *TOKEN.findall(page),
            *NONCE.findall(page),
            "2026",
        ]
        assert [value for value in personal if value in kept] == []


def test_frames_differ_by_what_they_show(portal: Portal) -> None:
    """Another theme, entry, language or set of roles is another frame; a foreign cookie is none."""
    reader = portal.client(portal.world.email(Role.AUDITOR))
    kept = frames(portal.app).kept
    kept.clear()
    reader.get("/")
    for number, theme in enumerate(("dark", "light", "auto", "<b>", "")):
        reader.set_cookie("theme", theme)
        page = reader.get("/").text
        assert len(kept) == min(number + 2, 3)
        assert ('data-bs-theme="dark"' in page) == (theme == "dark")
    before = len(kept)
    assert 'href="/cases/" aria-current="page"' in reader.get("/cases/").text
    portal.client(portal.world.email(Role.FINANCE)).get("/")
    assert len(kept) == before + 2


def test_tests_read_pages_without_what_is_drawn_by_chance(portal: Portal) -> None:
    """Of the same things told twice only form tokens and nonces differ; tests never see those."""
    email = portal.world.email(Role.FINANCE)
    with clock.frozen(MOMENT):
        first, second = (portal.client(email).get("/receipts/?q=T2") for _ in range(2))
    assert first.data != second.data
    assert first.text == second.text
    assert 'name="csrf_token" value=""' in first.text and 'nonce="" defer' in first.text


def test_numbers_are_looked_for_apart_from_ids() -> None:
    """An id may hold "303", a hash too; a phone number is still seen."""
    text = "/requests/01a205f8-d1fb-7303-809d-fb2e1dc0bb65 app-1b199c2303.js 13800001234 第303条"
    assert without_ids(text) == "/requests/· app-·.js 13800001234 第303条"
