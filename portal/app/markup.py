"""Icons and chips: pages hold them by the hundred, so they are made here and not by macros.

Templates import them from components/icon.html and components/status.html like any macro.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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


_CELL = "\x1f"


def rows(
    pattern: Markup, lines: Sequence[Sequence[str]], trusted: Mapping[int, Mapping[str, Markup]]
) -> Markup:
    """Every line of `lines` put into `pattern`, whose `%s` are the cells in order.

    All cells are escaped at once, and all lines joined at once: one by one, a page of fifty rows
    costs more than its query. `trusted` maps a column to what its values stand for (a state: its
    chip), which is markup already. Control characters that separate cells here become spaces.
    Every line has as many cells as the pattern has places (`ValueError`).
    """
    if not lines:
        return Markup()
    count, width = len(lines), len(lines[0])
    joined = _CELL.join(map(_CELL.join, lines))
    if joined.count(_CELL) != count * width - 1:
        clean = [[cell.replace(_CELL, " ") for cell in line] for line in lines]
        joined = _CELL.join(map(_CELL.join, clean))
    cells = str(escape(joined)).split(_CELL)
    first, *between, last = str(pattern).split("%s")
    if len(between) != width - 1 or len(cells) != count * width:
        raise ValueError(f"lines of {width} cells do not fit a pattern of {len(between) + 1}")
    for column, known in trusted.items():
        at = column % width
        cells[at::width] = [known[cell] for cell in cells[at::width]]
    made = [""] * (2 * len(cells) + 1)
    made[::2] = [*([first, *between] + [last + first, *between] * (count - 1)), last]
    made[1::2] = cells
    return Markup("".join(made))  # noqa: S704 - the pattern is a template's, the cells are escaped


def options(pairs: Iterable[tuple[object, object]], chosen: object = None) -> Markup:
    """`<option>`s of (value, text) pairs, the one whose value is `chosen` selected.

    A company's list offers hundreds of vendors, so they are drawn once for each set (a tuple is
    taken as it is).
    """
    if not isinstance(pairs, tuple):
        pairs = tuple((str(value), str(text)) for value, text in pairs)
    return _options(pairs, None if chosen is None else str(chosen))


@lru_cache(maxsize=512)
def _options(pairs: tuple[tuple[object, object], ...], chosen: str | None) -> Markup:
    one = Markup('<option value="{}"{}>{}</option>')
    selected, plain = Markup(" selected"), Markup("")
    return Markup("").join(
        one.format(value, selected if str(value) == chosen else plain, text)
        for value, text in pairs
    )


def install(app: Flask, asset: Callable[[str], str]) -> None:
    """Give templates `svg_icon` and `ui_chip`, behind the names that the components export."""
    icon = icons(lambda: asset("icons.svg"))
    app.jinja_env.globals.update(
        svg_icon=icon, ui_chip=chips(icon), ui_rows=rows, ui_options=options, tone_icons=TONE_ICONS
    )
