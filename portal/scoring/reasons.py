"""Why a point was lost, as a sentence in the reader's language (UX 15)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from portal.kernel.phrases import Phrase, phrase, plural
from portal.scoring.rules import Line
from portal.vendors.clauses import Level

_PERCENT = Decimal("0.01")
_RATIOS = ("rate", "target", "attainment")

_SENTENCES: Mapping[str, Phrase] = {
    "finding": plural(
        "Clause %(clause)s (%(level)s): %(points)s point, cases reviewed: %(reviewed)s",
        "Clause %(clause)s (%(level)s): %(points)s points, cases reviewed: %(reviewed)s",
        by="points",
    ),
    "finding.red_line": plural(
        "Clause %(clause)s (red line): %(points)s point, not divided",
        "Clause %(clause)s (red line): %(points)s points, not divided",
        by="points",
    ),
    "finding.undivided": plural(
        "Clause %(clause)s (%(level)s): %(points)s point",
        "Clause %(clause)s (%(level)s): %(points)s points",
        by="points",
    ),
    "finding.covered": phrase("Clause %(clause)s: the fact itself is counted already"),
    "recovery.below": phrase(
        "%(project)s %(age)s: %(rate)s recovered, %(target)s wanted, %(attainment)s of the target"
    ),
    "recovery.above": phrase(
        "%(project)s %(age)s: %(rate)s recovered, %(target)s wanted, above target at %(attainment)s"
    ),
    "complaint.justified": plural(
        "Justified complaint, over %(cases)s case in hand",
        "Justified complaint, over %(cases)s cases in hand",
        by="cases",
    ),
    "red_line.cap": phrase("Red line of clause %(clause)s: the month is capped at %(cap)s"),
    "reviews.missed": phrase("Case reviewed and not passed"),
    "records.missed": phrase("Collection record incomplete"),
    "self_checks.missed": phrase("Self-check not done or contradicted"),
    "self_checks.late": plural(
        "Self-check late by %(days)s working day",
        "Self-check late by %(days)s working days",
        by="days",
    ),
    "materials.missed": phrase("Material not delivered"),
    "materials.unusable": phrase("Material not delivered: no file of it can be used"),
    "materials.late": plural(
        "Material late by %(days)s working day", "Material late by %(days)s working days", by="days"
    ),
    "rectifications.missed": phrase("Rectification not answered in time"),
    "rectifications.late": plural(
        "Rectification late by %(days)s working day",
        "Rectification late by %(days)s working days",
        by="days",
    ),
    "reports.missed": phrase("Report not handed in"),
    "reports.late": plural(
        "Report late by %(days)s working day", "Report late by %(days)s working days", by="days"
    ),
    "replies.missed": phrase("Complaint not answered in time"),
    "replies.late": plural(
        "Complaint answered late by %(days)s working day",
        "Complaint answered late by %(days)s working days",
        by="days",
    ),
    "registration.missed": phrase("Person working without registration"),
    "training.missed": phrase("Person working without training"),
    "access.missed": phrase("Access not kept in order"),
}
_OTHER = phrase("Not in order")


def sentence(line: Line) -> Phrase:
    """The reason of a line, its figures as people read them."""
    return _SENTENCES.get(line.reason, _OTHER).filled(_readable(line.params))


def _readable(params: Mapping[str, str]) -> dict[str, object]:
    readable: dict[str, object] = dict(params)
    for name in _RATIOS:
        if name in params:
            readable[name] = percent(params[name])
    if "level" in params:
        readable["level"] = Level(params["level"]).label
    if "age" in params:
        readable["age"] = age_label(params["age"])
    return readable


def percent(ratio: str) -> str:
    """0.8333 as 83.33%, 0.0400 as 4%."""
    value = (Decimal(ratio) * 100).quantize(_PERCENT)
    return f"{value.normalize():f}%"


def age_label(age: str) -> Phrase | str:
    """An age band's name; M1 to M6+ are the same in every language."""
    return phrase("written off") if age == "written_off" else age
