"""The penalty clauses (不规范催收处罚条例) as a published scheme, by the act's day (A5, A6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, Version, in_force, register
from portal.vendors.clauses import Catalogue, default_catalogue, parse_catalogue

PENALTY_CLAUSES = register(
    SchemeKind(
        key="penalty_clauses",
        title=phrase("Penalty clauses"),
        default=default_catalogue,
        check=parse_catalogue,
        published=True,
    )
)


@dataclass(frozen=True, slots=True)
class CatalogueInForce:
    """The catalogue of a day and the version it comes from (0: the shipped default)."""

    catalogue: Catalogue
    version: Version


def catalogue_on(session: Session, day: date) -> CatalogueInForce:
    """The clauses in force on `day`: an act is judged by those of its own day (A6)."""
    version = in_force(session, PENALTY_CLAUSES, day)
    return CatalogueInForce(parse_catalogue(version.content), version)
