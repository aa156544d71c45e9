"""Pure decisions of an appeal (申诉): its window, its instances, who may decide it (A5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import phrase

FIRST, LAST = 1, 2
"""Decided by the audit department, then, at the last, by the general department (综合部)."""
MOST_REASON = 3_000
MOST_EVIDENCE = 10


class AppealState(StrEnum):
    """open → upheld (the finding falls) | rejected (it stands)."""

    OPEN = "open"
    UPHELD = "upheld"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of an appeal of the same finding that was raised before."""

    instance: int
    state: AppealState


def next_instance(earlier: Sequence[Earlier]) -> int:
    """Which instance a new appeal goes to: the first once, then the last once, after a rejection.

    Raises `Conflict` while one is open, after the last, and when the finding has fallen.
    """
    if any(one.state is AppealState.UPHELD for one in earlier):
        raise Conflict(
            phrase("This finding has fallen already."), phrase("There is nothing to appeal.")
        )
    if any(one.state is AppealState.OPEN for one in earlier):
        raise Conflict(
            phrase("This finding is appealed already; the appeal is not decided yet."),
            phrase("Wait for the decision."),
        )
    if any(one.instance == LAST for one in earlier):
        raise Conflict(
            phrase("The general department has decided; there is no further appeal."),
            phrase("The decision stands on the appeal's page."),
        )
    return LAST if earlier else FIRST


def check_window(until: datetime | None, now: datetime) -> None:
    """Refuse an appeal after its window. `until` None: the paper was not acknowledged yet and the
    window has not begun to run."""
    if until is not None and now > until:
        raise Conflict(
            phrase("The time to appeal has passed; the finding counts as accepted."),
            phrase("Findings are appealed within the working days that the form names."),
        )


def check_text(reason: str) -> str:
    """The reason as it is kept; `Invalid` for none and for one that is too long."""
    kept = reason.strip()
    if not kept:
        raise Invalid(
            phrase("An appeal needs its reason."),
            phrase("Say what is wrong with the finding and what shows it."),
        )
    if len(kept) > MOST_REASON:
        raise Invalid(
            phrase("The reason has more than %(most)s characters.", most=MOST_REASON),
            phrase("Put the details into a file."),
        )
    return kept


def check_decider(decider: UUID, involved: Sequence[UUID | None]) -> None:
    """Nobody decides about the own finding, nor twice about the same one (`Conflict`)."""
    if decider in [person for person in involved if person is not None]:
        raise Conflict(
            phrase("Whoever found it or decided before does not decide this appeal."),
            phrase("Ask a colleague to decide it."),
        )
