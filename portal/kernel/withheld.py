"""What somebody is not told of for the time being, on pages of slices that know nothing of why.

A blind opinion is blind only if messages, clocks and the journal are silent too. The slice that
withholds says what (`install`); lists that name things of all slices ask (`withheld_from`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from portal.kernel.access import Actor

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BETWEEN = " · "
"""Stands in a clock's label between the number and what the clock is about."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """`subjects`: ids of what is withheld and of what tells of it; `numbers`: its numbers, with
    which the labels of its clocks begin."""

    subjects: frozenset[UUID] = frozenset()
    numbers: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether anything is withheld."""
        return bool(self.subjects)

    def tells(self, path: str, params: Mapping[str, object]) -> bool:
        """Whether a message tells of it: by the page it leads to, or the clock it names."""
        if not self:
            return False
        named = {UUID(found) for found in _ID.findall(path.lower())}
        number, between, _rest = str(params.get("label", "")).partition(BETWEEN)
        return bool(named & self.subjects) or (bool(between) and number in self.numbers)


NOTHING = Withheld()
_finders: list[Callable[[Session, Actor], Withheld]] = []


def install(finder: Callable[[Session, Actor], Withheld]) -> None:
    """Say who decides what is withheld from somebody (the wiring does it once)."""
    _finders[:] = [finder]


def withheld_from(session: Session, actor: Actor) -> Withheld:
    """What is withheld from somebody now."""
    return _finders[0](session, actor) if _finders else NOTHING
