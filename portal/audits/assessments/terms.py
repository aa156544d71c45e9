"""How the form prints card numbers, as a published scheme (A6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from portal.kernel.content import Reader
from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, in_force, register


class CardDisplay(StrEnum):
    """前6后4, or whole: then the form and its PDF are read behind a sign-in only."""

    MASKED = "masked"
    WHOLE = "whole"


def default_terms() -> dict[str, Any]:
    """The shipped content: "default, edit me"."""
    return {"card_display": "masked"}


def parse_terms(content: Mapping[str, Any]) -> CardDisplay:
    """What `content` says of card numbers. Raises `ContentError` (a `ValueError`)."""
    root = Reader(content)
    root.only("card_display")
    display = root.field("card_display").choice(CardDisplay)
    root.done()
    return display


FORM_TERMS = register(
    SchemeKind(
        key="form_terms",
        title=phrase("Assessment form"),
        default=default_terms,
        check=parse_terms,
        published=True,
    )
)


def display_on(session: Session, day: date) -> CardDisplay:
    """How a form that is issued on a day prints card numbers."""
    return parse_terms(in_force(session, FORM_TERMS, day).content)
