"""The periods of the audit as a published scheme: the form's clock (A5) and the appeal's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from portal.kernel.content import Reader
from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, in_force, register


@dataclass(frozen=True)
class AuditTerms:
    """Working days: a finding is to be on a form by `form_target`, at the latest by `form_breach`
    (A5); an appeal is raised within `appeal`, decided within `decide`; an unopened form counts as
    delivered after `deemed`, where the contract says so."""

    form_target: int
    form_breach: int
    appeal: int
    decide: int
    deemed: int


def default_terms() -> dict[str, Any]:
    """The shipped content: "default, edit me"."""
    return {
        "form_target_days": 3,
        "form_breach_days": 5,
        "appeal_days": 3,
        "decide_days": 5,
        "deemed_days": 1,
    }


def parse_terms(content: Mapping[str, Any]) -> AuditTerms:
    """The terms that `content` describes. Raises `ContentError` (a `ValueError`)."""
    root = Reader(content)
    root.only("form_target_days", "form_breach_days", "appeal_days", "decide_days", "deemed_days")
    terms = AuditTerms(
        root.field("form_target_days").whole(1, 30),
        root.field("form_breach_days").whole(1, 30),
        root.field("appeal_days").whole(1, 30),
        root.field("decide_days").whole(1, 30),
        root.field("deemed_days").whole(1, 30),
    )
    if root.sound and terms.form_breach < terms.form_target:
        root.complain(phrase("A form cannot be late before its target."))
    root.done()
    return terms


AUDIT_TERMS = register(
    SchemeKind(
        key="audit_terms",
        title=phrase("Periods of the audit"),
        default=default_terms,
        check=parse_terms,
        published=True,
    )
)


def terms_on(session: Session, day: date) -> AuditTerms:
    """The terms in force on a day."""
    return parse_terms(in_force(session, AUDIT_TERMS, day).content)
