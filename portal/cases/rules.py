"""Pure decisions about cases: statuses and their transitions, months held, masks, numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import Phrase, phrase

AGE_BANDS = ("M1", "M2", "M3", "M4", "M5", "M6", "M6+", "written_off")
"""The age bands (账龄); how many days each spans is data (`portal.cases.bands`)."""

_CASE_NO = re.compile(r"[0-9A-Z\u3400-\u9fff][0-9A-Z\u3400-\u9fff_.\-]{2,39}")
_DIGITS = re.compile(r"\D")


class CaseStatus(StrEnum):
    """在案/停催/撤案/退案/留案/结清."""

    IN_HAND = "in_hand"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    RETURNED = "returned"
    KEPT = "kept"
    SETTLED = "settled"


HELD = (CaseStatus.IN_HAND, CaseStatus.SUSPENDED, CaseStatus.KEPT)
"""The statuses that count as in-hand volume (在案量): the vendor still holds the case."""

STATUS_NAMES: Mapping[CaseStatus, Phrase] = {
    CaseStatus.IN_HAND: phrase("In hand"),
    CaseStatus.SUSPENDED: phrase("Suspended"),
    CaseStatus.WITHDRAWN: phrase("Withdrawn"),
    CaseStatus.RETURNED: phrase("Returned to us"),
    CaseStatus.KEPT: phrase("Kept"),
    CaseStatus.SETTLED: phrase("Settled"),
}

TRANSITIONS: Mapping[CaseStatus, tuple[CaseStatus, ...]] = {
    CaseStatus.IN_HAND: (
        CaseStatus.SUSPENDED,
        CaseStatus.KEPT,
        CaseStatus.SETTLED,
        CaseStatus.WITHDRAWN,
        CaseStatus.RETURNED,
    ),
    CaseStatus.SUSPENDED: (
        CaseStatus.IN_HAND,
        CaseStatus.SETTLED,
        CaseStatus.WITHDRAWN,
        CaseStatus.RETURNED,
    ),
    CaseStatus.KEPT: (
        CaseStatus.IN_HAND,
        CaseStatus.SUSPENDED,
        CaseStatus.SETTLED,
        CaseStatus.WITHDRAWN,
        CaseStatus.RETURNED,
    ),
    # A repayment may be reversed, and a withdrawal be a mistake: both come back in hand.
    CaseStatus.SETTLED: (CaseStatus.IN_HAND,),
    CaseStatus.WITHDRAWN: (CaseStatus.IN_HAND,),
    # A returned case comes back as a new entrustment only.
    CaseStatus.RETURNED: (),
}
"""From a status to the statuses that the company may give next."""


def check_transition(old: CaseStatus, new: CaseStatus) -> None:
    """Refuse a change of status that the table does not allow (`Conflict`)."""
    if new not in TRANSITIONS[old]:
        raise Conflict(
            phrase(
                "A case cannot go from “%(old)s” to “%(new)s”.",
                old=STATUS_NAMES[old],
                new=STATUS_NAMES[new],
            ),
            phrase("Choose one of the statuses that the case's page offers."),
        )


def closing_date(status: CaseStatus, today: date) -> date | None:
    """The day on which a case that gets `status` leaves the vendor's hands; None while held."""
    return None if status in HELD else today


def month_bounds(period: str) -> tuple[date, date]:
    """The first day of a month "YYYY-MM" and of the next one; `Invalid` for anything else."""
    try:
        first = date.fromisoformat(f"{period}-01")
    except ValueError as error:
        raise Invalid(
            phrase("This is not a month: %(period)s.", period=period),
            phrase("Write it like 2026-11."),
        ) from error
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, following


def normal_case_no(text: str) -> str | None:
    """A case number as it is kept: half-width capitals, no spaces; None if it is none.

    3 to 40 letters, digits, Chinese characters, hyphens, dots and underlines: what may also stand
    in a file's name, because deliveries are matched by it.
    """
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    return plain if _CASE_NO.fullmatch(plain) else None


def mask_name(name: str) -> str:
    """A debtor's name for lists: its first character, then stars (张**)."""
    return name[:1] + "*" * min(max(len(name) - 1, 1), 2)


def mask_phone(phone: str) -> str:
    """A phone number for lists: 138****1234; of a short or a landline number the last four."""
    if len(phone) == 11 and phone.startswith("1"):
        return f"{phone[:3]}****{phone[-4:]}"
    return f"****{_DIGITS.sub('', phone)[-4:]}"


def mask_card(card: str) -> str:
    """A card number for lists: first six and last four (A6), or the last four of a short one."""
    if len(card) >= 14:
        return f"{card[:6]}{'*' * (len(card) - 10)}{card[-4:]}"
    return f"{'*' * (len(card) - 4)}{card[-4:]}"
