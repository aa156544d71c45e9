"""A reason that one side writes and the other reads."""

from __future__ import annotations

from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase

MOST_REASON = 1_000
"""Letters of a reason."""


def reason_of(text: str) -> str:
    """A reason as it is kept; `Invalid` when there is none: whoever is affected reads it."""
    kept = text.strip()[:MOST_REASON]
    if not kept:
        raise Invalid(
            phrase("The reason is missing."), phrase("Write it; the other side reads it.")
        )
    return kept
