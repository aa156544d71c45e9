"""How the review desk works, as an internal scheme: what is listened to twice, how many cases get
a blind second opinion, how long a vendor has for its check of the facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from portal.kernel.content import Reader
from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, in_force, register


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


def default_terms() -> dict[str, Any]:
    """The shipped content: "default, edit me"."""
    return {"second_listening": "all", "facts_days": 1, "opinion_percent": 10}


def parse_terms(content: Mapping[str, Any]) -> ReviewTerms:
    """The terms that `content` describes. Raises `ContentError` (a `ValueError`)."""
    root = Reader(content)
    root.only("second_listening", "facts_days", "opinion_percent")
    terms = ReviewTerms(
        root.field("second_listening").choice(Twice),
        root.field("facts_days").whole(1, 10),
        root.field("opinion_percent").whole(0, 100),
    )
    root.done()
    return terms


REVIEW_TERMS = register(
    SchemeKind(
        key="review_terms",
        title=phrase("Review desk"),
        default=default_terms,
        check=parse_terms,
        published=False,
    )
)


def review_terms(session: Session, day: date) -> ReviewTerms:
    """The terms in force on a day (company scope)."""
    return parse_terms(in_force(session, REVIEW_TERMS, day).content)
