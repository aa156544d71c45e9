"""Fixed parts of templates are worked out once a language, and only what is fixed."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale
from jinja2 import DictLoader

from tests.conftest import Portal

PAGE = (
    "{% from 'components/icon.html' import icon %}"
    "{{ _('Cases') }}|{{ _('%(count)s files', count=n) }}|{{ url_for('cases.index') }}"
    "|{{ url_for('cases.index', q=n) }}|{{ icon('folder') }}|{{ asset('app.css') }}"
)


@pytest.fixture
def app(portal: Portal) -> Flask:
    return portal.app


def render(app: Flask, n: object) -> str:
    env = app.jinja_env
    loader = env.loader
    env.loader = DictLoader(
        {"page.html": PAGE, "components/icon.html": "{% set icon = svg_icon %}"}
    )
    try:
        return env.get_template("page.html").render(n=n)
    finally:
        env.loader = loader


def test_each_language_has_its_own_and_values_stay_values(app: Flask) -> None:
    with app.test_request_context("/"), force_locale("zh_Hans_CN"):
        first = render(app, "<2>")
    with app.test_request_context("/"), force_locale("en"):
        second = render(app, 3)
    with app.test_request_context("/"), force_locale("zh_Hans_CN"):
        third = render(app, 4)
    assert first.startswith("案件|&lt;2&gt; ") and second.startswith("Cases|3 files|/cases/|")
    assert third.startswith("案件|4 ") and "/cases/?q=4" in third
    assert '<use href="/static/icons' in third and "/static/app-" in third


def test_below_a_path_of_a_proxy_addresses_are_not_fixed(app: Flask) -> None:
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/a"}):
        assert "|/a/cases/|" in render(app, 1)
    with app.test_request_context("/", environ_overrides={"SCRIPT_NAME": "/b"}):
        assert "|/b/cases/|" in render(app, 1)
    with app.test_request_context("/"):
        assert "|/cases/|" in render(app, 1)
