"""Why a line of the statement is what it is, as a sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from portal.fees.rules import Line, LineKind
from portal.kernel.phrases import Phrase, phrase
from portal.scoring.reasons import age_label, percent

_AMOUNTS = ("receipts", "total", "limit")
_MULTIPLIERS = ("multiplier", "factor")
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
    LineKind.LATE: phrase(
        "Case %(case_no)s: receipt of %(receipts)s of %(period)s, imported after that month was "
        "settled: × %(rate)s × %(multiplier)s × %(factor)s"
    ),
    LineKind.ADJUSTMENT: phrase("Adjustment: %(reason)s"),
}
_SLICE = phrase(
    "%(attainment)s of the target reached, %(part)s of the commission from %(from)s on: "
    "× %(multiplier)s"
)
_NO_GRADE = phrase("Not assessed this month: × %(factor)s")
_CITED = phrase("Clause %(clause)s, %(text)s: case %(case_no)s, form %(form)s")
_REVERSED = phrase(
    "Case %(case_no)s: receipt of %(receipts)s reversed, commission of %(period)s taken back: "
    "× %(rate)s × %(multiplier)s × %(factor)s"
)
_REWARDED = phrase("Excellent case %(case_no)s")
_NO_CLAUSE = phrase("Contractual deduction")


def sentence(line: Line) -> Phrase:
    """The reason of a line, its figures as people read them."""
    return _template(line).filled(_readable(line.params))


def _template(line: Line) -> Phrase:
    """The sentence of the line's kind, or the fuller one for what the line knows."""
    params = line.params
    fuller = {
        LineKind.TIER: _SLICE if params.get("part", "1.0000") != "1.0000" else None,
        LineKind.FACTOR: None if params.get("grade") else _NO_GRADE,
        LineKind.REVERSAL: _REVERSED if params.get("case_no") else None,
        LineKind.REWARD: _REWARDED if params.get("case_no") else None,
        LineKind.DEDUCTION: _deducted(params),
        LineKind.RED_LINE: _deducted(params),
    }
    return fuller.get(line.kind) or _SENTENCES[line.kind]


def _deducted(params: Mapping[str, str]) -> Phrase | None:
    if "clause" not in params:
        return _NO_CLAUSE
    return _CITED if "text" in params else None


def _readable(params: Mapping[str, str]) -> dict[str, object]:
    readable: dict[str, object] = dict(params)
    for name in _RATIOS:
        if name in params:
            readable[name] = percent(params[name])
    for name in _AMOUNTS:
        if name in params:
            readable[name] = f"{Decimal(params[name]):,.2f}"
    for name in _MULTIPLIERS:
        if name in params:
            readable[name] = multiplier_shown(Decimal(params[name]))
    if "age" in params:
        readable["age"] = age_label(params["age"])
    return readable


def multiplier_shown(multiplier: Decimal) -> str:
    """A multiplier as read: two places, four where each part has a tier of its own."""
    places = multiplier.quantize(Decimal("0.0001"))
    return f"{places:.2f}" if places == places.quantize(Decimal("0.01")) else f"{places:f}"
