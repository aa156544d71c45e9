"""What background work is called on the page that follows it, by task."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from portal.kernel.phrases import Phrase, phrase

OTHER = phrase("Background work")
LABELS: Mapping[str, Phrase] = MappingProxyType(
    {
        "scoring.compute_month": phrase("Computing the scores"),
        "retention.delete": phrase("Deleting what is beyond its time"),
        "fees.prepare_month": phrase("Preparing the statements"),
    }
)


def label_of(task: str) -> Phrase:
    """What to call a run of the task."""
    return LABELS.get(task, OTHER)
