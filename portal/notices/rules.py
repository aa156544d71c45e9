"""What a paper's way consists of, which papers are to be opened and acknowledged, by when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

LANGUAGES = ("zh_Hans_CN", "zh_Hant_TW", "en")
DEFAULT_LANGUAGE = "zh_Hans_CN"
OPENING_DAYS = 1
"""Working days in which a vendor opens a paper; then the vendor manager is told."""
STATING_PAPERS = frozenset({"assessment_form"})
"""Papers that state themselves after how many days they count as delivered (视为送达)."""
OPENING_CLOCK = "document_opening"
MOST_ACKNOWLEDGEMENTS = 3
"""Manager (or supervisor), team leader, person responsible: each has a field in the paper."""
WAITED = timedelta(minutes=10)
"""How long a paper, or the sealing of an acknowledgement, may be in the making before it is asked
for once more."""
OWN_PAPERS = frozenset({"delivery_receipt"})
"""Papers that answer the vendor's own act: nobody has to open or acknowledge them."""


class StepKind(StrEnum):
    """What happened to a paper after its issue."""

    MAILED = "mailed"
    OPENED = "opened"
    ESCALATED = "escalated"
    SERVED = "served"


class Choice(StrEnum):
    """签收无异议, or 签收并申诉: received is not agreed."""

    NO_OBJECTION = "no_objection"
    APPEAL = "appeal"


class UseState(StrEnum):
    """用印: asked → granted | refused."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


def must_be_opened(template: str) -> bool:
    """Whether a paper of this kind waits for the vendor to open and acknowledge it."""
    return template not in OWN_PAPERS


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 (hexadecimal) of a frozen content: what a seal is asked and granted for."""
    canonical = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
