"""What is kept for how long, and what a hold can be put on."""

from __future__ import annotations

from enum import StrEnum


class DataClass(StrEnum):
    """A class of data with a time of its own."""

    CALL_RECORDING = "call_recording"
    VISIT_RECORDING = "visit_recording"
    RECORD = "record"
    CASE_DATA = "case_data"
    IMPORT_FILE = "import_file"
    EVIDENCE = "evidence"


PROOF = "unavailable_proof"
IMPORTS = ("cases.import", "receipts.import", "contacts.list")
DELETED_PURPOSES = frozenset(
    {
        "material",
        "playable_copy",
        "clean_copy",
        PROOF,
        "rectification_evidence",
        "appeal_evidence",
        *IMPORTS,
    }
)
"""What stored files may be for that a class above speaks of; copies go with their original."""
KEPT_PURPOSES = frozenset({"document", "scan", "clauses.import"})
"""What stored files are for that is never deleted here: papers with all their revisions, the scans
of stamped prints beside them, and the workbooks from which penalty clauses were made (nothing
personal is in them). Every purpose is in one of the two sets."""


class HoldOn(StrEnum):
    """What a legal hold is put on: a case, a material request, a rectification notice."""

    CASE = "case"
    REQUEST = "request"
    NOTICE = "notice"


class Standing(StrEnum):
    """Where a thing stands whose time is over or nearly so."""

    SOON = "soon"
    DUE = "due"
    WANTED = "wanted"
    HELD = "held"
