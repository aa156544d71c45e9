"""Styles of papers' elements, worked out once a process.

WeasyPrint matches every selector with every element, and computes some hundred properties of each
style, anew for each paper: a fifth of its processor time. The papers' elements and classes come
from a few templates, so that what was found for one paper holds for the next: which rules match
an element of this kind below these ancestors, and what its properties compute to. Only values are
kept; each paper has style objects of its own.
"""

from __future__ import annotations

import re
from functools import cached_property
from importlib.resources import files
from math import inf
from typing import Any
from xml.etree.ElementTree import Element

from cssselect2 import ElementWrapper
from weasyprint import CSS
from weasyprint.css import (
    AnonymousStyle,
    ComputedStyle,
    InitialStyle,
    StyleFor,
    declaration_precedence,
)
from weasyprint.html import UA_STYLESHEET
from weasyprint.text.fonts import FontConfiguration

_ATTRIBUTE = re.compile(r"\[\s*([a-z-]+)")
_PAGE_RULE = re.compile(r"@page[^{]*\{(?:[^{}]|\{[^}]*\})*\}")
_BLOCK_OR_COMMENT = re.compile(r"/\*.*?\*/|\{[^{}]*\}", re.DOTALL)
_BY_PLACE = re.compile(r"[+~]|:(?:first|last|only|nth|empty|has|is|not|where)\b")


class Kept:
    """What is known of a style: the values that were computed, and the styles below it."""

    __slots__ = ("_anonymous", "_below", "cascaded", "marks", "specified", "values")

    def __init__(self, cascaded: dict[str, Any] | None = None) -> None:
        """`cascaded` are the declarations that hold for it, by property."""
        self.cascaded = cascaded or {}
        self.values: dict[str, Any] = {}
        self.specified: dict[str, Any] = {}
        self.marks: dict[str, Kept] = {}  # pseudo-elements
        self._anonymous: Kept | None = None
        self._below: dict[object, Kept] = {}

    def anonymous(self) -> Kept:
        """Of the boxes that it has without an element."""
        if self._anonymous is None:
            self._anonymous = Kept()
        return self._anonymous

    def below(self, key: object) -> Kept | None:
        """Of its children of one kind; None before the first."""
        return self._below.get(key)

    def keep(self, key: object, kept: Kept) -> Kept:
        """Remember the children of a kind."""
        self._below[key] = kept
        return kept


class _Anonymous(AnonymousStyle):  # type: ignore[misc]  # WeasyPrint has no types
    """An anonymous box's style that begins with the known values."""

    def __init__(self, parent: Any, kept: Kept) -> None:
        super().__init__(parent)
        self.kept = kept
        self.update(kept.values)

    def __missing__(self, key: str) -> Any:
        value = self.kept.values[key] = super().__missing__(key)
        return value

    @cached_property
    def anonymous_style(self) -> AnonymousStyle:
        return _Anonymous(self, self.kept.anonymous())


