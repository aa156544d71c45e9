"""Lay a paper out: WeasyPrint's steps, with styles that are known already.

The page is sound markup (the templates', with every text escaped) and brings no style sheets of
its own: it is read by the XML parser.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from xml.etree.ElementTree import Element

from cssselect2 import ElementWrapper
from defusedxml.ElementTree import fromstring
from weasyprint import DEFAULT_OPTIONS
from weasyprint.css import ColorProfile
from weasyprint.css.counters import CounterStyle
from weasyprint.css.targets import TargetCollector
from weasyprint.document import Document
from weasyprint.html import UA_COUNTER_STYLE
from weasyprint.images import get_image_from_uri
from weasyprint.layout import LayoutContext
from weasyprint.urls import URLFetcher

from portal.notices.styles import PaperStyles, Wardrobe


class Markup:
    """A paper's page, as WeasyPrint's steps read it."""

    base_url = None
    media_type = "print"

    def __init__(self, text: str, fetcher: URLFetcher, wardrobe: Wardrobe) -> None:
        """`text` is well-formed XML, of elements `head` and `body`. Raises `ParseError`."""
        self.etree_element: Element = fromstring(text)
        # Asked for what stands in the head alone.
        self.wrapper_element = ElementWrapper.from_html_root(self.etree_element[0])
        self.url_fetcher = fetcher
        self.wardrobe = wardrobe


class Paper(Document):  # type: ignore[misc]  # WeasyPrint has no types
    """A paper laid out, ready to be written."""

    @classmethod
    def lay_out(cls, markup: Markup, images: dict[str, Any], **options: Any) -> Paper:
        """Lay out a page; `images` keeps what was read of pictures, `options` are WeasyPrint's."""
        chosen = {**DEFAULT_OPTIONS, "cache": images, **options}
        profiles: dict[str, ColorProfile] = chosen.pop("color_profiles")
        made: Paper = cls._render(markup, markup.wardrobe.fonts, None, profiles, chosen)
        return made

    @classmethod
    def _build_layout_context(
        cls, html: Markup, fonts: Any, counters: CounterStyle, _profiles: Any, options: Any
    ) -> LayoutContext:
        """What layout goes by: styles, counters, pictures."""
        targets = TargetCollector()
        counters.update(UA_COUNTER_STYLE.copy())
        find = partial(
            get_image_from_uri,
            cache=options["cache"],
            url_fetcher=html.url_fetcher,
            options=options,
        )
        styles = PaperStyles(html, html.wardrobe, targets)
        return LayoutContext(styles, find, fonts, counters, targets)
