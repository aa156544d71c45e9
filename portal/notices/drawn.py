"""Pictures of papers that layout takes as they are: the QR code, and a seal's pixels, read once."""

from __future__ import annotations

import io
import re
from functools import lru_cache
from typing import Any

import pydyf
import segno
from PIL import Image
from weasyprint.images import RasterImage

KEPT_SEALS = 4


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


@lru_cache(KEPT_SEALS)
def seal_picture(png: bytes) -> SealPicture:
    """The picture, kept for the papers that follow."""
    return SealPicture(png)
