"""Figures beside their limits: a table for people, JSON for machines."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measured value. `at_least`: the limit is a floor; without a limit it is for comparison.
    `note` says what the value is made of; `compared_with` and `ratio`, what it was held beside in
    the same run and how many times that it is."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    note: str = ""
    compared_with: str = ""
    ratio: float | None = None

    @property
    def held(self) -> bool | None:
        """Whether the limit is held; None without one."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def as_json(self) -> dict[str, object]:
        """The figure with its verdict."""
        return {**asdict(self), "held": self.held}


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def table(figures: Sequence[Figure]) -> str:
    """The figures in columns, with a verdict for each limit."""
    lines = [("what", "measured", "limit", "", "")]
    for one in figures:
        limit = "" if one.limit is None else f"{'≥' if one.at_least else '≤'} {one.limit:g}"
        verdict = {True: "ok", False: "MISSED", None: ""}[one.held]
        lines.append((one.name, f"{one.value:.2f} {one.unit}".strip(), limit, verdict, one.note))
    widths = [max(_width(line[at]) for line in lines) for at in range(5)]
    return "\n".join(
        "  ".join(cell + " " * (widths[at] - _width(cell)) for at, cell in enumerate(line)).rstrip()
        for line in lines
    )
