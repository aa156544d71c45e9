"""What is kept between papers changes none: not a byte, whatever was printed before."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from weasyprint import CSS, HTML, images
from weasyprint.text.fonts import FontConfiguration

from portal.notices import drawn, layout, render
from portal.notices.layout import Paper
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


SHAPES = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40" fill="#c00">'
    b'<circle cx="20" cy="20" r="18" fill="none" stroke="#c00" stroke-opacity=".4"/>'
    b'<path d="M5 5 L9 9 C 9 9 12 4 7 3 Z" fill-opacity=".7" transform="rotate(20)"/>'
    b'<rect width="9" height="4" x="12" y="13" fill="#00f" stroke-width="0.3" stroke="#111"/>'
    b"%s</svg>"
)
GROUP = b'<g opacity=".5"><circle cx="20" cy="20" r="3"/><line x1="1" x2="9" stroke="#0a0"/></g>'


@pytest.mark.parametrize("more", [b"", GROUP])
def test_a_seal_of_shapes_is_drawn_once_and_the_same(
    more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On papers of several kinds, again and again: what WeasyPrint draws of it. At most four seals
    are kept."""
    edition = Edition("恒信", SHAPES % more)
    kinds = ("fee_statement", "rectification_notice")

    def printed() -> list[str]:
        return [render.render(kind, PAPERS[kind], "en", edition).sha256 for kind in kinds]

    once = printed()
    with monkeypatch.context() as patched:
        if more != GROUP:
            patched.setattr(drawn.SealShapes, "_draw", None)
        assert printed() == once, "of what was drawn already"
    plain = partial(images.SVGImage, base_url="", url_fetcher=None, context=None)
    monkeypatch.setattr(render, "seal_picture", lambda picture: plain(fromstring(picture)))
    assert printed() == once
    for number in range(9):
        drawn.seal_picture(SHAPES % (b"<g><g/></g>" * number))
    assert drawn.seal_picture.cache_info().currsize == drawn.KEPT_SEALS


def test_papers_are_byte_for_byte_what_weasyprint_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    first = everything()
    again = everything()
    monkeypatch.setattr(render, "Markup", PlainMarkup)
    monkeypatch.setattr(Paper, "lay_out", as_weasyprint_does)
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
