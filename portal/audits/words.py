"""What levels, states and verdicts are called on pages, with the tone of their chips."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from portal.audits.models import CrisisState, FindingState, FormState
from portal.kernel.phrases import Phrase, phrase
from portal.vendors.clauses import Level

LEVELS: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        Level.MINOR.value: (phrase("Minor"), "neutral"),
        Level.ORDINARY.value: (phrase("Ordinary"), "pending"),
        Level.SERIOUS.value: (phrase("Serious"), "warning"),
        Level.RED_LINE.value: (phrase("Red line"), "danger"),
    }
)
FINDING_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        FindingState.DRAFT.value: (phrase("Draft"), "neutral"),
        FindingState.CONFIRMED.value: (phrase("Confirmed"), "review"),
        FindingState.ISSUED.value: (phrase("Issued"), "success"),
        FindingState.WITHDRAWN.value: (phrase("Withdrawn"), "neutral"),
        FindingState.OVERTURNED.value: (phrase("Overturned on appeal"), "neutral"),
    }
)
FORM_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        FormState.PREPARED.value: (phrase("Waits for the audit head"), "pending"),
        FormState.ISSUED.value: (phrase("Issued"), "success"),
        FormState.RETURNED.value: (phrase("Returned to the auditor"), "warning"),
    }
)
STAGES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        "first": (phrase("First listening"), "pending"),
        "second": (phrase("Second listening"), "review"),
        "facts": (phrase("Vendor checks the facts"), "info"),
        "judged": (phrase("Verdict given"), "success"),
    }
)
"""The stages of a review, in their order."""
CHECK_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        "asked": (phrase("To be answered"), "pending"),
        "answered": (phrase("Answered"), "success"),
        "lapsed": (phrase("Without an answer"), "neutral"),
        "recalled": (phrase("Question taken back"), "neutral"),
    }
)
"""The states of a vendor's check of facts."""
DECISIONS: Mapping[str, Phrase] = MappingProxyType(
    {
        "repeat_taken": phrase("Repetition taken: next level, points multiplied"),
        "repeat_refused": phrase("Repetition refused"),
        "withdrawn": phrase("Withdrawn"),
    }
)
CRISIS_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        CrisisState.REPORTED.value: (phrase("Reported, to be decided"), "danger"),
        CrisisState.HANDLING.value: (phrase("Crisis handling"), "warning"),
        CrisisState.DISMISSED.value: (phrase("No crisis"), "neutral"),
        CrisisState.CLOSED.value: (phrase("Closed"), "success"),
    }
)
STEP_KINDS: Mapping[str, Phrase] = MappingProxyType(
    {
        "measure": phrase("Measure"),
        "informed": phrase("Informed"),
        "note": phrase("How things stand"),
    }
)
