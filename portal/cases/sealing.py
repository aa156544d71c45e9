"""Personal data of a case as it is stored: sealed, masked and as blind indexes (C4.1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from portal.cases.rules import mask_card, mask_name, mask_phone
from tenants.vault import DataKey

CARD, DEBTOR, PHONE = "cases.card", "cases.debtor", "cases.phone"


def sealed(key: DataKey, case_id: UUID, *, card: str, debtor: str, phone: str) -> dict[str, Any]:
    """The columns of `Case` that hold personal data, bound to the row `case_id`."""
    return {
        "card_sealed": key.seal(CARD, case_id, card),
        "card_masked": mask_card(card),
        "card_index": key.index("card", card),
        "debtor_sealed": key.seal(DEBTOR, case_id, debtor),
        "debtor_masked": mask_name(debtor),
        "phone_sealed": key.seal(PHONE, case_id, phone),
        "phone_masked": mask_phone(phone),
        "phone_index": key.index("phone", phone),
    }
