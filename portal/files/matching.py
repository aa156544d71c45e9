"""Which item of a request each dropped file answers, decided before anything is sent.

ux.md, rule 5. Numbers in names are turned into blind keys by a function of the caller, so no plain
telephone, card or call number is needed on the other side, and none is returned.

A name is matched only if exactly one item fits. What is nearly right (a case number with one slip,
a time some minutes off) becomes a proposal for a person to confirm, never a match.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
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
from portal.files.nearness import Near
from portal.files.verdicts import How, Status

__all__ = [
    "BlindKey",
    "Field",
    "Hint",
    "How",
    "Item",
    "Match",
    "Status",
    "match",
    "squashed",
]

_LONGEST_CASE = 8  # segments of a name that may make up a case number
_SHORTEST_CASE = 4  # characters; a shorter case number must be a whole part of the name
_SHORTEST_CALL_ID = 6
_MOST_GUESSES = 5
SAME_TIME = timedelta(seconds=60)
NEAR_TIME = timedelta(minutes=15)


class Field(StrEnum):
    """What a blind key is made of."""

    PHONE = "phone"
    CARD = "card"
    CALL_ID = "call_id"


BlindKey = Callable[[Field, str], bytes]


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a request expects: a case, blind keys of its telephone and card, kinds wanted.

    `delivered`: names (as `masked_name` gives them) of files that it has already. Where it is the
    recording of one call: `at` is when it began, `call_key` the blind key of the dialler's id,
    `filled` whether a usable recording is there.
    """

    key: str
    case_no: str
    phone_keys: frozenset[bytes] = frozenset()
    kinds: frozenset[MaterialKind] = frozenset(MaterialKind)
    delivered: frozenset[str] = frozenset()
    card_key: bytes | None = None
    call_key: bytes | None = None
    at: datetime | None = None
    extension: str = ""
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """What a list that came with the files says of one of them; empty where it says nothing."""

    case_no: str = ""
    kind: MaterialKind | None = None
    call_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """What became of one name. `item` is set when matched or when a delivered one repeats;
    `others`: keys of the items that also fit; `proposal`: the one to confirm, if one is likely."""

    name: str
    status: Status
    how: How
    item: str | None = None
    kind: MaterialKind | None = None
    others: tuple[str, ...] = ()
    proposal: str | None = None


def squashed(number: str) -> str:
    """A case number or call id without what people leave out or write differently."""
    return "".join(ALPHANUMERIC.findall(unicodedata.normalize("NFKC", number))).upper()


def match(
    names: Sequence[str],
    items: Iterable[Item],
    *,
    blind: BlindKey,
    patterns: CompiledPatterns = DEFAULTS,
    hints: Mapping[str, Hint] | None = None,
) -> list[Match]:
    """What each name answers, in the order of the names; pure.

    `names` may be paths inside a dropped folder. `blind` makes the keys that items carry: of a
    number as `normal_phone` writes it, a card's digits, a call id as `squashed` writes it. `hints`
    by name: what a list in the dropped set says, which goes before what the name says.
    """
    book = _Book(items, blind)
    told = hints or {}
    seen_names: set[str] = set()
    seen: set[tuple[object, ...]] = set()
    matches = []
    for path in names:
        found = candidates(path, patterns)
        answer = book.answer(display_name(path), found, told.get(path))
        if answer.status is Status.MATCHED:
            marks, same_name = book.marks(answer, found), (answer.item, answer.name.casefold())
            how = None
            if path.casefold() in seen_names or same_name in seen:
                how = How.SAME_NAME
            elif marks & seen:
                how = How.SAME_CALL
            if how is not None:
                answer = Match(answer.name, Status.DUPLICATE, how, answer.item, answer.kind)
            seen |= {*marks, same_name}
        seen_names.add(path.casefold())
        matches.append(answer)
    return matches


