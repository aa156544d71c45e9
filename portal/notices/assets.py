"""What a paper may load while it is laid out: fonts, the mark. Nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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

    def __init__(self) -> None:
        """No protocol is allowed, and nothing is followed."""
        super().__init__(allowed_protocols=(), allow_redirects=False)

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        """The asset's bytes; `FatalURLFetchingError` for anything unknown."""
        name = url.removeprefix(SCHEME)
        if not url.startswith(SCHEME):
            raise FatalURLFetchingError(f"not an asset of a paper: {url[:80]}")
        if name not in _KNOWN:
            raise FatalURLFetchingError(f"no such asset: {name[:80]}")
        body = _KNOWN[name].read_bytes()
        return URLFetcherResponse(url, body, {"Content-Type": _TYPES[Path(name).suffix]})


def seal_name(picture: bytes) -> str:
    """The asset's name of a seal's picture, by its type."""
    return "seal.png" if picture.startswith(b"\x89PNG") else "seal.svg"


_KNOWN: Mapping[str, Path] = {
    "mark.svg": PRINT / "mark.svg",
    **{name: fonts.FOLDER / name for name in fonts.files().values()},
}
