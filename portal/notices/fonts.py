"""The print fonts of the notices: their faces as CSS, and which characters they can print.

`bin/build-fonts` puts them into static/dist/fonts. A character without a glyph would silently
break PDF/A, so text is checked against the fonts before it is laid out.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "static" / "dist" / "fonts"
MANIFEST = "fonts.json"

WEIGHTS = (400, 700)
# The script's own core and full face first, the other script behind them: papers of one language
# quote names written in the other. Han characters look right for the reader that way.
FAMILIES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "zh_Hans_CN": (("sc", "core"), ("sc", "full"), ("tc", "full")),
    "zh_Hant_TW": (("tc", "core"), ("tc", "full"), ("sc", "full")),
    "en": (("sc", "core"), ("sc", "full"), ("tc", "full")),
}
LANGUAGES: Mapping[str, str] = {"zh_Hans_CN": "zh-CN", "zh_Hant_TW": "zh-TW", "en": "en"}


class FontsMissing(RuntimeError):
    """The print fonts were not built; `bin/build-fonts` builds them."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """A set of code points as sorted, disjoint runs."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @classmethod
    def of(cls, runs: Iterable[tuple[int, int]]) -> Coverage:
        """Runs may overlap (first and last code point, both included)."""
        starts: list[int] = []
        ends: list[int] = []
        for first, last in sorted(runs):
            if ends and first <= ends[-1] + 1:
                ends[-1] = max(ends[-1], last)
            else:
                starts.append(first)
                ends.append(last)
        return cls(tuple(starts), tuple(ends))

    def __contains__(self, character: str) -> bool:
        """Whether the fonts have a glyph for the character."""
        point = ord(character)
        index = bisect_right(self.starts, point) - 1
        return index >= 0 and point <= self.ends[index]


def load_coverage(folder: Path = FOLDER) -> Coverage:
    """What the print fonts hold together. Raises `FontsMissing`."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Coverage.of(
            (first, last) for runs in manifest["coverage"].values() for first, last in runs
        )
    except (OSError, ValueError, KeyError) as error:
        raise FontsMissing("the print fonts are not built: run bin/build-fonts") from error


def files() -> dict[str, str]:
    """The faces' file names by family-and-weight key, for the assets that a notice may load."""
    scripts = sorted({face for faces in FAMILIES.values() for face in faces})
    return {
        f"{script}-{cut}-{weight}": f"{script}-{cut}-{weight}.ttf"
        for script, cut in scripts
        for weight in WEIGHTS
    }


def style_sheet(address: str) -> str:
    """The @font-face rules, and the families' order by language.

    `address` is the URL prefix under which the notice's fetcher serves the faces.
    """
    rules = []
    for key, name in files().items():
        script, cut, weight = key.split("-")
        rules.append(
            f'@font-face{{font-family:"{_family(script, cut)}";font-weight:{weight};'
            f'src:url("{address}{name}")}}'
        )
    for locale, faces in FAMILIES.items():
        order = ",".join(f'"{_family(script, cut)}"' for script, cut in faces)
        rules.append(f'html[lang="{LANGUAGES[locale]}"]{{font-family:{order}}}')
    return "\n".join(rules)


def _family(script: str, cut: str) -> str:
    return f"Notice {script.upper()} {cut.title()}"
