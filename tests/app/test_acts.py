"""Every act that the portal records has a name in words: people do not read codes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from portal.journal.words import DONE, THINGS, act_name

PORTAL = Path(__file__).resolve().parents[2] / "portal"
RECORDERS = {"record", "_record"}


def _recorded() -> Iterator[str]:
    """The codes in calls that write to the journal; of one that is put together, what is fixed."""
    for path in PORTAL.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and _called(call.func) in RECORDERS:
                yield from (code for given in call.args[1:4] for code in _codes(given))


def _called(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _codes(given: ast.expr) -> Iterator[str]:
    if isinstance(given, ast.Constant) and isinstance(given.value, str) and "." in given.value:
        yield given.value
    if isinstance(given, ast.JoinedStr) and isinstance(given.values[0], ast.Constant):
        yield str(given.values[0].value)


def test_acts_have_names() -> None:
    """The thing by the code without its last part, what was done by the last part."""
    found = set(_recorded())
    assert len(found) > 80
    assert {code.rpartition(".")[0] for code in found} <= set(THINGS)
    assert {code.rpartition(".")[2] for code in found} - {""} <= set(DONE)


def test_an_act_in_words() -> None:
    """Its code where there is no name."""
    assert str(act_name("materials.request.handed_in")) == "Material request: handed in"
    assert act_name("nobody.knows") == "nobody.knows"
