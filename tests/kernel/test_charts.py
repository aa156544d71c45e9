"""Charts: always well-formed SVG, inside its frame, the same bytes for the same numbers."""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.charts import Band, Bar, Point, bar_chart, line_chart

SVG = "{http://www.w3.org/2000/svg}"
GRADES = [Band(90, 100, "A", "a"), Band(80, 90, "B", "b"), Band(70, 80, "C", "c")]

words = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x9FFF, exclude_categories=["C"]), max_size=12
)
values = st.none() | st.decimals(-1000, 1000, places=1) | st.floats(-1e6, 1e6)
points = st.lists(st.builds(Point, words, values), max_size=24)


def scores(*numbers: str | None) -> list[Point]:
    return [
        Point(f"{month}月", None if number is None else Decimal(number))
        for month, number in enumerate(numbers, 1)
    ]


def draw(series: list[Point]) -> ElementTree.Element:
    svg = line_chart(series, title="走势", desc="按月", ticks=[70, 80, 90, 100], bands=GRADES)
    return ElementTree.fromstring(svg)  # noqa: S314 - our own drawing


@given(points)
def test_every_line_stays_inside_its_frame(series: list[Point]) -> None:
    root = draw(series)
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    for circle in root.iter(f"{SVG}circle"):
        assert 0 <= float(circle.attrib["cx"]) <= width
        assert 0 <= float(circle.attrib["cy"]) <= height
    assert len(list(root.iter(f"{SVG}circle"))) == sum(p.value is not None for p in series)
    # Presentation attributes only: a paper's renderer reads no CSS inside SVG.
    assert not any("style" in element.attrib for element in root.iter())


@given(st.lists(st.builds(Bar, words, values, words), max_size=12))
def test_every_bar_fits_between_name_and_figure(bars: list[Bar]) -> None:
    svg = bar_chart(bars, title="分项", desc="得分", width=380)
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
    for rect in root.iter(f"{SVG}rect"):
        assert 0 <= float(rect.attrib["width"]) <= 380


def test_a_month_without_a_score_breaks_the_line_instead_of_dropping_to_zero() -> None:
    root = draw(scores("91.0", "92.5", None, "88.0", "90.0"))
    lines = [line.attrib["points"].split() for line in root.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [2, 2]


def test_a_higher_score_is_drawn_higher_and_the_last_is_written_out() -> None:
    root = draw(scores("75", "95"))
    low, high = (float(circle.attrib["cy"]) for circle in root.iter(f"{SVG}circle"))
    assert high < low
    assert "95" in {text.text for text in root.iter(f"{SVG}text") if "font-weight" in text.attrib}


def test_a_bands_words_keep_off_the_line() -> None:
    svg = draw(scores("99", "99", "99", "91", "91", "91"))
    label = next(text for text in svg.iter(f"{SVG}text") if text.text == "A")
    # The line is at the top on the left and at the bottom of the band on the right.
    top = min(float(circle.attrib["cy"]) for circle in svg.iter(f"{SVG}circle"))
    assert abs(float(label.attrib["y"]) - top) > 14


def test_what_people_typed_cannot_become_markup() -> None:
    evil = '"><script>alert(1)</script>'
    svg = line_chart([Point(evil, 80)], title=evil, desc=evil, ticks=[0, 100])
    assert "<script" not in svg
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"  # noqa: S314 - our own drawing


def test_the_same_numbers_give_the_same_bytes_and_an_axis_needs_length() -> None:
    assert line_chart(scores("80"), title="a", desc="b", ticks=[0, 100]) == line_chart(
        scores("80"), title="a", desc="b", ticks=[0, 100]
    )
    with pytest.raises(ValueError, match="ticks"):
        line_chart([], title="a", desc="b", ticks=[100, 0])
    with pytest.raises(ValueError, match="above zero"):
        bar_chart([], title="a", desc="b", highest=0)
