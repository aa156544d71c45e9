"""Charts as SVG, by one function for page and paper alike (UX: charts).

Pure: numbers and words in, `Markup` out. Colours and fonts are presentation attributes, because
WeasyPrint reads no page CSS inside SVG; each shape also has a class (`c-line`, `c-band-a` …), so
that static/css/_charts.scss can recolour it for the dark page. The numbers themselves belong in a
table beside the chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise

from markupsafe import Markup

Number = Decimal | int | float

FONT = "Noto Sans SC, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
FONT_TRADITIONAL = "Noto Sans TC, Noto Sans CJK TC, PingFang TC, Microsoft JhengHei, sans-serif"

_BLUE, _INK, _GREY, _RULE, _TRACK = "#0052d9", "#182030", "#566176", "#dfe4ec", "#e4e8ef"
_BANDS = {"a": "#e6f6ec", "b": "#fff7e3", "c": "#ffeedd", "d": "#ffeceb"}


@dataclass(frozen=True, slots=True)
class Band:
    """A stripe behind a line: half-open [low, high) on the value axis, with its words.

    `tone` is a, b, c or d: best to worst.
    """

    low: Number
    high: Number
    label: str
    tone: str


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a line; None leaves a gap (nothing was measured)."""

    label: str
    value: Number | None


# A stretch of the line: x, y and the point drawn there.
_Run = list[tuple[float, float, Point]]


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar: its name, its value, and how the value is written."""

    label: str
    value: Number | None
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Plane:
    """The drawing area of a line chart and its scales, in SVG units."""

    left: float
    top: float
    right: float
    bottom: float
    low: float
    high: float
    count: int

    def x(self, index: int) -> float:
        if self.count == 1:
            return (self.left + self.right) / 2
        return self.left + (self.right - self.left) * index / (self.count - 1)

    def y(self, value: Number) -> float:
        inside = min(max(float(value), self.low), self.high)
        return self.bottom - (self.bottom - self.top) * (inside - self.low) / (self.high - self.low)


def _n(value: float) -> str:
    """A coordinate: two places, no trailing zeros, so that equal input gives equal bytes."""
    return f"{value:.2f}".rstrip("0").rstrip(".") or "0"


def _text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 12,
    anchor: str = "start",
    fill: str = _GREY,
    strong: bool = False,
) -> Markup:
    """Words at a place; those in ink (not grey) follow the page's text colour."""
    extra = Markup(' class="c-strong"') if fill == _INK else Markup("")
    if strong:
        extra += Markup(' font-weight="700"')
    return Markup(
        '<text x="{}" y="{}" font-size="{}" text-anchor="{}" fill="{}"{}>{}</text>'
    ).format(_n(x), _n(y), size, anchor, fill, extra, words)


def _svg(
    width: int, height: int, title: str, desc: str, font: str, body: Sequence[Markup]
) -> Markup:
    """The frame: named and described for screen readers, scaled by its box."""
    content = Markup("").join(body)
    kind = "chart chart-wide" if width > 500 else "chart"
    mark = "c" + sha256(f"{title}\0{desc}\0{content}".encode()).hexdigest()[:8]
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="{k}" viewBox="0 0 {w} {h}" '
        'width="{w}" height="{h}" role="img" aria-labelledby="{i}-t {i}-d" font-family="{f}">'
        '<title id="{i}-t">{t}</title><desc id="{i}-d">{d}</desc>{c}</svg>'
    ).format(k=kind, w=width, h=height, i=mark, f=font, t=title, d=desc, c=content)


def _bands(plane: _Plane, bands: Sequence[Band], runs: list[_Run]) -> list[Markup]:
    parts: list[Markup] = []
    for band in bands:
        top, bottom = plane.y(band.high), plane.y(band.low)
        if bottom - top <= 0:
            continue
        tone = band.tone if band.tone in _BANDS else "d"
        parts.append(
            Markup(
                '<rect class="c-band-{}" x="{}" y="{}" width="{}" height="{}" fill="{}"/>'
            ).format(
                tone,
                _n(plane.left),
                _n(top),
                _n(plane.right - plane.left),
                _n(bottom - top),
                _BANDS[tone],
            )
        )
        if bottom - top >= 16:
            parts.append(_band_label(plane, top, bottom, band.label, runs))
    return parts


def _band_label(plane: _Plane, top: float, bottom: float, words: str, runs: list[_Run]) -> Markup:
    """A band's words, in that corner of the band which is farthest from the line."""
    width = _width(words, 11)
    left, right = plane.left + 6, plane.right - 6 - width

    def room(corner: tuple[float, float]) -> float:
        x, y = corner
        crossed = _heights(runs, x - 8, x + width + 8)
        return min((abs(height - (y - 4)) for height in crossed), default=plane.bottom)

    corners = [(left, top + 14), (right, bottom - 6), (left, bottom - 6), (right, top + 14)]
    x, y = max(corners, key=room)
    return _text(x, y, words, size=11)


def _heights(runs: list[_Run], start: float, end: float) -> list[float]:
    """Where the line runs between two places: the y of its corners and of both ends."""
    found: list[float] = []
    for run in runs:
        found.extend(y for x, y, _point in run if start <= x <= end)
        for (x1, y1, _a), (x2, y2, _b) in pairwise(run):
            found.extend(y1 + (y2 - y1) * (x - x1) / (x2 - x1) for x in (start, end) if x1 < x < x2)
    if runs and start <= runs[-1][-1][0] <= end + 40:
        found.append(runs[-1][-1][1] - 16)  # the figure over the last point
    return found


