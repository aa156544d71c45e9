"""Fixed parts of templates are worked out once a language, and only what is fixed."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale
from jinja2 import DictLoader

from tests.conftest import Portal

PAGE = (
    "{% from 'components/icon.html' import icon %}"
    "{{ _('Cases') }}|{{ ngettext('%(count)s file', '%(count)s files', n, count=n) }}"
    "|{{ url_for('cases.index') }}"
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


def test_a_text_that_counts_has_the_form_of_its_number(app: Flask) -> None:
    said = {}
    for locale in ("en", "zh_Hans_CN", "zh_Hant_TW"):
        with app.test_request_context("/"), force_locale(locale):
            said[locale] = [render(app, n).split("|")[1] for n in (0, 1, "1", 2, "1,000", "<1>")]
    assert said["en"] == [
        "0 files", "1 file", "1 file", "2 files", "1,000 files", "&lt;1&gt; files",
    ]  # fmt: skip
    for locale, words in (("zh_Hans_CN", " 个文件"), ("zh_Hant_TW", " 個檔案")):
        counts = ("0", "1", "1", "2", "1,000", "&lt;1&gt;")
        assert said[locale] == [count + words for count in counts]
    text = "{{ ngettext('%(count)s file', '%(count)s files', n, count=n) }}"
    with app.test_request_context("/"), force_locale("en"):
        loose = app.jinja_env.from_string(text)
        assert [loose.render(n=n) for n in (1, 2)] == ["1 file", "2 files"], "unfolded the same"
