"""What matching a name to the items of a request came to, why, and what a person may do."""

from __future__ import annotations

from enum import StrEnum

from portal.kernel.phrases import Phrase, phrase


class Status(StrEnum):
    """What matching a name came to."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    DUPLICATE = "duplicate"
    UNEXPECTED = "unexpected"


class How(StrEnum):
    """Why; `sentence` says it to people."""

    CALL_ID = "call_id"
    CASE_NUMBER = "case_number"
    CARD_NUMBER = "card_number"
    PHONE = "phone"
    PHONE_AND_CASE = "phone_and_case"
    PHONE_AND_TIME = "phone_and_time"
    MANIFEST = "manifest"
    SAME_NAME = "same_name"
    SAME_CALL = "same_call"
    DELIVERED = "delivered"
    CALL_DELIVERED = "call_delivered"
    KIND_NOT_WANTED = "kind_not_wanted"
    OTHER_PHONE = "other_phone"
    OTHER_TIME = "other_time"
    SEVERAL_CASES = "several_cases"
    SEVERAL_ITEMS = "several_items"
    SEVERAL_CALLS = "several_calls"
    CONTRADICTION = "contradiction"
    LIST_AGAINST_NAME = "list_against_name"
    NEAR_TIME = "near_time"
    NEAR_CASE = "near_case"
    NOTHING_FOUND = "nothing_found"

    @property
    def sentence(self) -> Phrase:
        """The reason, and what to do about it."""
        return _SENTENCES[self]


_SENTENCES = {
    How.CALL_ID: phrase("Matched by the dialler's call id in the name."),
    How.CASE_NUMBER: phrase("Matched by the case number in the name."),
    How.CARD_NUMBER: phrase("Matched by the card number in the name."),
    How.PHONE: phrase("Matched by the telephone number in the name."),
    How.PHONE_AND_CASE: phrase("Matched by case number and telephone number."),
    How.PHONE_AND_TIME: phrase("Matched by telephone number and time of the call."),
    How.MANIFEST: phrase("Matched by the list that came with the files."),
    How.SAME_NAME: phrase("A file of the same name is in this selection already. Leave one out."),
    How.SAME_CALL: phrase("Another file in this selection is of the same call. Leave one out."),
    How.DELIVERED: phrase("A file of this name was delivered already. Leave it out."),
    How.CALL_DELIVERED: phrase("This call has its recording already. Leave it out, or replace it."),
    How.KIND_NOT_WANTED: phrase("The case is in the request, but not this kind of material."),
    How.OTHER_PHONE: phrase(
        "The telephone number belongs to no case of this request. Check the file, or choose the "
        "case yourself."
    ),
    How.OTHER_TIME: phrase(
        "The call list has no call at this time. Check the file, or choose the call yourself."
    ),
    How.SEVERAL_CASES: phrase(
        "Several cases of this request fit. Add the case number to the name, or choose the case."
    ),
    How.SEVERAL_ITEMS: phrase(
        "The case wants several kinds of material. Say in the name which it is, or choose it."
    ),
    How.SEVERAL_CALLS: phrase(
        "The case has several calls. Add the time of the call to the name, or choose the call."
    ),
    How.CONTRADICTION: phrase(
        "Case number and telephone number in the name belong to different cases. Correct the "
        "name, or choose the case."
    ),
    How.LIST_AGAINST_NAME: phrase(
        "The list says another case than the name or its folder. Say which of them is right."
    ),
    How.NEAR_TIME: phrase("A call of the list is some minutes away from the time in the name."),
    How.NEAR_CASE: phrase("The name holds nearly a case number of this request."),
    How.NOTHING_FOUND: phrase(
        "Neither a case number nor a telephone number of this request was found in the name. "
        "Rename the file, or choose the case."
    ),
}
