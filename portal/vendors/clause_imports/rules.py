"""Pure checks of imported penalty clauses against the newest version of the catalogue (A5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from portal.files import problems
from portal.files.columns import Row, Table
from portal.files.problems import CellError, Param
from portal.kernel.phrases import Phrase, phrase

_MESSAGES: Mapping[str, Phrase] = MappingProxyType(
    {
        "in_force_past": phrase(
            "A version cannot take effect in the past. Write today (%(today)s) or a later day."
        ),
        "in_force_other": phrase(
            "All rows take effect together: row %(row)s says %(day)s. Write the same day."
        ),
        "in_force_before": phrase(
            "The newest version takes effect on %(day)s. Write that day or a later one."
        ),
    }
)


def describe(code: str, params: Mapping[str, Param]) -> Phrase:
    """The sentence for an error of this import, or for any file's."""
    if code in _MESSAGES:
        return _MESSAGES[code].filled(params)
    return problems.describe(code, params)


@dataclass(slots=True)
class Findings:
    """What a file would make of the catalogue: clauses by number as they would stand (None:
    abolished), how many are new or changed, and from when; or what is wrong."""

    clauses: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    new: int = 0
    changed: int = 0
    abolished: int = 0
    unchanged: int = 0
    bad_rows: int = 0
    errors: list[CellError] = field(default_factory=list)
    in_force_from: date | None = None


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version: its clauses by number, whether it is the shipped default, its day."""

    clauses: Mapping[str, Mapping[str, Any]]
    is_default: bool
    in_force_from: date


def examine(table: Table, newest: Newest, today: date) -> Findings:
    """Check every row against the newest version. The first good row gives the day in force."""
    found = Findings()
    first: tuple[int, date] | None = None
    for row in table.rows:
        errors = list(row.errors)
        day = row.values.get("in_force_from")
        if day is not None:
            error = _day_error(table, row.number, day, newest, today, first)
            if error is None:
                first = first or (row.number, day)
            else:
                errors.append(error)
        clause = row.values.get("no")
        gone = row.values.get("abolished") == "yes"
        if gone and clause is not None and not errors:
            _abolish(found, clause, newest)
        elif errors:
            found.bad_rows += 1
            found.errors += sorted(errors, key=lambda one: (len(one.letter), one.letter))
        else:
            _place(found, row, newest)
    found.in_force_from = first[1] if first else None
    return found


def _abolish(found: Findings, no: str, newest: Newest) -> None:
    """A clause goes; one that is gone already (the same file again) changes nothing."""
    if no in newest.clauses:
        found.clauses[no] = None
        found.abolished += 1
    else:
        found.unchanged += 1


def _place(found: Findings, row: Row, newest: Newest) -> None:
    no = row.values["no"]
    old = newest.clauses.get(no)
    clause = _clause(row.values, old)
    if old is not None and _plain(old) == clause:
        found.unchanged += 1
        return
    found.clauses[no] = clause
    found.new += old is None
    found.changed += old is not None


def _clause(values: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
    """A row as the catalogue holds a clause."""
    meaning = values.get("meaning_en") or (old or {}).get("meaning_en") or values["text"]
    return {
        "no": values["no"],
        "text": values["text"],
        "meaning_en": meaning,
        "level": values["level"],
        "points": values["points"],
        "deduction": f"{values['deduction']:.2f}",
        "unit": values.get("unit") or "occurrence",
        "damages": values.get("damages") == "yes",
    }


def _plain(old: Mapping[str, Any]) -> dict[str, Any]:
    """A clause of the catalogue with what it leaves out filled in, its deduction in two places."""
    deduction = f"{Decimal(str(old['deduction'])):.2f}"
    return {"unit": "occurrence", "damages": False, **old, "deduction": deduction}


def _day_error(
    table: Table,
    number: int,
    day: date,
    newest: Newest,
    today: date,
    first: tuple[int, date] | None,
) -> CellError | None:
    params: dict[str, Param] = {}
    if first is not None and day != first[1]:
        code, params = "in_force_other", {"row": first[0], "day": first[1].isoformat()}
    elif day < today and not newest.is_default:
        code, params = "in_force_past", {"today": today.isoformat()}
    elif not newest.is_default and day < newest.in_force_from:
        code, params = "in_force_before", {"day": newest.in_force_from.isoformat()}
    else:
        return None
    key = "in_force_from"
    letter, title = table.letters.get(key, ""), table.titles.get(key, key)
    return CellError(number, letter, title, code, params, day.isoformat())


def merged(
    clauses: Sequence[Mapping[str, Any]], changes: Mapping[str, dict[str, Any] | None]
) -> list[dict[str, Any]]:
    """The catalogue's clauses after the changes: old ones at their place, new ones by number at
    the end."""
    stay = []
    for old in clauses:
        clause = changes.get(str(old["no"]), dict(old))
        if clause is not None:
            stay.append(clause)
    known = {str(old["no"]) for old in clauses}
    fresh = [one for no, one in sorted(changes.items()) if no not in known and one is not None]
    return [*stay, *fresh]
