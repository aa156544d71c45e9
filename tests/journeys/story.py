"""What one step of a month leaves for the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Story:
    """What one step leaves for the next."""

    folder: Path
    request: str = ""
    cases: list[str] = field(default_factory=list)
    review: str = ""
    form: str = ""
    notice: str = ""
    statement: str = ""
