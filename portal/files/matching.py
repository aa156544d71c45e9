"""Which item of a request each dropped file answers, decided before anything is sent.

ux.md, rule 5. Numbers in names are turned into blind keys by a function of the caller, so no plain
telephone number is needed on the other side, and none is returned.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.files.names import (
    ALPHANUMERIC,
    DEFAULTS,
    Candidates,
    CompiledPatterns,
    MaterialKind,
    candidates,
    display_name,
    masked_name,
)
from portal.kernel.phrases import Phrase, phrase

_LONGEST_CASE = 8  # segments of a name that may make up a case number
_SHORTEST_CASE = 4  # characters; a shorter case number must be a whole part of the name


class Status(StrEnum):
    """What matching a name came to."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"
    DUPLICATE = "duplicate"
    UNEXPECTED = "unexpected"


class How(StrEnum):
    """Why; `sentence` says it to people."""

    CASE_NUMBER = "case_number"
    PHONE = "phone"
    PHONE_AND_CASE = "phone_and_case"
    SAME_NAME = "same_name"
    SAME_CALL = "same_call"
    DELIVERED = "delivered"
    KIND_NOT_WANTED = "kind_not_wanted"
    OTHER_PHONE = "other_phone"
    SEVERAL_CASES = "several_cases"
    SEVERAL_ITEMS = "several_items"
    CONTRADICTION = "contradiction"
    NOTHING_FOUND = "nothing_found"

    @property
    def sentence(self) -> Phrase:
        """The reason, and what to do about it."""
        return _SENTENCES[self]


_SENTENCES = {
    How.CASE_NUMBER: phrase("Matched by the case number in the name."),
    How.PHONE: phrase("Matched by the telephone number in the name."),
    How.PHONE_AND_CASE: phrase("Matched by case number and telephone number."),
    How.SAME_NAME: phrase("A file of the same name is in this selection already. Leave one out."),
    How.SAME_CALL: phrase("Another file in this selection is of the same call. Leave one out."),
    How.DELIVERED: phrase("A file of this name was delivered already. Leave it out."),
    How.KIND_NOT_WANTED: phrase("The case is in the request, but not this kind of material."),
    How.OTHER_PHONE: phrase(
        "The telephone number belongs to no case of this request. Check the file, or choose the "
        "case yourself."
    ),
    How.SEVERAL_CASES: phrase(
        "Several cases of this request fit. Add the case number to the name, or choose the case."
    ),
    How.SEVERAL_ITEMS: phrase(
        "The case wants several kinds of material. Say in the name which it is, or choose it."
    ),
    How.CONTRADICTION: phrase(
        "Case number and telephone number in the name belong to different cases. Correct the "
        "name, or choose the case."
    ),
    How.NOTHING_FOUND: phrase(
        "Neither a case number nor a telephone number of this request was found in the name. "
        "Rename the file, or choose the case."
    ),
}


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a request expects: a case, its telephone's blind keys, kinds wanted.

    `delivered`: names (as `masked_name` gives them) of files that it has already.
    """

    key: str
    case_no: str
    phone_keys: frozenset[bytes] = frozenset()
    kinds: frozenset[MaterialKind] = frozenset(MaterialKind)
    delivered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one name. `item` is set when matched or when a delivered one repeats;
    `others`: keys of the items that also fit."""

    name: str
    status: Status
    how: How
    item: str | None = None
    kind: MaterialKind | None = None
    others: tuple[str, ...] = ()


def match(
    names: Sequence[str],
    items: Iterable[Item],
    *,
    phone_key: Callable[[str], bytes],
    patterns: CompiledPatterns = DEFAULTS,
) -> list[Match]:
    """What each name answers, in the order of the names; pure.

    `names` may be paths inside a dropped folder. `phone_key` turns a number as `normal_phone`
    writes it into the blind key that items carry. A name is matched only if exactly one item
    fits; everything else says why.
    """
    book = _Book(items, phone_key)
    seen_names: set[str] = set()
    seen_calls: set[tuple[object, ...]] = set()
    matches = []
    for path in names:
        found = candidates(path, patterns)
        name = display_name(path)
        answer = book.place(name, found)
        if answer.status is Status.MATCHED:
            calls = [call for call in found.calls if call.at is not None]
            marks = {(call.phone, call.extension, call.at, answer.kind) for call in calls[:1]}
            same_name = (answer.item, name.casefold())
            if path.casefold() in seen_names or same_name in seen_calls:
                answer = Match(name, Status.DUPLICATE, How.SAME_NAME, answer.item, answer.kind)
            elif marks & seen_calls:
                answer = Match(name, Status.DUPLICATE, How.SAME_CALL, answer.item, answer.kind)
            seen_calls |= {*marks, same_name}
        seen_names.add(path.casefold())
        matches.append(answer)
    return matches


