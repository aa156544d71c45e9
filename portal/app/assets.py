"""Built front-end files by their plain names, and what templates need besides.

`bin/build-front` writes static/dist: files with a hash of their content in the name (cached for
ever) and `manifest.json`, which this module reads once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from flask import Flask
from flask_babel import get_locale

from portal.app import markup

DIST = Path(__file__).resolve().parents[2] / "static" / "dist"
PREFIX = "/static/"

# No eval, no inline style, no debtor's data in browser storage, no other sites; 422 is a form
# with its errors, so it is swapped in like any page.
HTMX_CONFIG = json.dumps(
    {
        "allowEval": False,
        "allowScriptTags": False,
        "includeIndicatorStyles": False,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
        "selfRequestsOnly": True,
        # Not "style": setting that attribute is an inline style, which the policy refuses.
        "attributesToSettle": ["class", "width", "height"],
        "timeout": 60_000,
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "422", "swap": True},
            {"code": "[45]..", "swap": False, "error": True},
        ],
    },
    separators=(",", ":"),
)


class AssetMissing(LookupError):
    """A template asks for a file that the front-end build did not make."""


@lru_cache(maxsize=64)
def language_tag(locale: object) -> str:
    """BCP 47 for `<html lang>`: zh-Hans, zh-Hant, en. Fonts and readers go by it."""
    code = str(locale)
    if code.startswith("zh"):
        return "zh-Hant" if "Hant" in code or code.endswith(("_TW", "_HK", "_MO")) else "zh-Hans"
    return code.split("_", 1)[0] or "en"


def html_lang() -> str:
    """The language of the page being rendered."""
    return language_tag(get_locale())


def load(dist: Path = DIST) -> Callable[[str], str]:
    """The look-up `asset(name)` -> address, from the manifest in `dist`.

    Without a build every look-up raises `AssetMissing` and says what to run, so that commands
    and jobs, which need no front end, start without one.
    """
    manifest = dist / "manifest.json"
    names: dict[str, str] = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}

    def asset(name: str) -> str:
        try:
            return PREFIX + names[name]
        except KeyError:
            hint = "is not in the front-end build" if names else "is not built: run bin/build-front"
            raise AssetMissing(f"{name} {hint}") from None

    return asset


def install(app: Flask, dist: Path = DIST) -> None:
    """Give templates `asset(name)`, `html_lang()`, `htmx_config`, icons and chips."""
    asset = load(dist)
    app.jinja_env.globals.update(asset=asset, html_lang=html_lang, htmx_config=HTMX_CONFIG)
    app.jinja_env.filters["language_tag"] = language_tag
    markup.install(app, asset)
