"""What may happen to a recommended case (A7). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import phrase

TRANSITIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "recommended": frozenset({"selected", "declined"}),
        "selected": frozenset(),
        "declined": frozenset(),
    }
)


def moved(state: str, to: str) -> str:
    """`to`, if a recommendation in `state` may become that; else `Conflict`."""
    if to not in TRANSITIONS[state]:
        raise Conflict(
            phrase("This recommendation is decided already."),
            phrase("The list shows the decision."),
        )
    return to


def check_period(period: str, today: date) -> str:
    """The month "YYYY-MM" of a recommendation: this one or the one before."""
    this = f"{today:%Y-%m}"
    before = f"{today.year - (today.month == 1)}-{(today.month + 10) % 12 + 1:02d}"
    if period not in (this, before):
        raise Invalid(
            phrase("A case is recommended for this month or the one before."),
            phrase("Choose %(before)s or %(this)s.", before=before, this=this),
        )
    return period