class _Computed(ComputedStyle):  # type: ignore[misc]
    """An element's style that begins with the known values."""

    def __init__(self, kept: Kept, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.kept = kept
        self.specified = kept.specified
        self.update(kept.values)

    def copy(self) -> ComputedStyle:
        """A style that may be changed: what it computes from then on is its own."""
        made = ComputedStyle(
            self.parent_style, self.cascaded, self.pseudo_type, self.root_style,
            self.base_url, self.font_config, self.initial_page_sizes,
        )  # fmt: skip
        made.update(self)
        made.specified = self.specified.copy()
        return made

    def __missing__(self, key: str) -> Any:
        value = self.kept.values[key] = super().__missing__(key)
        return value

    @cached_property
    def anonymous_style(self) -> AnonymousStyle:
        return _Anonymous(self, self.kept.anonymous())


class Wardrobe:
    """The style sheets of papers and what is known of the styles that they give.

    Elements of one name, with the same attributes as far as a selector asks for them, below the
    same ancestors, are of one kind. So no selector may ask for what stands beside an element.
    """

    def __init__(self, sheet: CSS, text: str, fonts: FontConfiguration) -> None:
        """`sheet` is the papers' style sheet, `text` its source. Raises `ValueError` for a
        selector that asks for more than an element and its ancestors."""
        asked = _BLOCK_OR_COMMENT.sub(" ", _PAGE_RULE.sub(" ", text))
        if found := _BY_PLACE.search(asked):
            raise ValueError(f"papers' styles do not depend on neighbours: {found[0]}")
        usual = (files("weasyprint.css") / "html5_ua.css").read_text(encoding="utf-8")
        self.sheet = sheet
        self.sheets = ((UA_STYLESHEET, "user agent", None), (sheet, "user", None))
        self.fonts = fonts
        self.root = Kept()
        self._asked = {"class", "id", "lang", *_ATTRIBUTE.findall(usual + text)}

    def kind(self, element: Element) -> object:
        """What the element is to selectors, its ancestors apart."""
        asked = self._asked
        return element.tag, *(pair for pair in element.items() if pair[0] in asked)

    def match(self, wrapper: ElementWrapper) -> Kept:
        """Find the declarations that hold for an element and its pseudo-elements."""
        found: dict[str | None, dict[str, Any]] = {None: {}}
        for sheet, origin, _ in self.sheets:
            for specificity, _order, mark, (declarations, layer) in sheet.matcher.match(wrapper):
                place = inf if layer is None else sheet.layers.index(layer)
                style = found.setdefault(mark, {})
                for name, values, importance in declarations:
                    weight = declaration_precedence(origin, importance), place, specificity
                    if name not in style or style[name][1] <= weight:
                        style[name] = values, weight
        kept = Kept(found.pop(None))
        kept.marks = {str(mark): Kept(cascaded) for mark, cascaded in found.items()}
        return kept


class PaperStyles(StyleFor):  # type: ignore[misc]
    """The styles of one paper's elements."""

    def __init__(self, html: Any, wardrobe: Wardrobe, targets: Any) -> None:
        """`html` is the paper, `targets` what collects anchors for WeasyPrint."""
        self._cascaded_styles: dict[Any, Any] = {}
        self._computed_styles: dict[Any, Any] = {}
        self.initial_page_sizes = {"box": None, "area": None}
        self._sheets = wardrobe.sheets
        self.font_config = wardrobe.fonts
        self._wardrobe, self._html, self._targets = wardrobe, html, targets
        self._wrappers: dict[Element, ElementWrapper] = {}
        self._made: dict[Kept, Any] = {}
        self._dress(html.etree_element, wardrobe.root, None)

    def _dress(self, element: Element, above: Kept, parent: Any) -> None:
        """Give the element and what is in it their styles."""
        kind = self._wardrobe.kind(element)
        kept = above.below(kind)
        if kept is None:
            if element.get("style") is not None:
                raise ValueError("papers' elements have no styles of their own")
            kept = above.keep(kind, self._wardrobe.match(self._wrapper(element)))
        style = self._made.get(kept)
        if style is None:
            style = self._made[kept] = self._style(kept, parent, None)
            if self._targets and style["anchor"]:
                self._targets.collect_anchor(style["anchor"])
        self._computed_styles[element, None] = style
        for mark, below in kept.marks.items():
            self._computed_styles[element, mark] = self._style(below, style, mark)
        for child in element:
            self._dress(child, kept, style)

    def _style(self, kept: Kept, parent: Any, mark: str | None) -> _Computed:
        return _Computed(
            kept, parent, kept.cascaded, mark, self._root(), self._html.base_url,
            self.font_config, self.initial_page_sizes,
        )  # fmt: skip

    def _root(self) -> Any:
        """The root element's style; what stands in its place while it is made."""
        return self._computed_styles.get((self._html.etree_element, None)) or InitialStyle(
            self.font_config
        )

    def _wrapper(self, element: Element) -> ElementWrapper:
        """The element as selectors see it; all are made when the first is wanted."""
        if not self._wrappers:
            every = ElementWrapper.from_html_root(self._html.etree_element).iter_subtree()
            self._wrappers = {one.etree_element: one for one in every}
        return self._wrappers[element]

    def set_computed_styles(
        self,
        element: Any,
        parent: Any,
        root: Any = None,
        pseudo_type: str | None = None,
        base_url: str | None = None,
        target_collector: Any = None,
    ) -> None:
        """Set the style of a page or of a box in its margin, by the rules that hold for it."""
        above = self._computed_styles[parent, None]
        cascaded = self._cascaded_styles.get((element, pseudo_type), {})
        kind = pseudo_type, *((name, id(found[0])) for name, found in cascaded.items())
        kept = above.kept.below(kind) or above.kept.keep(kind, Kept(cascaded))
        self._computed_styles[element, pseudo_type] = self._style(kept, above, pseudo_type)
