"""The check that a paper's frozen content may be printed.

A slice builds one of the dicts of `papers/`, has it checked and freezes it with the number; the
renderer asks nobody anything more. Money, points and rates are decimal strings, never floats;
moments are ISO 8601 with offset; texts are in the reader's language as the slice wrote them.
Whoever issues checks what the rules ask of the paper (A6); here is checked that it is complete,
of sane length, and that its figures agree with each other. A field that need not be there may
also be None or empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase
from portal.notices.papers.audit import AssessmentForm
from portal.notices.papers.fees import FeeStatement
from portal.notices.papers.materials import DeliveryReceipt, MaterialRequest
from portal.notices.papers.rectification import RectificationNotice
from portal.notices.papers.score import ScoreReport
from portal.notices.schema import TooMany, aware, faults

KINDS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "material_request": MaterialRequest,
        "delivery_receipt": DeliveryReceipt,
        "assessment_form": AssessmentForm,
        "rectification_notice": RectificationNotice,
        "score_report": ScoreReport,
        "fee_statement": FeeStatement,
    }
)
SHOWN = 12
FULL_MARKS: Final = Decimal(100)


class InvalidSnapshot(Invalid):
    """The content cannot become a paper. `problems` lists each with its path."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """`problems` are technical English (paths and limits)."""
        shown = "; ".join(problems[:SHOWN])
        if len(problems) > SHOWN:
            shown += f"; +{len(problems) - SHOWN}"
        super().__init__(
            phrase("The paper cannot be made of this content: %(problems)s", problems=shown),
            phrase("Mend these entries, then issue again."),
        )
        self.problems = problems


class TooLarge(Invalid):
    """The content is longer than a paper may be."""

    def __init__(self, what: str, size: int, most: int) -> None:
        """`what` is the path of a list, or `content` for the paper's text as a whole."""
        super().__init__(
            phrase(
                "The paper is too large: %(what)s has %(size)s, at most %(most)s.",
                what=what,
                size=size,
                most=most,
            ),
            phrase("Issue several papers, each for a part of it."),
        )
        self.what, self.size, self.most = what, size, most


def validate(template: str, content: Mapping[str, Any]) -> None:
    """Refuse content that cannot be printed as `template`.

    Raises `InvalidSnapshot` with everything that is wrong, `TooLarge` when a list is too long,
    `KeyError` for an unknown template.
    """
    kind = KINDS[template]
    problems: list[str] = []
    for fault in faults(kind, content):
        if isinstance(fault, TooMany):
            raise TooLarge(fault.path, fault.rows, fault.most)
        problems.append(fault)
    if not problems:
        problems.extend(_AGREEMENTS[template](content))
    if problems:
        raise InvalidSnapshot(tuple(problems))


def _request(content: Mapping[str, Any]) -> Iterator[str]:
    draw = content.get("draw")
    if content["basis"] == "draw" and not draw:
        yield "draw: is missing (A3)"
    if content["basis"] == "call_up" and not content.get("reason"):
        yield "reason: is missing (A10)"
    if draw and draw["sample"] != len(content["cases"]):
        yield "draw.sample: is not the number of cases"
    yield from _ordered(content["period"])


def _receipt(content: Mapping[str, Any]) -> Iterator[str]:
    if aware(content["completed_at"]) < aware(content["begun_at"]):
        yield "completed_at: lies before begun_at"
    in_time = aware(content["completed_at"]) <= aware(content["request"]["due_at"])
    if content["on_time"] is not in_time:
        yield "on_time: contradicts completed_at and request.due_at"
    if content["on_time"] is not (content["late_working_days"] == 0):
        yield "late_working_days: contradicts on_time"
    counts = content["counts"]
    if counts["expected"] != counts["delivered"] + counts["missing"] + counts["unavailable"]:
        yield "counts: expected is not delivered + missing + unavailable"


def _form(content: Mapping[str, Any]) -> Iterator[str]:
    if content["passed"] > content["reviewed"]:
        yield "passed: is more than reviewed"
    reviews = content.get("reviews") or ()
    if reviews and len(reviews) != content["reviewed"]:
        yield "reviews: is not one for each reviewed case"
    if reviews and sum(review["passed"] for review in reviews) != content["passed"]:
        yield "passed: is not the number of passed reviews"
    yield from _ordered(content["period"])


def _notice(content: Mapping[str, Any]) -> Iterator[str]:
    if aware(content["due"]["at"]) <= aware(content["issued_at"]):
        yield "due.at: lies before the issue"


def _score(content: Mapping[str, Any]) -> Iterator[str]:
    cap = content.get("cap")
    total, before = Decimal(content["total"]), Decimal(content["before_cap"])
    # Recovery above its target may bring the dimensions above 100; a month ends there.
    within = min(before, FULL_MARKS)
    if total != (min(within, Decimal(cap["limit"])) if cap else within):
        yield "total: is not before_cap under the cap"
    if _sum(content["dimensions"], "score") != before:
        yield "before_cap: is not the sum of the dimensions"
    if "grade" in content and content["grade"] not in {b["grade"] for b in content["bands"]}:
        yield "grade: is not among bands"


def _statement(content: Mapping[str, Any]) -> Iterator[str]:
    if _sum(content["bands"], "commission") != Decimal(content["commission"]):
        yield "commission: is not the sum of the bands"
    payable = (
        Decimal(content["after_factor"])
        - _sum(content["deductions"], "amount")
        + _sum(content["rewards"], "amount")
        + _sum(content["adjustments"], "amount")
        - _sum(content["reversals"], "amount")
    )
    if payable != Decimal(content["payable"]):
        yield f"payable: the lines make {payable}"
    if Decimal(content["net"]) + Decimal(content["tax"]) != Decimal(content["payable"]):
        yield "payable: is not net + tax"
    yield from _ordered(content["period"])


def _ordered(period: Mapping[str, str]) -> Iterator[str]:
    if period["last"] < period["first"]:
        yield "period: ends before it begins"


def _sum(rows: Any, key: str) -> Decimal:
    return sum((Decimal(row[key]) for row in rows), Decimal(0))


_AGREEMENTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]]] = MappingProxyType(
    {
        "material_request": _request,
        "delivery_receipt": _receipt,
        "assessment_form": _form,
        "rectification_notice": _notice,
        "score_report": _score,
        "fee_statement": _statement,
    }
)
