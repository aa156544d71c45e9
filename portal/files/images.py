"""Photographs and scans: decode them whole, and make clean copies to show."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from portal.files import sandbox
from portal.files.problems import Refused

MAX_PIXELS = 60_000_000
_FORMATS = {"jpeg": "JPEG", "png": "PNG"}
_LIMITS = sandbox.Limits(memory=1 << 30, cpu=30, wall=60.0)


def check(path: Path, kind: str) -> tuple[int, int]:
    """Width and height in pixels of a `jpeg` or `png` that decodes to its last line.

    Raises `Refused` if it is damaged or has more than `MAX_PIXELS`.
    """
    with _decoded(path, kind) as image:
        return image.size


def clean_copy(path: Path, kind: str, target: Path, *, longest: int = 4000) -> tuple[int, int]:
    """Write a re-encoded copy, upright, without metadata or anything appended, in the sandbox.

    `longest`: the longer side in pixels at most. Returns the copy's width and height. Raises
    `Refused` if the image cannot be decoded.
    """
    outcome = sandbox.run(_copy_here, path, kind, target, longest, limits=_LIMITS)
    if outcome.value is None:
        raise Refused("image_damaged")
    return outcome.value


def _copy_here(path: Path, kind: str, target: Path, longest: int) -> tuple[int, int] | None:
    try:
        with _decoded(path, kind) as image:
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail((longest, longest))
            plain = Image.new(upright.mode, upright.size)
            plain.paste(upright)
            if upright.mode == "P" and (palette := upright.getpalette()):
                plain.putpalette(palette)
            plain.save(target, format=_FORMATS[kind])
            return plain.size
    except Refused:
        return None


def _decoded(path: Path, kind: str) -> Image.Image:
    try:
        image = Image.open(path, formats=(_FORMATS[kind],))
        if image.width * image.height > MAX_PIXELS:
            image.close()
            raise Refused("image_too_large", most=MAX_PIXELS // 1_000_000)
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Refused("image_damaged") from error
    except Image.DecompressionBombError as error:
        raise Refused("image_too_large", most=MAX_PIXELS // 1_000_000) from error
    return image
