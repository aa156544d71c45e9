"""How the review desk works, as an internal scheme: what is listened to twice, how many cases get
a blind second opinion, how long a vendor has for its check of the facts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.kernel.phrases import phrase
from portal.schemes.flat import FlatScheme, choice, whole


class Twice(StrEnum):
    """Which cases are listened to a second time, by another auditor."""

    ALL = "all"
    FAILING = "failing"


@dataclass(frozen=True)
class ReviewTerms:
    """`facts_days`: working days for the vendor's check of facts. `opinion_percent`: of the judged
    cases, drawn at random for a blind second opinion (calibration)."""

    twice: Twice
    facts_days: int
    opinion_percent: int


_TERMS = FlatScheme(
    "review_terms",
    phrase("Review desk"),
    ReviewTerms,
    choice("second_listening", Twice.ALL),
    whole("facts_days", 1, 1, 10),
    whole("opinion_percent", 10, 0, 100),
    published=False,
)
REVIEW_TERMS, default_terms, review_terms = _TERMS.kind, _TERMS.default, _TERMS.on
