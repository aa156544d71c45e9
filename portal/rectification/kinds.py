"""States and sources of rectification notices."""

from __future__ import annotations

from enum import StrEnum


class RectificationState(StrEnum):
    """draft → issued → answered → accepted | returned (→ answered …); cancelled."""

    DRAFT = "draft"
    ISSUED = "issued"
    ANSWERED = "answered"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    CANCELLED = "cancelled"


SOURCES = ("assessment", "audit", "complaint", "regulator", "inspection")
"""What a notice comes from: 考核, 稽核, 投诉, 监管, 检查."""
