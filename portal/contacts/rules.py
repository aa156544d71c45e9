"""When two rows of call lists tell of the same call, and what a list says against another. Pure."""

from __future__ import annotations

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


class Known:
    """The known calls of a case, found again without comparing with each: a list may hold tens of
    thousands of one case. Of calls alike in the same second only the first is ever found."""

    def __init__(self) -> None:
        """None yet."""
        self._count = 0
        self._by_id: dict[bytes, int] = {}
        self._minutes: dict[tuple[bytes, int, str | None, bool], dict[int, int]] = {}

    def add(self, seen: Seen) -> None:
        """Note the next call; calls are numbered from 0."""
        number, second = self._count, int(seen.at.timestamp())
        self._count += 1
        if seen.call_id is not None:
            self._by_id.setdefault(seen.call_id, number)
        for extension in (seen.extension, None):  # None: whatever extension
            place = (seen.phone, second // 60, extension, seen.call_id is not None)
            self._minutes.setdefault(place, {}).setdefault(second, number)

    def find(self, call: Seen) -> int | None:
        """The number of the known call that is this one (`same_call`): by call id, else the nearest
        in time, of several the first."""
        if call.call_id is not None and call.call_id in self._by_id:
            return self._by_id[call.call_id]
        second, most = int(call.at.timestamp()), int(SAME_CALL.total_seconds())
        extensions = (call.extension, "") if call.extension else (None,)
        found: tuple[int, int] | None = None
        for minute in range((second - most) // 60, (second + most) // 60 + 1):
            for extension in extensions:
                # With another id none is this one.
                for named in (False, True) if call.call_id is None else (False,):
                    place = self._minutes.get((call.phone, minute, extension, named), {})
                    for at, number in place.items():
                        one = (abs(at - second), number)
                        if one[0] <= most and (found is None or one < found):
                            found = one
        return found[1] if found else None
