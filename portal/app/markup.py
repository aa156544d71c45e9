"""Icons and chips: pages hold them by the hundred, so they are made here and not by macros.

Templates import them from components/icon.html and components/status.html like any macro.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from flask import Flask
from markupsafe import Markup, escape

# The icon of a tone, where a chip names none of its own.
TONE_ICONS = {
    "danger": "alert-triangle",
    "warning": "clock-exclamation",
    "pending": "hourglass",
    "info": "circle-dashed",
    "success": "circle-check",
    "review": "file-search",
    "neutral": "circle-minus",
}


def icons(sprite: Callable[[], str]) -> Callable[..., Markup]:
    """`icon(name, label='', cls='')`: an icon of the sprite, whose address `sprite` tells.

    Without `label` it is decoration; with one it is an image of that name.
    """

    @lru_cache(maxsize=1024)
    def icon(name: str, label: str = "", cls: str = "") -> Markup:
        named = Markup('role="img" aria-label="{}"').format(label)
        return Markup(
            '<svg class="i{}" {} focusable="false"><use href="{}#{}"></use></svg>'
        ).format(
            f" {cls}" if cls else "",
            named if label else Markup('aria-hidden="true"'),
            sprite(),
            name,
        )

    return icon


def chips(icon: Callable[..., Markup]) -> Callable[..., Markup]:
    """`chip(label, tone='neutral', icon_name='')`: a state as icon and text."""

    @lru_cache(maxsize=1024)
    def head(tone: str, icon_name: str) -> Markup:
        return Markup('<span class="chip tone-{}">{}').format(tone, icon(icon_name))

    end = Markup("</span>")

    def chip(label: object, tone: str = "neutral", icon_name: str = "") -> Markup:
        return head(tone, icon_name or TONE_ICONS[tone]) + escape(label) + end

    return chip


def install(app: Flask, asset: Callable[[str], str]) -> None:
    """Give templates `svg_icon` and `ui_chip`, behind the names that the components export."""
    icon = icons(lambda: asset("icons.svg"))
    app.jinja_env.globals.update(svg_icon=icon, ui_chip=chips(icon), tone_icons=TONE_ICONS)
