"""What stands on a paper's timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Mark(StrEnum):
    """What stands on a timeline, in the order of a usual way."""

    ISSUED = "issued"
    SIGNED = "signed"
    MAILED = "mailed"
    OPENED = "opened"
    ESCALATED = "escalated"
    SERVED = "served"
    NO_OBJECTION = "no_objection"
    APPEAL = "appeal"


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline: what, when (aware), by or to whom, on what ground."""

    mark: Mark
    at: datetime
    name: str = ""
    note: str = ""
