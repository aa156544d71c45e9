"""When a receipt counts for commission (C7): credited while the case was entrusted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from portal.kernel.phrases import Phrase, phrase


class Exclusion(StrEnum):
    """Why a receipt does not count for commission; it is recorded all the same."""

    BEFORE_ENTRUSTING = "before_entrusting"
    AFTER_RETURN = "after_return"


EXCLUSION_NAMES: Mapping[Exclusion, Phrase] = {
    Exclusion.BEFORE_ENTRUSTING: phrase("Credited before entrusting"),
    Exclusion.AFTER_RETURN: phrase("Credited after the day due back"),
}


def exclusion(credited_on: date, entrusted_on: date, due_back_on: date) -> Exclusion | None:
    """Why a receipt does not count, or None. Both the day of entrusting and the day the case goes
    back belong to the period. A reversal counts as the receipt that it takes back."""
    if credited_on < entrusted_on:
        return Exclusion.BEFORE_ENTRUSTING
    return Exclusion.AFTER_RETURN if credited_on > due_back_on else None
