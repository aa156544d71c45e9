"""Pictures that are drawn on papers: checked and written anew in the sandbox, PNG or SVG."""

from __future__ import annotations

import importlib
import io
from typing import Any
from xml.etree.ElementTree import Element, register_namespace, tostring

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from portal.files import sandbox
from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase

MOST_BYTES = 512 * 1024
LONGEST_SIDE = 1200
MOST_ELEMENTS = 5_000
MOST_PIXELS = 16_000_000
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    {"svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon"}
)
_NAMES = (
    "viewBox width height x y x1 y1 x2 y2 cx cy r rx ry d points transform fill fill-rule"
    " fill-opacity stroke stroke-width stroke-linecap stroke-linejoin stroke-opacity opacity"
)
_ATTRIBUTES = frozenset(_NAMES.split(" "))
_LIMITS = sandbox.Limits(memory=512 << 20, cpu=10, wall=20.0)


def clean(picture: bytes) -> bytes:
    """The picture drawn anew: nothing of the file is kept but shapes or pixels.

    Raises `Invalid` for anything but a PNG or an SVG of plain shapes (text as outlines).
    """
    if not picture or len(picture) > MOST_BYTES:
        raise Invalid(phrase("The picture must be a file of at most %(most)s KB.", most=512))
    outcome = sandbox.run(clean_here, picture, limits=_LIMITS)
    if not outcome.value:
        raise Invalid(
            phrase("The picture cannot be used."),
            phrase("Upload a PNG, or an SVG of plain shapes with its text turned into outlines."),
        )
    return outcome.value


def clean_here(picture: bytes) -> bytes | None:
    """Runs in the sandbox; None for what is refused."""
    return _png(picture) if picture.startswith(PNG_MAGIC) else _svg(picture)


def _png(picture: bytes) -> bytes | None:
    image_module: Any = importlib.import_module("PIL.Image")
    image = image_module.open(io.BytesIO(picture), formats=("PNG",))
    if image.width * image.height > MOST_PIXELS:
        return None
    plain = image.convert("RGBA")
    plain.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    written = io.BytesIO()
    plain.save(written, format="PNG")
    return written.getvalue()


def _svg(picture: bytes) -> bytes | None:
    try:
        root = ElementTree.fromstring(picture, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        return None
    if root.tag != f"{{{_SVG}}}svg" or not root.get("viewBox"):
        return None
    if sum(1 for _ in root.iter()) > MOST_ELEMENTS or not all(map(_plain, root.iter())):
        return None
    register_namespace("", _SVG)
    drawn: bytes = tostring(root, encoding="utf-8")
    return drawn


def _plain(element: Element) -> bool:
    """Keep known shapes with known attributes; anything that could load or run is refused."""
    # A comment's tag is a function.
    if str(element.tag).removeprefix(f"{{{_SVG}}}") not in _ELEMENTS:
        return False
    element.text = element.tail = None
    for name in list(element.attrib):
        if name not in _ATTRIBUTES:
            del element.attrib[name]
        elif "url(" in element.attrib[name].lower() or ":" in element.attrib[name]:
            return False
    return True
