"""A score as frozen JSON, and back: what is stored at close is what every later page shows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.scoring.facts import Link
from portal.scoring.rules import DimensionScore, IndicatorScore, Line, Score


def freeze(score: Score) -> dict[str, Any]:
    """The score as JSON; numbers are text, so that no float ever holds them."""
    return {
        "total": _text(score.total),
        "before_cap": _text(score.before_cap),
        "grade": score.grade,
        "factor": str(score.factor),
        "placements": score.placements,
        "dimensions": [_freeze_dimension(each) for each in score.dimensions],
        "cap_lines": [_freeze_line(line) for line in score.cap_lines],
    }


def thaw(frozen: Mapping[str, Any]) -> Score:
    """The score that `freeze` made this of."""
    return Score(
        _number(frozen["total"]),
        _number(frozen["before_cap"]),
        frozen["grade"],
        Decimal(frozen["factor"]),
        frozen["placements"],
        tuple(_thaw_dimension(each) for each in frozen["dimensions"]),
        tuple(_thaw_line(line) for line in frozen["cap_lines"]),
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _head(part: DimensionScore | IndicatorScore) -> dict[str, Any]:
    return {
        "code": part.code,
        "title": part.title,
        "title_en": part.title_en,
        "nominal": str(part.nominal),
        "weight": str(part.weight),
        "points": _text(part.points),
    }


def _thaw_head(frozen: Mapping[str, Any]) -> tuple[str, str, str, Decimal, Decimal, Decimal | None]:
    return (
        frozen["code"],
        frozen["title"],
        frozen["title_en"],
        Decimal(frozen["nominal"]),
        Decimal(frozen["weight"]),
        _number(frozen["points"]),
    )


def _freeze_dimension(dimension: DimensionScore) -> dict[str, Any]:
    indicators = [
        _head(indicator) | {"lines": [_freeze_line(line) for line in indicator.lines]}
        for indicator in dimension.indicators
    ]
    return _head(dimension) | {"indicators": indicators}


def _thaw_dimension(frozen: Mapping[str, Any]) -> DimensionScore:
    indicators = tuple(
        IndicatorScore(*_thaw_head(each), tuple(_thaw_line(line) for line in each["lines"]))
        for each in frozen["indicators"]
    )
    return DimensionScore(*_thaw_head(frozen), indicators)


def _freeze_line(line: Line) -> dict[str, Any]:
    return {
        "lost": str(line.lost),
        "reason": line.reason,
        "params": dict(line.params),
        "subject": [line.link.subject_type, str(line.link.subject_id)],
    }


def _thaw_line(frozen: Mapping[str, Any]) -> Line:
    subject_type, subject_id = frozen["subject"]
    link = Link(subject_type, UUID(subject_id))
    return Line(Decimal(frozen["lost"]), frozen["reason"], frozen["params"], link)
