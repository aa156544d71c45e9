"""Why a line of the statement is what it is, as a sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from portal.fees.rules import Line, LineKind
from portal.kernel.phrases import Phrase, phrase
from portal.scoring.reasons import age_label, percent

_AMOUNTS = ("receipts", "total", "limit")
_RATIOS = ("rate", "attainment", "from", "part", "cap")

_SENTENCES: Mapping[LineKind, Phrase] = {
    LineKind.COMMISSION: phrase("%(project)s %(age)s: %(receipts)s × %(rate)s"),
    LineKind.TIER: phrase("%(attainment)s of the target reached: × %(multiplier)s"),
    LineKind.FACTOR: phrase("Assessment grade %(grade)s: × %(factor)s"),
    LineKind.DEDUCTION: phrase("Contractual deduction under clause %(clause)s"),
    LineKind.DEDUCTION_CAP: phrase(
        "Deductions of %(total)s exceed %(cap)s of the fee and are limited to %(limit)s"
    ),
    LineKind.RED_LINE: phrase("Contractual deduction for a red line, clause %(clause)s"),
    LineKind.REWARD: phrase("Excellent case"),
    LineKind.REVERSAL: phrase(
        "Receipt of %(receipts)s reversed, commission of %(period)s taken back: × %(rate)s "
        "× %(multiplier)s × %(factor)s"
    ),
    LineKind.ADJUSTMENT: phrase("Adjustment: %(reason)s"),
}
_SLICE = phrase(
    "%(attainment)s of the target reached, %(part)s of the commission from %(from)s on: "
    "× %(multiplier)s"
)
_NO_GRADE = phrase("Not assessed this month: × %(factor)s")
_CITED = phrase("Clause %(clause)s, %(text)s: case %(case_no)s, form %(form)s")
_NO_CLAUSE = phrase("Contractual deduction")


def sentence(line: Line) -> Phrase:
    """The reason of a line, its figures as people read them."""
    return _template(line).filled(_readable(line.params))


def _template(line: Line) -> Phrase:
    params = line.params
    if line.kind is LineKind.TIER and params["part"] != "1.0000":
        return _SLICE
    if line.kind is LineKind.FACTOR and not params["grade"]:
        return _NO_GRADE
    if line.kind in (LineKind.DEDUCTION, LineKind.RED_LINE):
        if "clause" not in params:
            return _NO_CLAUSE
        if "text" in params:
            return _CITED
    return _SENTENCES[line.kind]


def _readable(params: Mapping[str, str]) -> dict[str, object]:
    readable: dict[str, object] = dict(params)
    for name in _RATIOS:
        if name in params:
            readable[name] = percent(params[name])
    for name in _AMOUNTS:
        if name in params:
            readable[name] = f"{Decimal(params[name]):,.2f}"
    if "age" in params:
        readable["age"] = age_label(params["age"])
    return readable
