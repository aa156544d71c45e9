"""States and sources of rectification notices."""

from __future__ import annotations

from enum import StrEnum


class RectificationState(StrEnum):
    """draft → issued → answered → accepted | returned (→ answered …); cancelled. An accepted one
    that is reopened is returned again, with a round of its own."""

    DRAFT = "draft"
    ISSUED = "issued"
    ANSWERED = "answered"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"


SOURCES = ("assessment", "audit", "complaint", "regulator", "inspection")
"""What a notice comes from: 考核, 稽核, 投诉, 监管, 检查."""


class OpinionState(StrEnum):
    """An opinion is given by the audit department, and turned into a notice or declined."""

    GIVEN = "given"
    TURNED = "turned"
    DECLINED = "declined"


class Recheck(StrEnum):
    """What follows from an effectiveness re-check (复查): nothing more, the notice open again, or
    a follow-up notice that names it."""

    EFFECTIVE = "effective"
    REOPENED = "reopened"
    FOLLOWED = "followed"
