"""What may happen to a request and its items, and how they are counted (A3, A10). Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from portal.calendar.rules import WorkingCalendar
from portal.files.kinds import FileKind
from portal.kernel.errors import Conflict
from portal.kernel.phrases import phrase
from portal.materials.kinds import ItemState, MaterialKind, RequestState

WORKING_DAYS = 2
"""A3: material is handed over within two working days."""

WINDOW_DAYS = 30
"""So many days before the issue the calls of a case are asked for, unless the scheme says else."""

OPEN_STATES = frozenset({RequestState.ISSUED, RequestState.HANDED_IN})
"""While a request is in one of these, the vendor may deliver."""

ITEM_TRANSITIONS: Mapping[ItemState, frozenset[ItemState]] = MappingProxyType(
    {
        ItemState.MISSING: frozenset(
            {ItemState.DELIVERED, ItemState.UNAVAILABLE, ItemState.CANCELLED}
        ),
        ItemState.DELIVERED: frozenset(
            {
                ItemState.DELIVERED,
                ItemState.ACCEPTED,
                ItemState.RETURNED,
                ItemState.CANCELLED,
            }
        ),
        ItemState.UNAVAILABLE: frozenset(
            {
                ItemState.UNAVAILABLE,
                ItemState.MISSING,
                ItemState.DELIVERED,
                ItemState.ACCEPTED,
                ItemState.RETURNED,
                ItemState.CANCELLED,
            }
        ),
        ItemState.RETURNED: frozenset(
            {ItemState.DELIVERED, ItemState.UNAVAILABLE, ItemState.CANCELLED}
        ),
        ItemState.ACCEPTED: frozenset(),
        ItemState.CANCELLED: frozenset(),
    }
)


def moved(state: str, to: ItemState, *, broken: bool = False) -> ItemState:
    """`to`, if an item in `state` may become that; else `Conflict` with what to do.

    `broken`: its files are all unusable, so that it counts as missing and may be answered.
    """
    now = ItemState(state)
    answers = broken and (now, to) == (ItemState.DELIVERED, ItemState.UNAVAILABLE)
    if answers or to in ITEM_TRANSITIONS[now]:
        return to
    if now is ItemState.ACCEPTED:
        raise Conflict(
            phrase("The audit department has accepted this item; nothing is changed any more."),
            phrase("If it is wrong, write to the audit department."),
        )
    if now is ItemState.CANCELLED:
        raise Conflict(
            phrase("This item was cancelled; it is not wanted any more."),
            phrase("Reload the page to see what is still wanted."),
        )
    if to is ItemState.UNAVAILABLE:
        raise Conflict(
            phrase("A file was delivered for this item, so it cannot be answered as unavailable."),
            phrase("Replace the file if it is the wrong one."),
        )
    raise Conflict(
        phrase("The item is not in a state that allows this."),
        phrase("Reload the page to see what became of it."),
    )


def check_open(state: str) -> None:
    """Refuse work on a request that is closed or cancelled (`Conflict`)."""
    if RequestState(state) not in OPEN_STATES:
        raise Conflict(
            phrase("This request is closed; nothing more is taken."),
            phrase("If something is still to be handed over, ask the audit department."),
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """应交/已交/缺/无法提供: `expected` is the sum of the other three.

    An item wanted only if it exists (a field visit) counts from the moment that there is a file
    or an answer. `problems` of the missing have files, but only unusable ones. `shares`: how
    many items each filter of the list shows, optional and cancelled ones too.
    """

    expected: int = 0
    delivered: int = 0
    missing: int = 0
    unavailable: int = 0
    problems: int = 0
    shares: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.expected > 0 and not self.missing

    @property
    def percent(self) -> int:
        """The part of the expected that is delivered or answered, 0 to 100."""
        if not self.expected:
            return 0
        return (self.delivered + self.unavailable) * 100 // self.expected

    def as_data(self) -> dict[str, int]:
        """For storing and for papers."""
        return {
            "expected": self.expected,
            "delivered": self.delivered,
            "missing": self.missing,
            "unavailable": self.unavailable,
            "unusable": self.problems,
        }


@dataclass(frozen=True, slots=True)
class Tallied:
    """So many items alike: what `count` adds up. `problems` of them hold only unusable files."""

    state: str
    required: bool
    answered: bool
    items: int = 1
    problems: int = 0


def standing(item: Tallied) -> str:
    """Which of delivered, missing, unavailable an item counts as; "" when it is not expected.

    An accepted item counts as what was accepted; a returned one is owed again, and so is one of
    which no file is usable; a cancelled one is not wanted any more.
    """
    state = ItemState(item.state)
    if state is ItemState.CANCELLED:
        return ""
    if state is ItemState.ACCEPTED:
        return "unavailable" if item.answered else "delivered"
    if state is ItemState.RETURNED:
        return "missing"
    if state is ItemState.MISSING:
        return "missing" if item.required else ""
    if state is ItemState.DELIVERED and item.problems:
        return "missing"
    return state.value


def _parts(item: Tallied) -> tuple[Tallied, ...]:
    """Items alike, apart from those whose files are all unusable."""
    if ItemState(item.state) is not ItemState.DELIVERED or not item.problems:
        return (replace(item, problems=0),)
    return (
        replace(item, items=item.items - item.problems, problems=0),
        replace(item, items=item.problems),
    )


def count(items: Iterable[Tallied]) -> Counts:
    """Add items up."""
    sums = {"delivered": 0, "missing": 0, "unavailable": 0, "": 0}
    problems = 0
    shares = Counter[str]()
    for item in (part for each in items for part in _parts(each)):
        shares["all"] += item.items
        if item.state != ItemState.MISSING and not item.problems:
            shares[item.state] += item.items
        sums[standing(item)] += item.items
        problems += item.problems
    delivered, missing, unavailable = sums["delivered"], sums["missing"], sums["unavailable"]
    shares["missing"], shares["problem"] = missing, problems
    expected = delivered + missing + unavailable
    return Counts(expected, delivered, missing, unavailable, problems, shares)


def working_days_late(calendar: WorkingCalendar, due_at: datetime, at: datetime) -> int:
    """Working days late (clause 601), 0 in time. Days of a year that nobody confirmed yet are
    taken by their weekday: what is handed in is never refused for that."""
    years = range(calendar.local_day(due_at).year, calendar.local_day(at).year + 1)
    known = replace(calendar, confirmed=calendar.confirmed | set(years))
    return known.working_days_late(due_at, at)


def window(issued_on: date, days: int) -> tuple[date, date]:
    """The days whose calls a request asks for: `days` before the issue, and the day of issue."""
    return issued_on - timedelta(days=days), issued_on


@dataclass(frozen=True, slots=True)
class Wanted:
    """A kind of material that is asked for; `required=False`: only if it exists."""

    kind: str
    required: bool = True


def length_differs(seconds: float, listed: int) -> bool:
    """Whether a recording is shorter or longer than its call by more than ten seconds and a tenth:
    ringing and cutting make less."""
    return abs(seconds - listed) > max(10.0, listed * 0.1)


def parse_wanted(content: Mapping[str, Any]) -> dict[MaterialKind, dict[str, Any]]:
    """The scheme "materials wanted": kind → texts, formats and whether it is required.

    Raises `ValueError` that says what is not sound.
    """
    found: dict[MaterialKind, dict[str, Any]] = {}
    for entry in content.get("kinds", ()):
        kind = MaterialKind(entry["kind"])
        if kind in found:
            raise ValueError(f"{kind.value} stands twice")
        for key in ("name", "requirement"):
            if not str(entry.get(key, "")).strip():
                raise ValueError(f"{kind.value}: {key} is empty")
        formats = [FileKind(name).value for name in entry.get("formats", ())]
        if not formats:
            raise ValueError(f"{kind.value}: no format is allowed")
        found[kind] = {
            "kind": kind.value,
            "required": bool(entry["required"]),
            "asked": bool(entry.get("asked", True)),
            "name": str(entry["name"]).strip(),
            "requirement": str(entry["requirement"]).strip(),
            "formats": formats,
        }
    window_days(content)
    if not any(entry["asked"] for entry in found.values()):
        raise ValueError("no kind of material is asked for")
    return found


def window_days(content: Mapping[str, Any]) -> int:
    """How many days before the issue the scheme asks for. Raises `ValueError`."""
    days = int(content.get("window_days", WINDOW_DAYS))
    if not 1 <= days <= 366:
        raise ValueError("window_days: from 1 to 366")
    return days
