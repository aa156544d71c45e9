"""The score scheme as versioned data that the company edits (C2.4)."""

from __future__ import annotations

from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, register
from portal.scoring.defaults import default_scheme
from portal.scoring.scheme import parse_scheme

SCORE_SCHEME = register(
    SchemeKind(
        key="score",
        title=phrase("Score scheme"),
        default=default_scheme,
        check=parse_scheme,
        published=True,
    )
)
