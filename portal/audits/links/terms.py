"""How long a one-time link can be opened, as a published scheme (A5)."""

from __future__ import annotations

from portal.kernel.phrases import phrase
from portal.schemes.flat import FlatScheme, whole

MOST_DAYS = 60
"""A link lasts no longer, whatever the scheme says: its browser's secret ends then too."""

_TERMS = FlatScheme(
    "link_terms",
    phrase("One-time links"),
    int,
    # Longer than the days of opening and of appeal together.
    whole("link_days", 7, 1, MOST_DAYS),
    published=True,
)
LINK_TERMS, days_on = _TERMS.kind, _TERMS.on
