"""Make a text fit for print: normalised, only characters that the fonts have, breakable.

A character without a glyph is replaced by 〓 (the printer's mark for a missing sort) and reported,
so that the paper can say so; the attached data keep the text as it was written. Refusing instead
would leave an issued number without a paper because of one emoji in a quoted message.
"""

from __future__ import annotations

import re
import unicodedata

from portal.notices.fonts import Coverage

MISSING_SORT = "〓"
BREAK = "\u200b"
LONGEST_RUN = 40
BREAK_EVERY = 20
MOST_MARKS = 4
# What a line break weighs beside a character: it takes a line of its own.
LINE_WEIGHT = 80

# Controls, formats (direction marks, joiners), surrogates, private use, unassigned.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_LINE_BREAKS = re.compile("\r\n?|[\u0085\u2028\u2029]")
_EMPTY_LINES = re.compile(r"\n\s*\n\s*\n")
_CJK = (
    "\u2e80-\u2fff\u3040-\u30ff\u3100-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
# What layout cannot break: a long word, or a long row of punctuation. Measured: one word of
# 20,000 letters took 43 s.
_RUN = re.compile(rf"[^\s{_CJK}]{{{LONGEST_RUN + 1},}}")


def clean(text: str) -> str:
    """NFC, line ends as \\n, no control or direction characters, no towers of combining marks."""
    text = _LINE_BREAKS.sub("\n", unicodedata.normalize("NFC", text)).replace("\t", " ")
    text = _SELECTORS.sub("", text)
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category.startswith("M") else 0
        if marks <= MOST_MARKS and (category not in _DROPPED or character == "\n"):
            kept.append(character)
    return _EMPTY_LINES.sub("\n\n", "".join(kept))


def breakable(text: str) -> str:
    """Let a run of more than 40 characters without a break be broken at every twentieth."""
    return _RUN.sub(_broken, text)


def _broken(match: re.Match[str]) -> str:
    run = match[0]
    return BREAK.join(run[at : at + BREAK_EVERY] for at in range(0, len(run), BREAK_EVERY))


class Typesetter:
    """Sets the texts of one paper.

    `missing` holds the characters that the fonts lack, in the order they came; `weight` is what
    has been set so far, in characters, a line break counting for 80.
    """

    def __init__(self, coverage: Coverage) -> None:
        """`coverage` is what the print fonts hold together."""
        self._coverage = coverage
        self.missing: dict[str, None] = {}
        self.weight = 0

    def set(self, text: str) -> str:
        """The text as it is printed."""
        cleaned = clean(text)
        self.weight += len(cleaned) + LINE_WEIGHT * cleaned.count("\n")
        return breakable("".join(map(self._sort, cleaned)))

    def _sort(self, character: str) -> str:
        if character == "\n" or character in self._coverage:
            return character
        if character.isspace():
            return " "
        self.missing[character] = None
        return MISSING_SORT
