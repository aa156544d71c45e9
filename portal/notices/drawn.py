"""Pictures of papers that layout takes as they are: the QR code, and a seal's pixels, read once."""

from __future__ import annotations

import io
import re
from functools import lru_cache
from typing import Any

import pydyf
import segno
from defusedxml.ElementTree import fromstring
from PIL import Image
from weasyprint.images import RasterImage, SVGImage

KEPT_SEALS, KEPT_STATES = 4, 8
"""So many seals are kept in a worker, each as drawn from so many states of a page: at most some
20 MB, for the finest pictures that are taken."""
PNG = b"\x89PNG"
_STATE = ("_current_color", "_current_color_stroke", "_current_alpha", "_current_alpha_stroke")
"""What a page has set already, and a drawing therefore leaves out."""


class QrCode:
    """An address as a QR code without its quiet zone (the page leaves it), as layout takes a
    picture: drawn straight into the page, one rectangle a run of dark modules."""

    def __init__(self, address: str) -> None:
        """`address` in full, as phones open it."""
        # A fixed mask: trying all eight is most of the time, and readers read each.
        made = segno.make(address, error="m", micro=False, mask=2)
        self._rows = [bytes(bool(module) for module in row) for row in made.matrix]

    def get_intrinsic_size(self, _resolution: float, _font_size: float) -> tuple[None, None, int]:
        """No size, but a square."""
        return None, None, 1

    def draw(self, stream: Any, width: float, height: float, _style: Any) -> None:
        """Fill the dark modules; called by layout."""
        stream.transform(a=width / len(self._rows), d=height / len(self._rows))
        stream.set_color_rgb(0, 0, 0)
        for top, row in enumerate(self._rows):
            for run in _DARK.finditer(row):
                stream.rectangle(run.start(), top, run.end() - run.start(), 1)
        stream.fill()


_DARK = re.compile(b"\x01+")


class SealPicture(RasterImage):  # type: ignore[misc]  # WeasyPrint has no types
    """A seal's pixels, packed for the PDF once: that takes longer than half a paper."""

    def __init__(self, png: bytes) -> None:
        """`png` is a picture that was drawn anew when it was uploaded."""
        with Image.open(io.BytesIO(png), formats=("PNG",)) as opened:
            super().__init__(opened, "seal", png)
        self._packed = super().get_x_object(interpolate=False, dpi_ratio=1)

    def get_x_object(self, interpolate: bool, dpi_ratio: float) -> pydyf.Stream:
        """The picture as an object of a PDF's own; never interpolated (PDF/A)."""
        return _fresh(self._packed)


def _fresh(packed: pydyf.Stream) -> pydyf.Stream:
    extra = pydyf.Dictionary(packed.extra)
    if "SMask" in extra:
        extra["SMask"] = _fresh(extra["SMask"])
    return pydyf.Stream(list(packed.stream), extra)


class SealShapes(SVGImage):  # type: ignore[misc]  # WeasyPrint has no types
    """A seal's shapes, read once and drawn once: what they put into a page is kept as bytes, and
    put into every further page that is in the same state. What needs more of a PDF than that
    (half-seen groups are objects of their own) is drawn each time, from the shapes once read."""

    def __init__(self, svg: bytes) -> None:
        """`svg` is a picture of plain shapes that was drawn anew when it was uploaded."""
        super().__init__(fromstring(svg), "seal.svg", None, None)
        self._kept: dict[tuple[Any, ...], tuple[bytes, dict[str, dict[str, float]]]] = {}

    def draw(self, stream: Any, width: float, height: float, style: Any) -> None:
        """Draw the shapes; called by layout."""
        key = (width, height, *(getattr(stream, name) for name in _STATE))
        if key not in self._kept:
            self._draw(stream, width, height, style, key)
            return
        operators, opacities = self._kept[key]
        for name, opacity in opacities.items():
            stream._resources["ExtGState"].setdefault(name, pydyf.Dictionary(opacity))
        stream.stream.append(operators)
        for name in (*_STATE, "_current_font"):
            setattr(stream, name, None)

    def _draw(
        self, stream: Any, width: float, height: float, style: Any, key: tuple[Any, ...]
    ) -> None:
        """Draw, and keep what was drawn when it is operators and opacities and nothing else."""
        resources, begun = stream._resources, len(stream.stream)
        held = {name: len(kind) for name, kind in resources.items() if name != "ExtGState"}
        super().draw(stream, width, height, style)
        operators = stream.stream[begun:]
        plain = all(len(resources[name]) == count for name, count in held.items())
        ended = all(getattr(stream, name) is None for name in (*_STATE, "_current_font"))
        if not (plain and ended and len(self._kept) < KEPT_STATES and operators[:1] == [b"q"]):
            return
        named = dict.fromkeys(one[1:-3].decode() for one in operators if one.endswith(b" gs"))
        opacities = {name: dict(resources["ExtGState"][name]) for name in named}
        self._kept[key] = (b"\n".join(operators), opacities)


@lru_cache(KEPT_SEALS)
def seal_picture(picture: bytes) -> SealPicture | SealShapes:
    """The picture, PNG or SVG, kept for the papers that follow."""
    return (SealPicture if picture.startswith(PNG) else SealShapes)(picture)
