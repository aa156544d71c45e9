"""What the slice's states and kinds are called: on pages by gettext, on papers in Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from portal.kernel import clock
from portal.kernel.phrases import Phrase, phrase
from portal.materials.kinds import (
    ItemState,
    MaterialKind,
    RequestEventKind,
    RequestState,
    UnavailableReason,
)

KINDS: Mapping[str, Phrase] = MappingProxyType(
    {
        MaterialKind.COLLECTION_RECORD.value: phrase("Collection record"),
        MaterialKind.CALL_RECORDING.value: phrase("Call recording"),
        MaterialKind.VISIT_RECORDING.value: phrase("Field-visit recording"),
        MaterialKind.OTHER.value: phrase("Other material"),
    }
)
REQUEST_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        RequestState.ISSUED.value: (phrase("Waiting for delivery"), "pending"),
        RequestState.HANDED_IN.value: (phrase("Handed in"), "review"),
        RequestState.CLOSED.value: (phrase("Accepted in full"), "success"),
        RequestState.CANCELLED.value: (phrase("Called off"), "neutral"),
    }
)
ITEM_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        ItemState.MISSING.value: (phrase("Missing"), "warning"),
        ItemState.DELIVERED.value: (phrase("Delivered"), "success"),
        ItemState.UNAVAILABLE.value: (phrase("Cannot be provided"), "pending"),
        ItemState.ACCEPTED.value: (phrase("Accepted"), "success"),
        ItemState.RETURNED.value: (phrase("Returned"), "danger"),
        ItemState.CANCELLED.value: (phrase("Item cancelled"), "neutral"),
    }
)
OPTIONAL_MISSING = (phrase("If it exists"), "neutral")
REASONS: Mapping[str, Phrase] = MappingProxyType(
    {
        UnavailableReason.NOT_CALLED.value: phrase("Not called"),
        UnavailableReason.NOT_CONNECTED.value: phrase("Not connected"),
        UnavailableReason.EMPTY_NUMBER.value: phrase("Number not in service"),
        UnavailableReason.NOT_VISITED.value: phrase("No field visit"),
        UnavailableReason.SYSTEM_FAULT.value: phrase("System failure"),
    }
)
REASONS_ON_PAPER: Mapping[str, str] = MappingProxyType(
    {
        UnavailableReason.NOT_CALLED.value: "未拨打",
        UnavailableReason.NOT_CONNECTED.value: "未接通",
        UnavailableReason.EMPTY_NUMBER.value: "空号",
        UnavailableReason.NOT_VISITED.value: "未外访",
        UnavailableReason.SYSTEM_FAULT.value: "系统故障",
    }
)


def item_label(case_no: str, kind: str, started_at: datetime | None) -> str:
    """An item for people: case number, kind of material, and which call (Beijing time)."""
    if started_at is None:
        return f"{case_no} · {KINDS[kind]}"
    return f"{case_no} · {KINDS[kind]} {clock.beijing(started_at):%m-%d %H:%M:%S}"


EVENTS: Mapping[str, tuple[Phrase, str, str]] = MappingProxyType(
    {
        RequestEventKind.ISSUED.value: (phrase("Request issued"), "info", "send"),
        RequestEventKind.DELIVERED.value: (phrase("Delivered"), "neutral", "upload"),
        RequestEventKind.REPLACED.value: (phrase("File replaced"), "pending", "refresh"),
        RequestEventKind.ANSWERED.value: (
            phrase("Answered: cannot be provided"),
            "pending",
            "message-circle",
        ),
        RequestEventKind.TAKEN_BACK.value: (
            phrase("Answer taken back"),
            "neutral",
            "arrow-back-up",
        ),
        RequestEventKind.HANDED_IN.value: (phrase("Handed in"), "success", "check"),
        RequestEventKind.ACCEPTED.value: (phrase("Accepted"), "success", "circle-check"),
        RequestEventKind.RETURNED.value: (phrase("Returned"), "danger", "arrow-back-up"),
        RequestEventKind.UNUSABLE.value: (
            phrase("Found unusable after the hand-in"),
            "danger",
            "alert-triangle",
        ),
        RequestEventKind.CALLS_ADDED.value: (phrase("Calls of a list added"), "info", "phone"),
        RequestEventKind.CLOSED.value: (phrase("Accepted in full"), "success", "shield-check"),
        RequestEventKind.CANCELLED.value: (phrase("Request cancelled"), "danger", "circle-x"),
        RequestEventKind.ITEMS_CANCELLED.value: (phrase("Items cancelled"), "neutral", "circle-x"),
        RequestEventKind.SUBSTITUTED.value: (phrase("Case replaced"), "pending", "refresh"),
        RequestEventKind.EXTENSION_ASKED.value: (
            phrase("Extension asked for"),
            "pending",
            "clock-exclamation",
        ),
        RequestEventKind.EXTENSION_GRANTED.value: (
            phrase("Extension granted"),
            "success",
            "circle-check",
        ),
        RequestEventKind.EXTENSION_REFUSED.value: (
            phrase("Extension refused"),
            "danger",
            "circle-x",
        ),
    }
)
