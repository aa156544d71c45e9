"""The periods of rectification as a published scheme: the effectiveness re-check (复查, C2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from portal.kernel.content import Reader
from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, in_force, register


@dataclass(frozen=True)
class RectificationTerms:
    """`recheck`: days from acceptance after which the effect is checked again; `recheck_due`:
    working days that the company then has for it."""

    recheck: int
    recheck_due: int


def default_terms() -> dict[str, Any]:
    """The shipped content: "default, edit me"."""
    return {"recheck_days": 30, "recheck_due_days": 3}


def parse_terms(content: Mapping[str, Any]) -> RectificationTerms:
    """The terms that `content` describes. Raises `ContentError` (a `ValueError`)."""
    root = Reader(content)
    root.only("recheck_days", "recheck_due_days")
    terms = RectificationTerms(
        root.field("recheck_days").whole(1, 365), root.field("recheck_due_days").whole(1, 30)
    )
    root.done()
    return terms


RECTIFICATION_TERMS = register(
    SchemeKind(
        key="rectification_terms",
        title=phrase("Periods of rectification"),
        default=default_terms,
        check=parse_terms,
        published=True,
    )
)


def terms_on(session: Session, day: date) -> RectificationTerms:
    """The terms in force on a day."""
    return parse_terms(in_force(session, RECTIFICATION_TERMS, day).content)