class _Book:
    """The items of a request, by case number and by telephone key."""

    def __init__(self, items: Iterable[Item], phone_key: Callable[[str], bytes]) -> None:
        self._phone_key = phone_key
        self._by_case: dict[str, list[Item]] = {}
        self._by_phone: dict[bytes, list[Item]] = {}
        for item in items:
            self._by_case.setdefault(_squashed(item.case_no), []).append(item)
            for key in item.phone_keys:
                self._by_phone.setdefault(key, []).append(item)

    def place(self, name: str, found: Candidates) -> Match:
        """Where one name belongs."""
        by_case = self._of_case(found)
        by_phone = self._of_phone(found)
        both = [item for item in by_case if item in by_phone]
        if by_case and by_phone and not both:
            others = _keys(by_case + by_phone)
            return Match(name, Status.UNMATCHED, How.CONTRADICTION, None, found.kind, others)
        fitting, how = both or by_case or by_phone, How.PHONE
        if by_case:
            how = How.PHONE_AND_CASE if both else How.CASE_NUMBER
        if not fitting:
            if found.calls and self._by_phone:
                return Match(name, Status.UNEXPECTED, How.OTHER_PHONE, None, found.kind)
            return Match(name, Status.UNMATCHED, How.NOTHING_FOUND, None, found.kind)
        return _choose(name, fitting, how, found)

    def _of_case(self, found: Candidates) -> list[Item]:
        """The items whose case number stands in the name: the longest number found wins."""
        hits: dict[str, None] = {}
        for number in found.case_numbers:
            if _squashed(number) in self._by_case:
                hits[_squashed(number)] = None
        for parts in found.case_parts:
            for start in range(len(parts)):
                for end in range(start + 1, min(len(parts), start + _LONGEST_CASE) + 1):
                    number = "".join(parts[start:end]).upper()
                    whole = start == 0 and end == len(parts)
                    if number in self._by_case and (whole or len(number) >= _SHORTEST_CASE):
                        hits[number] = None
            if hits:
                break  # the file's own name speaks before its folder's
        longest = [hit for hit in hits if not any(hit != other and hit in other for other in hits)]
        return [item for hit in longest for item in self._by_case[hit]]

    def _of_phone(self, found: Candidates) -> list[Item]:
        fitting: dict[str, Item] = {}
        for call in found.calls:
            for item in self._by_phone.get(self._phone_key(call.phone), []):
                fitting[item.key] = item
        return list(fitting.values())


def _choose(name: str, fitting: list[Item], how: How, found: Candidates) -> Match:
    """One item of those whose case fits, by the kind of material; or why there is none."""
    wanting = [item for item in fitting if found.kind in item.kinds]
    if not wanting:  # the guess is not wanted: what else could the file be?
        wanting = [item for item in fitting if found.possible & item.kinds]
    if not wanting:
        others = _keys(fitting)
        return Match(name, Status.UNEXPECTED, How.KIND_NOT_WANTED, None, found.kind, others)
    if len(wanting) > 1:
        cases = {item.case_no for item in wanting}
        why = How.SEVERAL_CASES if len(cases) > 1 else How.SEVERAL_ITEMS
        return Match(name, Status.UNMATCHED, why, None, found.kind, _keys(wanting))
    (item,) = wanting
    kind = found.kind
    if kind is None or kind not in item.kinds:
        (kind, *more) = sorted(found.possible & item.kinds)
        kind = MaterialKind.OTHER if more else kind
    if masked_name(name) in item.delivered:
        return Match(name, Status.DUPLICATE, How.DELIVERED, item.key, kind)
    return Match(name, Status.MATCHED, how, item.key, kind)


def _keys(items: list[Item]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.key for item in items))


def _squashed(number: str) -> str:
    """A case number without what people leave out or write differently."""
    return "".join(ALPHANUMERIC.findall(unicodedata.normalize("NFKC", number))).upper()
