"""Kept parts of templates: drawn once for their values, never for another house or person."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask, g
from flask_babel import force_locale
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader
from markupsafe import Markup, escape

from portal.app import keeping
from portal.app.folding import shown
from portal.app.keeping import KeptTooMuch, Parts
from portal.identity.service import Signed
from portal.kernel.access import Actor, Role
from tests.conftest import Portal

PAGE = (
    "{% macro twice(text) %}{{ text }}{{ text }}{% endmacro %}"
    "{{ n }}|{% keep wanted, sort %}"
    "{{ _('Cases') }} {{ drawn(wanted) }} {{ twice(sort) }}"
    "{% endkeep %}"
)
OWN = "{% keep 1 %}<input name='key' value='{{ csrf_token() }}'>{% endkeep %}"


@contextmanager
def reading(portal: Portal, actor: Actor, locale: str = "en") -> Iterator[Flask]:
    env = portal.app.jinja_env
    loader = env.loader
    with portal.app.test_request_context("/"), force_locale(locale):
        g.signed, g.actor = Signed(actor, actor.account_id, "a house", "a@example.com"), actor
        env.loader = DictLoader({"page.html": PAGE, "own.html": OWN})
        try:
            yield portal.app
        finally:
            env.loader = loader


@pytest.fixture
def parts(portal: Portal) -> Parts:
    kept = portal.app.extensions["kept_parts"]
    assert isinstance(kept, Parts)
    kept.held.clear()
    kept.letters = 0
    return kept


def test_a_part_is_drawn_anew_for_other_values_languages_houses_and_roles(
    portal: Portal, parts: Parts
) -> None:
    made: list[Any] = []

    def drawn(value: Any) -> str:
        made.append(value)
        return f"<{len(made)}>"

    def page(actor: Actor, wanted: Any, sort: str = "&", locale: str = "en") -> str:
        with reading(portal, actor, locale) as app:
            template = app.jinja_env.get_template("page.html")
            return template.render(n=len(made), wanted=wanted, sort=sort, drawn=drawn)

    first, second = portal.world.vendors[:2]
    company_id = portal.world.company_id
    manager = first.actor(Role.MANAGER, company_id)
    wanted = {"project": ["a"]}
    assert page(manager, wanted) == "0|Cases &lt;1&gt; &amp;&amp;"
    assert page(manager, {"project": ["a"]}) == "1|Cases &lt;1&gt; &amp;&amp;", "only the rest anew"
    wanted["project"].append("b")
    assert "&lt;2&gt;" in page(manager, wanted), "what a value holds counts, not which object it is"
    assert "&lt;3&gt; ++" in page(manager, wanted, "+")
    assert page(manager, wanted, "+", "zh_Hans_CN") == "3|案件 &lt;4&gt; ++"
    assert "&lt;5&gt;" in page(second.actor(Role.MANAGER, company_id), wanted, "+")
    assert "&lt;6&gt;" in page(first.actor(Role.TEAM_LEADER, company_id), wanted, "+")
    assert "&lt;3&gt;" in page(manager, wanted, "+"), "and each is still there"


def test_a_token_in_a_kept_part_is_refused(portal: Portal, parts: Parts) -> None:
    actor = portal.world.actor(Role.AUDITOR)
    with reading(portal, actor) as app, pytest.raises(KeptTooMuch, match=r"own\.html:1"):
        app.jinja_env.get_template("own.html").render()
    assert parts.held == {}


def test_what_is_kept_has_an_end(
    portal: Portal, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "MOST_LETTERS", 100)
    with reading(portal, portal.world.actor(Role.AUDITOR)):
        for number in range(50):
            text = str(number) * 10
            assert parts.part("place", [number], lambda text=text: text) == text  # type: ignore[misc]
            assert sum(map(len, parts.held.values())) == parts.letters <= 100


@given(st.one_of(st.text(), st.integers(), st.none(), st.text().map(Markup), st.floats()))
def test_what_pages_show_is_what_escape_gives(value: object) -> None:
    assert shown(value) == str(escape(value))
