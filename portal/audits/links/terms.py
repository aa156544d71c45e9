"""How long a one-time link can be opened, as a published scheme (A5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from portal.kernel.content import Reader
from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, in_force, register

MOST_DAYS = 60
"""A link lasts no longer, whatever the scheme says: its browser's secret ends then too."""


def default_terms() -> dict[str, Any]:
    """The shipped content, "default, edit me": longer than the days of opening and of appeal
    together."""
    return {"link_days": 7}


def parse_terms(content: Mapping[str, Any]) -> int:
    """The days that `content` gives a link. Raises `ContentError` (a `ValueError`)."""
    root = Reader(content)
    root.only("link_days")
    days = root.field("link_days").whole(1, MOST_DAYS)
    root.done()
    return days


LINK_TERMS = register(
    SchemeKind(
        key="link_terms",
        title=phrase("One-time links"),
        default=default_terms,
        check=parse_terms,
        published=True,
    )
)


def days_on(session: Session, day: date) -> int:
    """Days that a link made on a day can be opened."""
    return parse_terms(in_force(session, LINK_TERMS, day).content)
