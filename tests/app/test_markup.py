"""Rows of a list are made in one go: exactly what writing them one by one gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from portal.app.markup import rows

PATTERN = Markup("<tr><td>%s</td><td class='x'>%s</td><td>%s</td></tr>\n")
CHIPS = {"open": Markup("<b>open</b>"), "a&b": Markup("<i>both</i>")}
TEXT = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("<>&'\"%s\x1f\x1e")))
KNOWN = st.sampled_from(["open"])


@given(st.lists(st.tuples(TEXT, TEXT, KNOWN), max_size=8))
def test_each_cell_stands_escaped_in_its_place(lines: list[tuple[str, str, str]]) -> None:
    shown = [[cell.replace("\x1f", " ") for cell in line] for line in lines]
    one_by_one = "".join(
        f"<tr><td>{escape(a)}</td><td class='x'>{escape(b)}</td><td>{CHIPS[c]}</td></tr>\n"
        for a, b, c in shown
    )
    assert rows(PATTERN, lines, {-1: CHIPS}) == one_by_one


def test_a_line_that_does_not_fit_is_an_error() -> None:
    for lines in ([("a", "b")], [("a", "b", "c"), ("a", "b")], [("a", "b", "c", "d")]):
        with pytest.raises(ValueError, match="do not fit"):
            rows(PATTERN, lines, {})
