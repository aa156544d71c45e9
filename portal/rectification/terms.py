"""The periods of rectification as a published scheme: the effectiveness re-check (复查, C2.4)."""

from __future__ import annotations

from dataclasses import dataclass

from portal.kernel.phrases import phrase
from portal.schemes.flat import FlatScheme, whole


@dataclass(frozen=True)
class RectificationTerms:
    """`recheck`: days from acceptance after which the effect is checked again; `recheck_due`:
    working days that the company then has for it."""

    recheck: int
    recheck_due: int


_TERMS = FlatScheme(
    "rectification_terms",
    phrase("Periods of rectification"),
    RectificationTerms,
    whole("recheck_days", 30, 1, 365),
    whole("recheck_due_days", 3, 1, 30),
    published=True,
)
RECTIFICATION_TERMS, terms_on = _TERMS.kind, _TERMS.on
