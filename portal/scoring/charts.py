"""The trend of scores as a picture with its table, for pages and papers alike."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from portal.kernel.charts import Band, Point, line_chart
from portal.kernel.phrases import phrase
from portal.scoring.queries import TrendPoint
from portal.scoring.scheme import Scheme

_TONES = "abcd"
_LOWEST = 60


def trend_chart(points: Sequence[TrendPoint], scheme: Scheme) -> Markup:
    """The totals by month over the scheme's grades; the axis starts lower when a total does."""
    low = min([_LOWEST, *(int(point.total) // 10 * 10 for point in points)])
    bands, top = [], 100.0
    for number, grade in enumerate(scheme.grades):
        start = max(float(grade.start), float(low))
        label = str(
            phrase("Grade %(grade)s · factor %(factor)s", grade=grade.grade, factor=grade.factor)
        )
        if top > start:
            bands.append(Band(start, top, label, _TONES[min(number, 3)]))
        top = start
    return line_chart(
        [Point(point.period, point.total) for point in points],
        title=str(phrase("Scores by month")),
        desc=str(phrase("The issued totals of the last months.")),
        ticks=list(range(low, 101, 10)),
        bands=bands,
    )


def trend_rows(points: Sequence[TrendPoint]) -> list[list[str]]:
    """The same as a table: month, total, grade."""
    return [[point.period, str(point.total), point.grade] for point in points]