def _axis(plane: _Plane, ticks: Sequence[Number]) -> list[Markup]:
    parts: list[Markup] = []
    for tick in ticks:
        y = plane.y(tick)
        parts.append(
            Markup(
                '<line class="c-grid" x1="{}" y1="{}" x2="{}" y2="{}" stroke="{}" '
                'stroke-width="1"/>'
            ).format(_n(plane.left), _n(y), _n(plane.right), _n(y), _RULE)
        )
        parts.append(_text(plane.left - 8, y + 4, f"{tick}", anchor="end"))
    return parts


def _labels(plane: _Plane, points: Sequence[Point], room: float) -> list[Markup]:
    """The labels under the line; every second or third one where they would touch."""
    widest = max((_width(point.label) for point in points), default=0.0)
    step = max(1, -int(-(widest + 8) // max(room, 1.0)))
    last = len(points) - 1
    return [
        _text(plane.x(index), plane.bottom + 20, point.label, anchor="middle")
        for index, point in enumerate(points)
        if (last - index) % step == 0
    ]


def _width(words: str, size: int = 12) -> float:
    """About how wide words are: CJK characters take the full size, others about half."""
    return sum(size if ord(letter) > 0x2E7F else size * 0.56 for letter in words)


def _runs(plane: _Plane, points: Sequence[Point]) -> list[_Run]:
    """Unbroken stretches of measured points, as coordinates."""
    runs: list[_Run] = [[]]
    for index, point in enumerate(points):
        if point.value is None:
            if runs[-1]:
                runs.append([])
        else:
            runs[-1].append((plane.x(index), plane.y(point.value), point))
    return [run for run in runs if run]


def _line(plane: _Plane, runs: list[_Run]) -> list[Markup]:
    parts: list[Markup] = []
    for run in runs:
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y, _point in run)
        if len(run) > 1:
            parts.append(
                Markup(
                    '<polyline class="c-line" points="{}" fill="none" stroke="{}" '
                    'stroke-width="2.5" stroke-linejoin="round" stroke-linecap="round"/>'
                ).format(path, _BLUE)
            )
        parts.extend(
            Markup(
                '<circle class="c-point" cx="{}" cy="{}" r="4" fill="#ffffff" stroke="{}" '
                'stroke-width="2"><title>{}</title></circle>'
            ).format(_n(x), _n(y), _BLUE, f"{point.label}: {point.value}")
            for x, y, point in run
        )
    if runs:
        x, y, point = runs[-1][-1]
        near_edge = x > plane.right - 20
        above = y - 12 if y - 12 > plane.top + 12 else y + 24
        anchor = "end" if near_edge else "middle"
        parts.append(
            _text(x, above, f"{point.value}", size=16, anchor=anchor, fill=_INK, strong=True)
        )
    return parts


def line_chart(
    points: Sequence[Point],
    *,
    title: str,
    desc: str,
    ticks: Sequence[Number],
    bands: Sequence[Band] = (),
    width: int = 760,
    height: int = 260,
    font: str = FONT,
) -> Markup:
    """A line over its bands (a score over the grades of its scheme).

    `ticks` are the values of the grid, ascending; the first and last are the ends of the axis, and
    a value outside is drawn at the end. The last value is written out. `title` and `desc` are read
    out by screen readers. Raises `ValueError` without two different ticks.
    """
    if len(ticks) < 2 or float(ticks[0]) >= float(ticks[-1]):
        raise ValueError("an axis needs two ticks, ascending")
    gutter = max(_width(f"{tick}") for tick in ticks) + 14
    overhang = _width(points[-1].label) / 2 + 2 if points else 0.0
    plane = _Plane(
        left=gutter,
        top=10,
        right=width - max(16.0, overhang),
        bottom=height - 30,
        low=float(ticks[0]),
        high=float(ticks[-1]),
        count=max(len(points), 1),
    )
    room = (plane.right - plane.left) / max(len(points) - 1, 1)
    runs = _runs(plane, points)
    body = [
        *_bands(plane, bands, runs),
        *_axis(plane, ticks),
        *_labels(plane, points, room),
        *_line(plane, runs),
    ]
    return _svg(width, height, title, desc, font, body)


def bar_chart(
    bars: Sequence[Bar],
    *,
    title: str,
    desc: str,
    highest: Number = 100,
    width: int = 380,
    font: str = FONT,
) -> Markup:
    """Horizontal bars from zero to `highest`, one a row, names on the left, figures on the right.

    A value of None is written as a dash with an empty bar. Raises `ValueError` when `highest` is
    not above zero.
    """
    if float(highest) <= 0:
        raise ValueError("the end of the scale must be above zero")
    names = max((_width(bar.label, 13) for bar in bars), default=0.0) + 16
    figures = max((_width(_figure(bar), 13) for bar in bars), default=0.0) + 12
    names = min(names, width * 0.45)
    room = max(width - names - figures, 20.0)
    row, body = 32, list[Markup]()
    for index, bar in enumerate(bars):
        middle = index * row + row / 2
        share = min(max(float(bar.value or 0) / float(highest), 0.0), 1.0)
        body.append(_text(0, middle + 5, bar.label, size=13, fill=_INK))
        body.append(_stripe("c-track", names, middle, room, _TRACK))
        if share:
            body.append(_stripe("c-bar", names, middle, room * share, _BLUE))
        body.append(
            _text(width, middle + 5, _figure(bar), size=13, anchor="end", fill=_INK, strong=True)
        )
    return _svg(width, max(len(bars), 1) * row, title, desc, font, body)


def _figure(bar: Bar) -> str:
    if bar.value is None:
        return "—"
    return bar.text or f"{bar.value}"


def _stripe(kind: str, x: float, middle: float, length: float, fill: str) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="8" rx="2" fill="{}"/>').format(
        kind, _n(x), _n(middle - 4), _n(length), fill
    )
