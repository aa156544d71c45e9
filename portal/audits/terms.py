"""The periods of the audit as a published scheme: the form's clock (A5) and the appeal's."""

from __future__ import annotations

from dataclasses import dataclass

from portal.kernel.phrases import Phrase, phrase
from portal.schemes.flat import FlatScheme, whole


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


def _complaint(terms: AuditTerms) -> Phrase | None:
    if terms.form_breach < terms.form_target:
        return phrase("A form cannot be late before its target.")
    return None


_TERMS = FlatScheme(
    "audit_terms",
    phrase("Periods of the audit"),
    AuditTerms,
    whole("form_target_days", 3, 1, 30),
    whole("form_breach_days", 5, 1, 30),
    whole("appeal_days", 3, 1, 30),
    whole("decide_days", 5, 1, 30),
    whole("deemed_days", 1, 1, 30),
    published=True,
    complaint=_complaint,
)
AUDIT_TERMS, default_terms, terms_on = _TERMS.kind, _TERMS.default, _TERMS.on
