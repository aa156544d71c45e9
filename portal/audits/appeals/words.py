"""What states and instances of appeals are called, and the fields that a correction changes."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from portal.audits.appeals.rules import FIRST, LAST, AppealState, Point
from portal.audits.words import FINDING_STATES, LEVELS
from portal.kernel.phrases import Phrase, phrase

APPEAL_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        AppealState.OPEN.value: (phrase("To be decided"), "pending"),
        AppealState.UPHELD.value: (phrase("Upheld"), "success"),
        AppealState.PARTLY.value: (phrase("Upheld in part"), "success"),
        AppealState.REJECTED.value: (phrase("Rejected"), "neutral"),
    }
)
INSTANCES: Mapping[int, Phrase] = MappingProxyType(
    {FIRST: phrase("Audit department"), LAST: phrase("General department (last appeal)")}
)
POINTS: Mapping[Point, Phrase] = MappingProxyType(
    {
        Point.FACTS: phrase("The facts"),
        Point.CLAUSE: phrase("The clause"),
        Point.SEVERITY: phrase("The severity, points or deduction"),
    }
)
CHANGED: Mapping[str, Phrase] = MappingProxyType(
    {
        "state": phrase("State"),
        "clause_no": phrase("Clause"),
        "times": phrase("Times"),
        "facts": phrase("Facts"),
        "level": phrase("Severity"),
        "points": phrase("Points"),
        "deduction": phrase("Deduction"),
        "repeated": phrase("Repeated"),
        "merged_into_id": phrase("Merged into a heavier finding on the same call"),
    }
)


def shown(name: str, value: Any) -> str | Phrase:
    """A field's value for people."""
    if name == "state" and value in FINDING_STATES:
        return FINDING_STATES[value][0]
    if name == "level" and value in LEVELS:
        return LEVELS[value][0]
    if name in ("repeated", "merged_into_id"):
        return phrase("Yes") if value else phrase("No")
    return str(value)
