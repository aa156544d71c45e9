"""How the form prints card numbers, as a published scheme (A6)."""

from __future__ import annotations

from enum import StrEnum

from portal.kernel.phrases import phrase
from portal.schemes.flat import FlatScheme, choice


class CardDisplay(StrEnum):
    """前6后4, or whole: then the form and its PDF are read behind a sign-in only."""

    MASKED = "masked"
    WHOLE = "whole"


_TERMS = FlatScheme(
    "form_terms",
    phrase("Assessment form"),
    CardDisplay,
    choice("card_display", CardDisplay.MASKED),
    published=True,
)
FORM_TERMS, display_on = _TERMS.kind, _TERMS.on
