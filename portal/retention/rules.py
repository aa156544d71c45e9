"""When the time of a thing is over, and what keeps it beyond (C4.1). Pure."""

from __future__ import annotations

import calendar as months_of
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from portal.retention.kinds import DataClass, Standing

MOST_MONTHS = 1_200


@dataclass(frozen=True, slots=True)
class Terms:
    """How many months each class is kept, and how many days before the end it is warned."""

    jurisdiction: str
    warn_days: int
    months: Mapping[DataClass, int]

    def expires_on(self, kind: DataClass, base: date) -> date:
        """The first day on which a thing of this class is no longer kept."""
        return later(base, self.months[kind])


def later(day: date, months: int) -> date:
    """The same day so many months later; the last of the month where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, months_of.monthrange(year, month + 1)[1]))


def standing(expires_on: date, today: date, warn_days: int, *, held: bool, wanted: bool) -> str:
    """Where a thing stands; "" while its time is not nearly over.

    A hold keeps it, whatever the date. What is requested or disputed is kept and warned of.
    """
    if expires_on > today + timedelta(days=warn_days):
        return ""
    if held:
        return Standing.HELD.value
    if wanted:
        return Standing.WANTED.value
    return (Standing.DUE if expires_on <= today else Standing.SOON).value


def parse_terms(content: Mapping[str, Any]) -> Terms:
    """The scheme "retention": the terms of its jurisdiction. Raises `ValueError` that says what is
    not sound: each class needs exactly one rule there."""
    wanted = str(content.get("jurisdiction", "")).strip()
    warn = content.get("warn_days")
    if not isinstance(warn, int) or not 1 <= warn <= 366:
        raise ValueError("warn_days: a whole number from 1 to 366")
    months: dict[DataClass, int] = {}
    for rule in content.get("rules", ()):
        kind = DataClass(rule["class"])
        number = rule.get("months")
        if not isinstance(number, int) or not 1 <= number <= MOST_MONTHS:
            raise ValueError(f"{kind.value}: months: a whole number from 1 to {MOST_MONTHS}")
        if not str(rule.get("authority", "")).strip():
            raise ValueError(f"{kind.value}: the authority is empty")
        if rule.get("jurisdiction") == wanted:
            if kind in months:
                raise ValueError(f"{kind.value} stands twice for {wanted}")
            months[kind] = number
    if missing := set(DataClass) - set(months):
        names = ", ".join(sorted(missing))
        raise ValueError(f"{wanted}: no rule for {names}")
    return Terms(wanted, warn, months)
