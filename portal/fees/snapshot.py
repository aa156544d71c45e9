"""A fee statement as frozen JSON, and back: what finance confirmed is what every paper shows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from portal.fees.rules import Line, LineKind, Statement
from portal.scoring.facts import Link

_AMOUNTS = ("commission", "multiplier", "factor", "fee", "payable", "net", "tax")


def freeze(statement: Statement) -> dict[str, Any]:
    """The statement as JSON; numbers are text, so that no float ever holds them."""
    frozen: dict[str, Any] = {name: str(getattr(statement, name)) for name in _AMOUNTS}
    attained = statement.attainment
    frozen["attainment"] = None if attained is None else str(attained)
    frozen["capital"] = statement.capital
    frozen["lines"] = [_freeze_line(line) for line in statement.lines]
    return frozen


def thaw(frozen: Mapping[str, Any]) -> Statement:
    """The statement that `freeze` made this of."""
    attained = frozen["attainment"]
    return Statement(
        lines=tuple(_thaw_line(line) for line in frozen["lines"]),
        attainment=None if attained is None else Decimal(attained),
        capital=frozen["capital"],
        **{name: Decimal(frozen[name]) for name in _AMOUNTS},
    )


def _freeze_line(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind.value,
        "amount": str(line.amount),
        "params": dict(line.params),
        "subject": [line.link.subject_type, str(line.link.subject_id)] if line.link else None,
    }


def _thaw_line(frozen: Mapping[str, Any]) -> Line:
    subject = frozen["subject"]
    link = Link(subject[0], UUID(subject[1])) if subject else None
    return Line(LineKind(frozen["kind"]), Decimal(frozen["amount"]), frozen["params"], link)
