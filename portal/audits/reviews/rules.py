"""Pure decisions of the review desk: stages, who may do the next one, agreement of two judges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from portal.kernel.errors import Conflict
from portal.kernel.phrases import phrase


class Stage(StrEnum):
    """Where a case is: first listening → second, by another auditor → the vendor's check of the
    facts (if it is asked for) → judged."""

    FIRST = "first"
    SECOND = "second"
    FACTS = "facts"
    JUDGED = "judged"


class ListeningKind(StrEnum):
    """The first or second listening of a case, or a blind second opinion (calibration)."""

    FIRST = "first"
    SECOND = "second"
    OPINION = "opinion"


class CheckState(StrEnum):
    """asked → answered; or lapsed, when the case was judged, or asked about anew, after its time
    without an answer; or recalled: the desk took the question back."""

    ASKED = "asked"
    ANSWERED = "answered"
    LAPSED = "lapsed"
    RECALLED = "recalled"


STAGE_MOVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "first": frozenset({"second", "judged"}),
        "second": frozenset({"facts", "judged"}),
        "facts": frozenset({"facts", "second", "judged"}),
        "judged": frozenset({"first", "second"}),
    }
)
"""A case passes from `first` to `judged` only where the terms listen twice to failing cases alone;
a judged one that is opened again is listened to a second time (a first, if nobody did before). The
vendor is asked again where findings changed after it had answered; a question that is taken back
leads back to the second listening."""


def check_other(first_by: UUID | None, actor_id: UUID) -> None:
    """The second listening and the verdict are another auditor's than the first. `Conflict`."""
    if first_by is not None and first_by == actor_id:
        raise Conflict(
            phrase("You listened to this case first; somebody else listens second and judges."),
            phrase("Leave it to another auditor and go on to the next case."),
        )


def check_facts_over(answered: bool, due_at: datetime, now: datetime) -> None:
    """The vendor has its working day for the check of facts, unless it answered. `Conflict`."""
    if not answered and now <= due_at:
        raise Conflict(
            phrase("The vendor is checking the facts and has not answered yet."),
            phrase("Judge the case when it has answered, or when its time is over."),
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two judges agree over the same cases: `both` counts (judged passed, opinion passed).

    `percent` of cases with the same verdict; `kappa` is Cohen's, None where chance alone explains
    every agreement (one verdict for everything) or there is no case.
    """

    both: Mapping[tuple[bool, bool], int]

    @property
    def cases(self) -> int:
        """Cases that both judged."""
        return sum(self.both.values())

    @property
    def agreed(self) -> int:
        """Cases with the same verdict."""
        return self.both.get((True, True), 0) + self.both.get((False, False), 0)

    @property
    def percent(self) -> float | None:
        """The share of agreed cases, 0 to 100; None without cases."""
        return self.agreed * 100 / self.cases if self.cases else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: (observed − expected) / (1 − expected)."""
        if not self.cases:
            return None
        passed = sum(n for (one, _), n in self.both.items() if one)
        passed_too = sum(n for (_, other), n in self.both.items() if other)
        rest, rest_too = self.cases - passed, self.cases - passed_too
        # In whole numbers times cases², so that "by chance alone" is exact.
        expected = passed * passed_too + rest * rest_too
        whole = self.cases * self.cases
        if expected == whole:
            return None
        return (self.agreed * self.cases - expected) / (whole - expected)


def agreement(pairs: Iterable[tuple[bool, bool]]) -> Agreement:
    """The agreement over (judged passed, opinion passed) of each case."""
    return Agreement(Counter(pairs))


def drawn_for_opinion(percent: int, lot: int) -> bool:
    """Whether a judged case goes to a blind second opinion. `lot`: 0 to 99, drawn at random."""
    return lot < percent
