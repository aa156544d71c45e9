"""What the states of an extension are called."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from portal.deadlines.rules import ExtensionState
from portal.kernel.phrases import Phrase, phrase

EXTENSION_STATES: Mapping[str, tuple[Phrase, str]] = MappingProxyType(
    {
        ExtensionState.ASKED.value: (phrase("Extension asked for"), "pending"),
        ExtensionState.GRANTED.value: (phrase("Extension granted"), "success"),
        ExtensionState.REFUSED.value: (phrase("Extension refused"), "danger"),
    }
)
