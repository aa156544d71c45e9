"""What each kind of paper is called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.kernel.phrases import Phrase, phrase
from portal.notices.marks import Mark, Moment
from portal.notices.rules import Choice, UseState

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


MARKS: dict[Mark, tuple[Phrase, str, str]] = {
    Mark.ISSUED: (phrase("Issued"), "info", "file-text"),
    Mark.SIGNED: (phrase("Signed electronically"), "success", "shield-check"),
    Mark.MAILED: (phrase("Mail sent"), "info", "send"),
    Mark.OPENED: (phrase("Opened"), "info", "eye"),
    Mark.ESCALATED: (phrase("Not opened within one working day"), "warning", "alert-triangle"),
    Mark.SERVED: (phrase("Counts as served under the contract"), "warning", "flag"),
    Mark.NO_OBJECTION: (phrase("Received, no objection"), "success", "circle-check"),
    Mark.APPEAL: (phrase("Received, appeal follows"), "warning", "circle-check"),
}
"""What each mark of a timeline is called, its tone and icon."""

CHOICES: dict[Choice, Phrase] = {
    Choice.NO_OBJECTION: MARKS[Mark.NO_OBJECTION][0],
    Choice.APPEAL: MARKS[Mark.APPEAL][0],
}
USE_STATES: dict[str, tuple[Phrase, str]] = {
    UseState.ASKED: (phrase("Waits for a decision"), "pending"),
    UseState.GRANTED: (phrase("Granted"), "success"),
    UseState.REFUSED: (phrase("Refused"), "warning"),
}
LANGUAGE_NAMES = {"zh_Hans_CN": "简体中文", "zh_Hant_TW": "繁體中文", "en": "English"}


def events_of(moments: Iterable[Moment]) -> list[dict[str, Any]]:
    """A timeline as the page's macro takes it."""
    return [
        {
            "at": moment.at,
            "title": str(MARKS[moment.mark][0]),
            "who": moment.name,
            "text": moment.note,
            "tone": MARKS[moment.mark][1],
            "icon": MARKS[moment.mark][2],
        }
        for moment in moments
    ]
