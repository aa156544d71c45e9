"""What every page keeps to in each language, light and dark, on a desk's screen and a phone's."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from playwright.sync_api import BrowserContext, Page

from portal.app.factory import ROOT
from tests.journeys.people import NARROW, WIDE, Person, examine, watched

LONG = 12
"""English of more letters than this, found word for word on a Chinese page, was not translated."""
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%")
LANGUAGES = {"zh_Hans_CN": "zh-Hans", "zh_Hant_TW": "zh-Hant", "en": "en"}
READ = """() => {
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  const said = [...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap(
    (one) => ['aria-label', 'title', 'placeholder'].map((name) => one.getAttribute(name) ?? ''));
  return {
    lang: document.documentElement.lang,
    h1: [...document.querySelectorAll('h1')].map((one) => one.innerText.trim()),
    title: document.title,
    twice: ids.filter((id, at) => ids.indexOf(id) !== at),
    wide: document.scrollingElement.scrollWidth - window.innerWidth,
    text: document.body.innerText + '\\n' + said.join('\\n'),
  };
}"""


@dataclass(frozen=True)
class Dress:
    """One way to show a page; `axe` where it is examined (the journey itself does it wide, light
    and in Simplified Chinese)."""

    locale: str
    theme: str
    narrow: bool
    axe: bool = True

    def __str__(self) -> str:
        return f"{self.locale} {self.theme} {390 if self.narrow else 1440}"


DRESSES = (
    Dress("zh_Hans_CN", "light", narrow=False, axe=False),
    Dress("zh_Hans_CN", "dark", narrow=True),
    Dress("en", "light", narrow=True),
    Dress("zh_Hant_TW", "dark", narrow=False),
)

OPEN = ("/sign-in", "/verify/not-a-code", "/no-such-page")
"""Pages for those who are not signed in; the last is the error page."""


@cache
def english() -> tuple[str, ...]:
    """The long pieces of English that Chinese pages must not hold."""
    path = ROOT / "portal" / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans_CN")
    pieces = {
        piece.strip()
        for message in catalogue
        if isinstance(message.id, str) and message.string != message.id
        for piece in _PLACEHOLDER.split(message.id)
        if sum(letter.isalpha() for letter in piece) > LONG
    }
    return tuple(sorted(pieces))


def dressed(person: Person, dress: Dress, problems: list[str]) -> Page:
    """The person's session in a browser that is set so."""
    context: BrowserContext = person.browser.new_context(
        base_url=person.live.url,
        viewport=NARROW if dress.narrow else WIDE,
        storage_state=person.context.storage_state(),
        locale="zh-CN",
    )
    context.add_cookies(
        [
            {"name": name, "value": value, "url": person.live.url}
            for name, value in (("locale", dress.locale), ("theme", dress.theme))
        ]
    )
    return watched(context, problems)


def faults_of(page: Page, dress: Dress) -> list[str]:
    """What is wrong with the page that is open, each a line."""
    page.wait_for_load_state("load")
    read: dict[str, Any] = page.evaluate(READ)
    found = []
    if read["lang"] != LANGUAGES[dress.locale]:
        found.append(f"its language is {read['lang']!r}")
    if len(read["h1"]) != 1 or read["h1"][0] != read["title"].split(" · ")[0].strip():
        found.append(f"heading {read['h1']} and title {read['title']!r} differ")
    if read["twice"]:
        found.append(f"ids stand twice: {read['twice']}")
    if dress.narrow and read["wide"] > 0:
        found.append(f"{read['wide']} px wider than the screen")
    if dress.locale != "en":
        left = [piece for piece in english() if piece in read["text"]]
        found += [f"not translated: {left}"] if left else []
    lines = [f"{dress}: {page.url}: {one}" for one in found]
    if dress.axe:
        lines += [f"{dress}: {one}" for one in examine(page)]
    return lines


def render(person: Person, paths: Sequence[str], dress: Dress, shots: Path | None) -> list[str]:
    """Open every address as the person, dressed so; return what is wrong."""
    problems: list[str] = []
    page = dressed(person, dress, problems)
    for at, path in enumerate(paths):
        answer = page.goto(path)
        if answer is None or answer.status >= 500:
            problems.append(f"{dress}: {path}: no page")
            continue
        problems += faults_of(page, dress)
        if shots:
            name = re.sub(r"[^a-z]+", "-", re.sub(r"[0-9a-f-]{30,}", "x", path)).strip("-")
            page.screenshot(
                path=shots / f"{dress}-{at:02}-{name or 'home'}.png".replace(" ", "-"),
                full_page=True,
            )
    page.context.close()
    return problems


def render_all(pages: Sequence[tuple[Person, Sequence[str]]], dress: Dress) -> list[str]:
    """What is wrong on the pages of all these people; pictures go where JOURNEY_SHOTS says."""
    folder = os.environ.get("JOURNEY_SHOTS")
    shots = Path(folder) if folder else None
    return [line for who, paths in pages for line in render(who, paths, dress, shots)]
