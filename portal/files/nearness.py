"""Numbers that are nearly right: one character typed wrong, left out, doubled or swapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

SHORTEST = 6
"""A shorter number has too many neighbours for a guess to mean anything."""


class Near:
    """The known numbers, found again from one slip away, without comparing each with each.

    Every number is filed under itself and under itself less one character; two numbers that are
    one slip apart share such a form.
    """

    def __init__(self, numbers: Iterable[str]) -> None:
        self._forms: dict[str, list[str]] = {}
        for number in numbers:
            if len(number) >= SHORTEST:
                for form in _forms(number):
                    self._forms.setdefault(form, []).append(number)

    def find(self, written: str) -> list[str]:
        """The known numbers one slip away from `written`; not `written` itself."""
        if len(written) < SHORTEST - 1:
            return []
        found: dict[str, None] = {}
        for form in _forms(written):
            for number in self._forms.get(form, ()):
                if number != written and one_slip(written, number):
                    found[number] = None
        return list(found)


def _forms(number: str) -> Iterator[str]:
    yield number
    for at in range(len(number)):
        yield number[:at] + number[at + 1 :]


def one_slip(one: str, other: str) -> bool:
    """Whether the two differ by one character wrong, missing, too many, or two swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    if len(one) > len(other):
        one, other = other, one
    start = 0
    while start < len(one) and one[start] == other[start]:
        start += 1
    if len(one) < len(other):
        return one[start:] == other[start + 1 :]
    if one[start + 1 :] == other[start + 1 :]:
        return True
    swapped = one[start : start + 2] == other[start : start + 2][::-1]
    return swapped and one[start + 2 :] == other[start + 2 :]
