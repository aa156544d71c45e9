"""What a paper may load while it is laid out: fonts, the mark, its own QR code. Nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import segno
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from portal.notices import fonts

SCHEME = "asset:"
PRINT = Path(__file__).resolve().parents[2] / "static" / "print"
QR_CODE = "qr"
_TYPES = {".png": "image/png", ".ttf": "font/ttf", ".svg": "image/svg+xml", ".css": "text/css"}


class Assets(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """A fetcher that denies every address but the known assets, and stops the rendering.

    A denied address would otherwise be left out in silence: a paper without its mark, or set in
    whatever font the machine happens to have.
    """

    def __init__(self, made: Mapping[str, bytes] | None = None) -> None:
        """`made` are this paper's own assets by name."""
        super().__init__(allowed_protocols=(), allow_redirects=False)
        self._made = made or {}

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """The asset's bytes; `FatalURLFetchingError` for anything unknown."""
        name = url.removeprefix(SCHEME)
        if not url.startswith(SCHEME):
            raise FatalURLFetchingError(f"not an asset of a paper: {url[:80]}")
        if name in self._made:
            body = self._made[name]
        elif name in _KNOWN:
            body = _KNOWN[name].read_bytes()
        else:
            raise FatalURLFetchingError(f"no such asset: {name[:80]}")
        return URLFetcherResponse(url, body, {"Content-Type": _TYPES[Path(name).suffix]})


def seal_name(picture: bytes) -> str:
    """The asset's name of a seal's picture, by its type."""
    return "seal.png" if picture.startswith(b"\x89PNG") else "seal.svg"


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
_KNOWN: Mapping[str, Path] = {
    "mark.svg": PRINT / "mark.svg",
    **{name: fonts.FOLDER / name for name in fonts.files().values()},
}
