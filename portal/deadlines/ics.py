"""Clocks as a calendar (RFC 5545): UTC times, a stable UID, a growing SEQUENCE, two alarms.

Pure: the texts come translated. A clock is an event of half an hour that ends when it is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

LENGTH = timedelta(minutes=30)
ALARMS = ("-P1D", "-PT4H")
_LINE = 75
_STATUS = {"void": "CANCELLED"}


class Clock(Protocol):
    """What is read of a deadline."""

    id: UUID
    opened_at: datetime
    due_at: datetime
    basis: dict[str, Any]
    state: str
    met_at: datetime | None
    breached_at: datetime | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A clock with the words and the address of its event."""

    clock: Clock
    summary: str
    description: str
    url: str


def calendar(name: str, host: str, entries: Iterable[Entry]) -> bytes:
    """The whole feed, lines folded at 75 octets and ended by CR LF."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//{_text(host)}//deadlines//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ]
    for entry in entries:
        lines += _event(entry, host)
    lines.append("END:VCALENDAR")
    return b"".join(folded(line) for line in lines)


def sequence(clock: Clock) -> int:
    """How often an event was changed since it was made: never smaller than before."""
    extended = len(clock.basis.get("extended", ()))
    ended = (clock.breached_at is not None) + (clock.met_at is not None)
    return 2 * extended + ended + (clock.state == "void")


def changed_at(clock: Clock) -> datetime:
    """When a clock was last changed."""
    extended = [datetime.fromisoformat(entry["at"]) for entry in clock.basis.get("extended", ())]
    known = [clock.opened_at, clock.met_at, clock.breached_at, *extended]
    return max(moment for moment in known if moment is not None)


def _event(entry: Entry, host: str) -> Iterator[str]:
    clock, changed = entry.clock, _utc(changed_at(entry.clock))
    yield "BEGIN:VEVENT"
    yield f"UID:{clock.id}@{host}"
    yield f"SEQUENCE:{sequence(clock)}"
    yield f"DTSTAMP:{changed}"
    yield f"LAST-MODIFIED:{changed}"
    yield f"CREATED:{_utc(clock.opened_at)}"
    yield f"DTSTART:{_utc(clock.due_at - LENGTH)}"
    yield f"DTEND:{_utc(clock.due_at)}"
    yield f"SUMMARY:{_text(entry.summary)}"
    yield f"DESCRIPTION:{_text(entry.description)}"
    yield f"URL:{entry.url}"
    yield f"STATUS:{_STATUS.get(clock.state, 'CONFIRMED')}"
    yield "TRANSP:TRANSPARENT"
    if clock.state == "open":
        for before in ALARMS:
            yield "BEGIN:VALARM"
            yield "ACTION:DISPLAY"
            yield f"DESCRIPTION:{_text(entry.summary)}"
            yield f"TRIGGER;RELATED=END:{before}"
            yield "END:VALARM"
    yield "END:VEVENT"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """A TEXT value (3.3.11): no control characters, the four special ones escaped."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    escaped = escaped.replace("\r\n", "\n").replace("\n", "\\n")
    return "".join(letter for letter in escaped if letter >= " " and letter != "\x7f")


def folded(line: str) -> bytes:
    """A content line in octets, folded so that no part is longer than 75 and no letter is cut."""
    parts: list[bytes] = []
    part = b""
    for letter in line:
        octets = letter.encode()
        if len(part) + len(octets) > _LINE - bool(parts):
            parts.append(part)
            part = b""
        part += octets
    parts.append(part)
    return b"\r\n ".join(parts) + b"\r\n"
