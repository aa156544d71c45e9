"""The check of pages sees each kind of fault."""

from __future__ import annotations

import pytest

from tests.journeys.validity import invalid

PAGE = "<!doctype html><html lang=en><head><title>x</title></head><body>{}</body></html>"


def test_a_valid_page_passes() -> None:
    text = "<main><ul><li><a href='#x' id=x>b</a></li></ul><template><tr></tr></template></main>"
    assert invalid(PAGE.format(text)) == []


@pytest.mark.parametrize(
    "fault",
    [
        "<p><div>a</div></p>",
        "<span><div>a</div></span>",
        "<ul><div>a</div></ul>",
        "<dd>a</dd>",
        "<label for=x>a</label>",
        "<b id=x>a</b><b id=x>a</b>",
        "<a href='/'><button>a</button></a>",
        "<table><tr><div>a</div></tr></table>",
        "<img src=a>",
        "<hr align=left>",
        "<b>a",
    ],
)
def test_a_fault_is_found(fault: str) -> None:
    assert invalid(PAGE.format(fault))
