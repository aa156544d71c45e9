"""What each kind of paper is called."""

from __future__ import annotations

from portal.kernel.phrases import Phrase, phrase

TITLES: dict[str, Phrase] = {
    "material_request": phrase("Material request"),
    "delivery_receipt": phrase("Receipt of materials"),
    "assessment_form": phrase("Daily audit assessment form"),
    "rectification_notice": phrase("Rectification notice"),
    "score_report": phrase("Monthly assessment result"),
    "fee_statement": phrase("Fee statement"),
}


def title_of(template: str) -> str:
    """The kind's name in the reader's language."""
    return str(TITLES.get(template, template))