class _Book:
    """The items of a request, by case number and by blind keys."""

    def __init__(self, items: Iterable[Item], blind: BlindKey) -> None:
        self._blind = blind
        self._items: dict[str, Item] = {}
        self._by_case: dict[str, list[Item]] = {}
        self._by_key: dict[tuple[Field, bytes], list[Item]] = {}
        for item in items:
            self._items[item.key] = item
            self._by_case.setdefault(squashed(item.case_no), []).append(item)
            for key in item.phone_keys:
                self._by_key.setdefault((Field.PHONE, key), []).append(item)
            if item.card_key is not None:
                self._by_key.setdefault((Field.CARD, item.card_key), []).append(item)
            if item.call_key is not None:
                self._by_key.setdefault((Field.CALL_ID, item.call_key), []).append(item)
        self._fields = {field for field, _key in self._by_key}
        self._near = Near(self._by_case)

    def marks(self, answer: Match, found: Candidates) -> set[tuple[object, ...]]:
        """What a second file of the same call would share with this one."""
        item = self._items[answer.item or ""]
        if item.at is not None:
            return {("call", item.key)}
        calls = [call for call in found.calls if call.at is not None][:1]
        return {(call.phone, call.extension, call.at, answer.kind) for call in calls}

    def answer(self, name: str, found: Candidates, hint: Hint | None) -> Match:
        """Where one name belongs; a hint goes first, if it names something of this request."""
        if hint is not None:
            kind = hint.kind or found.kind
            said = hint.kind is not None or found.said
            by_hint = replace(
                found,
                case_parts=((hint.call_id,),) if hint.call_id else (),
                case_numbers=(hint.case_no,) if hint.case_no else (),
                calls=() if hint.case_no or hint.call_id else found.calls,
                kind=kind,
                said=said,
                moments=(hint.at,) if hint.at is not None else found.times,
            )
            answer = self.place(name, by_hint)
            if answer.status is Status.MATCHED:
                return self._unless_contradicted(replace(answer, how=How.MANIFEST), found)
            if answer.how is not How.NOTHING_FOUND:
                return answer
        return self.place(name, found)

    def _unless_contradicted(self, answer: Match, found: Candidates) -> Match:
        """The list's word, if name and folders speak of no other case; else a proposal."""
        item = self._items[answer.item or ""]
        own = self._of_case(found)
        if not own or item.case_no in {one.case_no for one in own}:
            return answer
        others = _keys((item, *own))
        return replace(
            answer,
            status=Status.UNMATCHED,
            how=How.LIST_AGAINST_NAME,
            item=None,
            others=others,
            proposal=item.key,
        )

    def place(self, name: str, found: Candidates) -> Match:
        """Where one name belongs."""
        by_call = self._of_call(found)
        by_case = self._of_case(found)
        by_card = [] if by_case else self._of_field(Field.CARD, found.digits)
        by_phone = self._of_field(Field.PHONE, [call.phone for call in found.calls])
        cases = by_case or by_card
        if by_call:
            both = [item for item in by_call if item in cases]
            if cases and not both:
                return self._contradiction(name, found, by_call + cases)
            return _choose(name, both or by_call, How.CALL_ID, found)
        both = [item for item in cases if item in by_phone]
        if cases and by_phone and not both:
            return self._contradiction(name, found, cases + by_phone)
        fitting = both or cases or by_phone
        how = How.CASE_NUMBER if by_case else How.CARD_NUMBER if by_card else How.PHONE
        if both:
            how = How.PHONE_AND_CASE
        if fitting:
            return _choose(name, fitting, how, found)
        return self._nothing(name, found)

    def _contradiction(self, name: str, found: Candidates, items: Sequence[Item]) -> Match:
        return Match(name, Status.UNMATCHED, How.CONTRADICTION, None, found.kind, _keys(items))

    def _nothing(self, name: str, found: Candidates) -> Match:
        """No number of this request is in the name: perhaps one that is nearly right is."""
        near = dict.fromkeys(
            number for written in _numbers(found) for number in self._near.find(written)
        )
        if 0 < len(near) <= _MOST_GUESSES:
            likely = [
                _choose(name, self._by_case[number], How.CASE_NUMBER, found) for number in near
            ]
            ones = [answer.item for answer in likely if answer.item]
            items = [item for number in near for item in self._by_case[number]]
            return Match(
                name,
                Status.UNMATCHED,
                How.NEAR_CASE,
                None,
                found.kind,
                tuple(dict.fromkeys((*ones, *_keys(items)))),
                ones[0] if len(near) == 1 and len(ones) == 1 else None,
            )
        if found.calls and Field.PHONE in self._fields:
            return Match(name, Status.UNEXPECTED, How.OTHER_PHONE, None, found.kind)
        return Match(name, Status.UNMATCHED, How.NOTHING_FOUND, None, found.kind)

    def _of_case(self, found: Candidates) -> list[Item]:
        """The items whose case number stands in the name: the longest number found wins."""
        hits: dict[str, None] = {}
        for number in found.case_numbers:
            if squashed(number) in self._by_case:
                hits[squashed(number)] = None
        for parts in found.case_parts:
            for start, end, number in _joined(parts):
                whole = start == 0 and end == len(parts)
                if number in self._by_case and (whole or len(number) >= _SHORTEST_CASE):
                    hits[number] = None
            if hits:
                break  # the file's own name speaks before its folder's
        longest = [hit for hit in hits if not any(hit != other and hit in other for other in hits)]
        return [item for hit in longest for item in self._by_case[hit]]

    def _of_call(self, found: Candidates) -> list[Item]:
        if Field.CALL_ID not in self._fields:
            return []
        parts = found.case_parts[0] if found.case_parts else ()
        pieces = [squashed(part) for part in parts]
        return self._of_field(
            Field.CALL_ID,
            [text for _s, _e, text in _joined(pieces) if len(text) >= _SHORTEST_CALL_ID],
        )

    def _of_field(self, field: Field, texts: Iterable[str]) -> list[Item]:
        if field not in self._fields:
            return []
        fitting: dict[str, Item] = {}
        for text in dict.fromkeys(texts):
            for item in self._by_key.get((field, self._blind(field, text)), ()):
                fitting[item.key] = item
        return list(fitting.values())


