"""What templates lean on: filters in three languages, names of built files, and clean markup."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from portal.app import assets, filters
from portal.app.menu import ENTRIES
from portal.kernel import clock

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FRIDAY = datetime(2026, 11, 20, 2, 40, 5, tzinfo=UTC)


@pytest.fixture
def page() -> Iterator[None]:
    app = Flask("sample")
    Babel(app)
    with app.test_request_context(), clock.frozen(FRIDAY):
        yield


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize(
    ("locale", "full", "zone", "short", "last_year"),
    [
        ("zh_Hans_CN", "2026年11月20日 周五 10:40", "北京时间 2026年11月20日 周五 10:40",
         "11-20 10:40", "2025-12-31 23:05"),
        ("zh_Hant_TW", "2026年11月20日 週五 10:40", "北京時間 2026年11月20日 週五 10:40",
         "11-20 10:40", "2025-12-31 23:05"),
        ("en", "Fri 20 Nov 2026 10:40", "Fri 20 Nov 2026 10:40 Beijing time",
         "20 Nov 10:40", "31 Dec 2025 23:05"),
    ],
)  # fmt: skip
def test_times_are_beijing_times_in_the_readers_words(
    locale: str, full: str, zone: str, short: str, last_year: str
) -> None:
    with force_locale(locale):
        assert filters.dt(FRIDAY) == full
        assert filters.dt(FRIDAY, "zone") == zone
        assert filters.dt(FRIDAY, "short") == short
        assert filters.dt(datetime(2025, 12, 31, 15, 5, tzinfo=UTC), "short") == last_year


@pytest.mark.usefixtures("page")
def test_a_moment_late_in_the_utc_day_is_the_next_day_in_beijing() -> None:
    with force_locale("zh_Hans_CN"):
        assert filters.day(datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == "2026年11月21日"
        assert filters.day(date(2026, 11, 20), "weekday") == "2026年11月20日 周五"
        assert filters.dt(FRIDAY, "seconds").endswith("10:40:05")
    assert filters.iso(FRIDAY) == "2026-11-20T10:40:05+08:00"


def test_figures_are_written_like_a_statement_writes_them() -> None:
    assert filters.money(Decimal("57000.005")) == "¥57,000.01"
    assert filters.money(Decimal("-2500")) == "−¥2,500.00"
    assert filters.money(Decimal("-0.001")) == "¥0.00"
    assert filters.percent(Decimal("0.9534")) == "95.3%"
    assert filters.filesize(1023) == "1023 B"
    assert filters.filesize(200 * 1024 * 1024) == "200 MB"
    assert filters.filesize(5 * 1024**4) == "5120 GB"
    assert [filters.duration(s) for s in (7, 187, 3723)] == ["00:07", "03:07", "1:02:03"]
    assert {f(None) for f in (filters.money, filters.percent, filters.number)} == {"—"}


@pytest.mark.parametrize(
    ("locale", "tag"),
    [("zh_Hans_CN", "zh-Hans"), ("zh_Hant_TW", "zh-Hant"), ("zh_TW", "zh-Hant"),
     ("zh_HK", "zh-Hant"), ("zh", "zh-Hans"), ("en", "en"), ("en_GB", "en"), ("None", "None")],
)  # fmt: skip
def test_html_lang_tells_fonts_and_readers_which_chinese(locale: str, tag: str) -> None:
    assert assets.language_tag(locale) == tag


def test_a_built_file_is_found_by_its_plain_name_and_a_missing_one_says_what_to_do(
    tmp_path: Path,
) -> None:
    with pytest.raises(assets.AssetMissing, match="bin/build-front"):
        assets.load(tmp_path)("app.css")
    (tmp_path / "manifest.json").write_text(json.dumps({"app.css": "app-1a2b.css"}))
    asset = assets.load(tmp_path)
    assert asset("app.css") == "/static/app-1a2b.css"
    with pytest.raises(assets.AssetMissing, match=r"app\.js is not in"):
        asset("app.js")


def test_every_icon_of_the_menu_is_in_the_sprite() -> None:
    listed = (ROOT / "static/img/icons.txt").read_text("utf-8").split("\n")
    assert {entry.icon for entry in ENTRIES} <= set(listed)


@pytest.mark.parametrize(
    "template",
    [t for t in TEMPLATES if not {"notices", "emails"} & set(t.relative_to(ROOT).parts)],
    ids=lambda path: str(path.relative_to(ROOT / "templates")),
)
def test_no_template_needs_more_than_the_content_policy_gives(template: Path) -> None:
    markup = re.sub(r"\{#.*?#\}", "", template.read_text("utf-8"), flags=re.DOTALL)
    tags = re.sub(r"\{\{.*?\}\}|\{%.*?%\}", "", markup, flags=re.DOTALL)
    assert not re.search(r"<[^>]*\sstyle\s*=", tags), "style attribute"
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", tags), "inline handler"
    assert not re.search(r"<style\b", markup), "style element"
    assert not re.search(r"(?:href|src)\s*=\s*[\"'](?:https?:)?//", markup), "another site"
    for script in re.findall(r"<script\b[^>]*>", markup):
        data = 'type="application/json"' in script
        assert data or ("src=" in script and "nonce=" in script), script
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", markup, flags=re.DOTALL):
        sent = ("csrf_token", "hidden_tag", "csrf()", "hidden(")
        assert any(word in form for word in sent), form[:80]
