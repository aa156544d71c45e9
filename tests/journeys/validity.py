"""Whether a page is valid HTML: parse errors, content models, references, attributes.

The parser is the one that typesets the papers; it records every parse error of the HTML standard.
What a parser takes in silence (a block in a phrase, a list without items) is sought in its tree.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tinyhtml5.parser import HTMLParser

_TEMPLATE = re.compile(r"<template\b.*?</template>", re.DOTALL)
"""What scripts clone is no part of the page; the parser knows no template."""
_HTML = "{http://www.w3.org/1999/xhtml}"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BLOCKS = _words(
    "address article aside blockquote details dialog div dl fieldset figure footer form h1 h2 h3"
    " h4 h5 h6 header hr main menu nav ol p pre section table ul"
)
_HOLD_PHRASES = _words(
    "abbr b bdi bdo button cite code dfn em h1 h2 h3 h4 h5 h6 i kbd label legend mark output p pre"
    " q s samp small span strong sub sup time u var"
)
"""Elements that hold phrases only; `a` holds what its parent may."""
_ALWAYS = _words("template script")
_CHILDREN = {
    "ul": _words("li"),
    "ol": _words("li"),
    "dl": _words("dt dd div"),
    "tr": _words("th td"),
    "select": _words("option optgroup hr"),
}
_PARENTS = {"li": _words("ul ol menu"), "dt": _words("dl div"), "dd": _words("dl div")}
_OPERATED = _words("a button details embed iframe input label select textarea")
_NOT_WITHIN = {"a": _words("a button"), "button": _words("a button"), "label": _words("label")}
_ONE_ID = ("for", "form", "list", "aria-activedescendant")
_SOME_IDS = ("aria-describedby", "aria-labelledby", "aria-controls", "aria-owns", "headers")
_OBSOLETE = _words("align bgcolor border cellpadding cellspacing valign nowrap language")
_OBSOLETE_TAGS = _words("acronym big center dir font marquee nobr strike tt")
_NEEDED = {"img": ("src", "alt"), "iframe": ("title",), "progress": ("aria-label",)}


def invalid(text: str) -> list[str]:
    """What is not valid in a page, a line each."""
    parser = HTMLParser()
    root = parser.parse(_TEMPLATE.sub("", text))
    found = [f"line {place[0]}: {code} {values or ''}" for place, code, values in parser.errors]
    found += _references(root)
    for element, above in _walk(root, ()):
        place = " ".join((*above[-3:], _name(element)))
        found += [f"{place}: {one}" for one in _misplaced(element, above)]
        found += [f"{place}: {one}" for one in _attributes(element)]
    return found


def _name(element: Element) -> str:
    tag: object = element.tag  # a comment's is a function
    return tag.removeprefix(_HTML) if isinstance(tag, str) else ""


def _walk(element: Element, above: tuple[str, ...]) -> Iterator[tuple[Element, tuple[str, ...]]]:
    if _name(element):
        yield element, above
        for child in element:
            yield from _walk(child, (*above, _name(element)))


def _references(root: Element) -> list[str]:
    """Ids that stand twice, and references to ids that are not there."""
    elements = [one for one in root.iter() if _name(one)]
    ids = Counter(one.attrib["id"] for one in elements if "id" in one.attrib)
    found = [f"the id {name!r} stands {times} times" for name, times in ids.items() if times > 1]
    found += [f"the id {name!r} is not one word" for name in ids if len(name.split()) != 1]
    for one in elements:
        wanted = [one.attrib[name] for name in _ONE_ID if name in one.attrib]
        for name in _SOME_IDS:
            wanted += one.attrib.get(name, "").split()
        href = one.attrib.get("href", "")
        wanted += [href[1:]] if href.startswith("#") else []
        missing = [name for name in wanted if name not in ids]
        found += [f"{_name(one)} refers to #{name}, which is not there" for name in missing]
    return found


def _misplaced(element: Element, above: tuple[str, ...]) -> Iterator[str]:
    """What may not stand where it does, or may not hold what it does."""
    name = _name(element)
    holder = next((one for one in reversed(above) if one not in ("a", "ins", "del")), "")
    if name in _BLOCKS and holder in _HOLD_PHRASES:
        yield f"a block in {holder}"
    if name in _PARENTS and above[-1] not in _PARENTS[name]:
        yield f"not in {above[-1]}"
    if name in _CHILDREN:
        wrong = {_name(child) for child in element} - _CHILDREN[name] - _ALWAYS - {""}
        yield from (f"may not hold {child}" for child in wrong)
    if name in _OPERATED and element.attrib.get("type") != "hidden":
        yield from (f"within {outer}" for outer in {"a", "button"} & set(above))
    yield from (f"within {outer}" for outer in _NOT_WITHIN.get(name, _words("")) & set(above))


def _attributes(element: Element) -> Iterator[str]:
    name = _name(element)
    if name in _OBSOLETE_TAGS:
        yield "obsolete"
    if element.tag.startswith(_HTML):
        yield from (f"obsolete attribute {one}" for one in _OBSOLETE & set(element.attrib))
    yield from (f"lacks {one}" for one in _NEEDED.get(name, ()) if one not in element.attrib)
