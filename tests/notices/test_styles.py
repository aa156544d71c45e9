"""What is kept between papers changes none: not a byte, whatever was printed before."""

from __future__ import annotations

from typing import Any

import pytest
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from portal.notices import layout, render
from portal.notices.render import Edition
from portal.notices.styles import Wardrobe
from tests.notices.reading import LOCALES
from tests.notices.samples import SAMPLES, delivery_receipt
from tests.notices.test_conformance import SEAL, _stamp

PAPERS: dict[str, Any] = {**{name: make() for name, make in SAMPLES.items()}}
EDITION = Edition("恒信消费金融有限公司", SEAL)


def everything() -> dict[tuple[str, str], bytes]:
    made = {
        (template, locale): render.render(template, content, locale, EDITION).pdf
        for template, content in PAPERS.items()
        for locale in LOCALES
    }
    long = render.render("delivery_receipt", delivery_receipt(60), "en", EDITION).pdf
    stamped = Edition("恒信", _stamp())
    sealed = render.render("fee_statement", PAPERS["fee_statement"], "en", stamped).pdf
    return made | {("long", "en"): long, ("sealed", "en"): sealed}


class PlainMarkup(layout.Markup):
    """Keeps the page's source."""

    def __init__(self, text: str, fetcher: Any, wardrobe: Wardrobe) -> None:
        super().__init__(text, fetcher, wardrobe)
        self.text = text


def as_weasyprint_does(markup: PlainMarkup, images: dict[str, Any], **options: Any) -> Any:
    return HTML(string=markup.text, url_fetcher=markup.url_fetcher).render(
        font_config=markup.wardrobe.fonts,
        stylesheets=[markup.wardrobe.sheet],
        cache=images,
        **options,
    )


def test_papers_are_byte_for_byte_what_weasyprint_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = everything()
    again = everything()
    monkeypatch.setattr(render, "Markup", PlainMarkup)
    monkeypatch.setattr(render.Paper, "lay_out", as_weasyprint_does)
    plain = everything()
    assert [key for key, pdf in plain.items() if pdf != first[key]] == []
    assert [key for key, pdf in plain.items() if pdf != again[key]] == []


@pytest.mark.parametrize(
    "rule", ["tr + tr {}", "li:first-child {}", "p ~ p { color: red }", "td:not(.row) {}"]
)
def test_a_style_that_depends_on_neighbours_is_refused(rule: str) -> None:
    fonts = FontConfiguration()
    with pytest.raises(ValueError, match="neighbours"):
        Wardrobe(CSS(string=rule, font_config=fonts), rule, fonts)
