"""A scheme's content as tables and fields for a page, and a submitted form back as content.

Content is nested JSON. A list of objects becomes a table with a row each; an object becomes a
group of fields; a list of texts one field with commas. Every value has a path ("grades/0/factor")
which names its form field. Types stay what they were: texts, whole numbers, yes/no, nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

REMOVE = "remove:"
NEW = "+"


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value: its path, key and kind ("text", "integer", "flag", "list")."""

    path: str
    key: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its path, its cells by column, and what is nested below it."""

    path: str
    cells: tuple[Leaf | None, ...]
    below: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A group: fields, or a table with columns and rows, and the groups below it."""

    path: str
    key: str
    fields: tuple[Leaf, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    below: tuple[Section, ...] = ()


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, str) or value is None:
        return "text"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "list"
    return None


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value)
    return "" if value is None else str(value)


def _leaf(path: str, key: str, value: Any) -> Leaf | None:
    kind = _kind(value)
    return Leaf(path, key, kind, _shown(value)) if kind else None


def _join(path: str, key: object) -> str:
    return f"{path}/{key}" if path else str(key)


def sections(content: Mapping[str, Any], path: str = "", key: str = "") -> Section:
    """The content as nested groups, in its own order."""
    fields, below = [], []
    for name, value in content.items():
        here = _join(path, name)
        leaf = _leaf(here, str(name), value)
        if leaf:
            fields.append(leaf)
        elif isinstance(value, list):
            below.append(_table(value, here, str(name)))
        else:
            below.append(sections(value, here, str(name)))
    return Section(path, key, tuple(fields), below=tuple(below))


def _table(items: Sequence[Mapping[str, Any]], path: str, key: str) -> Section:
    columns: dict[str, None] = {}
    for item in items:
        columns.update({name: None for name, value in item.items() if _kind(value)})
    rows = []
    for number, item in enumerate(items):
        here = _join(path, number)
        cells = tuple(
            _leaf(_join(here, name), name, item[name]) if name in item else None for name in columns
        )
        below = [
            _table(value, _join(here, name), name)
            if isinstance(value, list)
            else sections(value, _join(here, name), name)
            for name, value in item.items()
            if not _kind(value) and value
        ]
        rows.append(Row(here, cells, tuple(below)))
    return Section(path, key, columns=tuple(columns), rows=tuple(rows))


def _typed(old: Any, text: str) -> Any:
    """`text` in the type of the value it replaces; what does not fit stays text, and the
    scheme's own check names it."""
    text = text.strip()
    if isinstance(old, bool):
        return text == "yes"
    if isinstance(old, list):
        return [part.strip() for part in text.replace("、", ",").split(",") if part.strip()]
    if isinstance(old, int):
        return int(text) if text.lstrip("-").isdigit() else text
    if old is None:
        return (int(text) if text.isdigit() else text) if text else None
    return text


def merged(content: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The content with the form's values in place: changed, removed and added rows."""
    made: dict[str, Any] = copy.deepcopy(dict(content))
    _merge(made, form, "")
    return made


def _merge(node: Any, form: Mapping[str, str], path: str) -> None:
    pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
    for key, value in pairs:
        here = _join(path, key)
        if _kind(value):
            if here in form:
                node[key] = _typed(value, form[here])
            continue
        _merge(value, form, here)
        if isinstance(value, list):
            _change_rows(value, form, here)


def _change_rows(rows: list[dict[str, Any]], form: Mapping[str, str], path: str) -> None:
    added = {
        name: form.get(f"{path}/{NEW}/{name}", "").strip()
        for name, value in (rows[0].items() if rows else ())
        if _kind(value)
    }
    pattern = copy.deepcopy(rows[0]) if rows else {}
    kept = [row for number, row in enumerate(rows) if f"{REMOVE}{path}/{number}" not in form]
    rows[:] = kept
    texts = [name for name in added if not isinstance(pattern[name], bool)]
    if any(added[name] for name in texts):
        for name, text in added.items():
            pattern[name] = _typed(pattern[name], text)
        rows.append(pattern)
