"""The closed sets of the slice: kinds of material, states, reasons. Known to rules and tables."""

from __future__ import annotations

from enum import StrEnum


class MaterialKind(StrEnum):
    """What proves how a case was worked."""

    COLLECTION_RECORD = "collection_record"
    CALL_RECORDING = "call_recording"
    VISIT_RECORDING = "visit_recording"
    OTHER = "other"


class RequestState(StrEnum):
    """A request's states; "late" is computed from the clock, never a state."""

    ISSUED = "issued"
    HANDED_IN = "handed_in"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ItemState(StrEnum):
    """An item's states: 缺 / 已交 / 无法提供 / 已接受 / 已退回 / 已撤销."""

    MISSING = "missing"
    DELIVERED = "delivered"
    UNAVAILABLE = "unavailable"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class UnavailableReason(StrEnum):
    """未拨打、未接通、空号、未外访、系统故障."""

    NOT_CALLED = "not_called"
    NOT_CONNECTED = "not_connected"
    EMPTY_NUMBER = "empty_number"
    NOT_VISITED = "not_visited"
    SYSTEM_FAULT = "system_fault"


class RequestEventKind(StrEnum):
    """What stands in a request's history, which both sides see."""

    ISSUED = "issued"
    DELIVERED = "delivered"
    REPLACED = "replaced"
    ANSWERED = "answered"
    TAKEN_BACK = "taken_back"
    HANDED_IN = "handed_in"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    ITEMS_CANCELLED = "items_cancelled"
    SUBSTITUTED = "substituted"
    EXTENSION_ASKED = "extension_asked"
    EXTENSION_GRANTED = "extension_granted"
    EXTENSION_REFUSED = "extension_refused"
    CALLS_ADDED = "calls_added"
    UNUSABLE = "unusable"


class CheckState(StrEnum):
    """What the check of a delivered file found."""

    PENDING = "pending"
    SOUND = "sound"
    PROBLEM = "problem"
