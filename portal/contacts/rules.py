"""When two rows of call lists tell of the same call, and what a list says against another. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SAME_CALL = timedelta(seconds=60)
"""Two systems time the same call apart by ringing and by their clocks: so much is the same call."""


class Direction(StrEnum):
    """Who called whom."""

    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class Seen:
    """What tells calls of a case apart: blind keys of number and call id, extension, time."""

    phone: bytes
    at: datetime
    extension: str = ""
    call_id: bytes | None = None


def same_call(one: Seen, other: Seen) -> bool:
    """Whether both are the same call.

    Equal call ids decide. Else the same number at the same time (`SAME_CALL`), unless the call ids
    or the extensions say otherwise.
    """
    if one.call_id is not None and other.call_id is not None:
        return one.call_id == other.call_id
    if one.extension and other.extension and one.extension != other.extension:
        return False
    return one.phone == other.phone and abs(one.at - other.at) <= SAME_CALL


def nearest(call: Seen, known: Iterable[tuple[int, Seen]]) -> int | None:
    """The number of the known call that is this one: by call id, else the nearest in time."""
    fitting = [(number, seen) for number, seen in known if same_call(call, seen)]
    by_id = [number for number, seen in fitting if call.call_id and seen.call_id == call.call_id]
    if by_id:
        return by_id[0]
    return min(fitting, key=lambda one: abs(one[1].at - call.at))[0] if fitting else None