def _joined(parts: Sequence[str]) -> Iterable[tuple[int, int, str]]:
    """Every run of neighbouring parts as one number, with where it begins and ends."""
    for start in range(len(parts)):
        number = ""
        for end in range(start + 1, min(len(parts), start + _LONGEST_CASE) + 1):
            number += parts[end - 1].upper()
            yield start, end, number


def _numbers(found: Candidates) -> Iterable[str]:
    """What in a name may be meant as a case number: no time, no telephone number."""
    phones = {call.phone for call in found.calls}
    for number in found.case_numbers:
        yield squashed(number)
    for parts in found.case_parts[:2]:
        for _start, _end, number in _joined(parts):
            if number not in phones and not (number.isdigit() and len(number) == 14):
                yield number


def _choose(name: str, fitting: Sequence[Item], how: How, found: Candidates) -> Match:
    """One item of those whose case fits, by the kind of material and the time; or why none."""
    wanting = [item for item in fitting if found.kind in item.kinds]
    if not wanting:  # the guess is not wanted: what else could the file be?
        wanting = [item for item in fitting if found.possible & item.kinds]
    if not wanting:
        others = _keys(fitting)
        return Match(name, Status.UNEXPECTED, How.KIND_NOT_WANTED, None, found.kind, others)
    calls = [item for item in wanting if item.at is not None]
    if calls and how is not How.CALL_ID and (found.times or len(calls) == len(wanting)):
        return _by_time(name, calls, how, found)
    if len(wanting) > 1:
        cases = {item.case_no for item in wanting}
        why = How.SEVERAL_CASES if len(cases) > 1 else How.SEVERAL_ITEMS
        return Match(name, Status.UNMATCHED, why, None, found.kind, _keys(wanting))
    return _one(name, wanting[0], how, found)


def _by_time(name: str, calls: Sequence[Item], how: How, found: Candidates) -> Match:
    """The call that began when the name says; near is a proposal; without a time, the only one."""
    others = _keys(calls)
    if not found.times:
        if len(calls) == 1:
            return _one(name, calls[0], how, found)
        several = len({item.case_no for item in calls}) > 1
        why = How.SEVERAL_CASES if several else How.SEVERAL_CALLS
        return Match(name, Status.UNMATCHED, why, None, found.kind, others)
    ranked = sorted(
        ((_apart(item, found), item.key, item) for item in calls), key=lambda one: one[:2]
    )
    apart, _key, item = ranked[0]
    alone = len(ranked) == 1 or ranked[1][0] > apart
    if apart <= SAME_TIME and alone:
        return _one(name, item, How.PHONE_AND_TIME if how is How.PHONE else how, found)
    if apart <= SAME_TIME:
        return Match(name, Status.UNMATCHED, How.SEVERAL_CALLS, None, found.kind, others)
    if apart <= NEAR_TIME and alone:
        return Match(name, Status.UNMATCHED, How.NEAR_TIME, None, found.kind, others, item.key)
    return Match(name, Status.UNEXPECTED, How.OTHER_TIME, None, found.kind, others)


def _apart(item: Item, found: Candidates) -> timedelta:
    """How far the call's beginning is from the nearest time in the name; another extension in the
    name makes it another call."""
    extensions = {call.extension for call in found.calls if call.extension}
    if item.at is None or (item.extension and extensions and item.extension not in extensions):
        return timedelta.max
    return min(abs(item.at - at) for at in found.times)


def _one(name: str, item: Item, how: How, found: Candidates) -> Match:
    """The item, if it has no such file yet."""
    kind = found.kind
    if kind is None or kind not in item.kinds:
        (kind, *more) = sorted(found.possible & item.kinds)
        kind = MaterialKind.OTHER if more else kind
    if masked_name(name) in item.delivered:
        return Match(name, Status.DUPLICATE, How.DELIVERED, item.key, kind)
    if item.filled and item.at is not None:
        return Match(name, Status.DUPLICATE, How.CALL_DELIVERED, item.key, kind)
    return Match(name, Status.MATCHED, how, item.key, kind)


def _keys(items: Iterable[Item]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.key for item in items))
