"""Pure decisions of an appeal (申诉): its window, its instances, who may decide it (A5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from portal.audits.rules import assess
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.money import Money
from portal.kernel.phrases import phrase
from portal.vendors.clauses import Catalogue, Level

FIRST, LAST = 1, 2
"""Decided by the audit department, then, at the last, by the general department (综合部)."""
MOST_REASON = 3_000
MOST_EVIDENCE = 10


class AppealState(StrEnum):
    """open → upheld (the finding falls) | partly (it stands, eased) | rejected (it stands)."""

    OPEN = "open"
    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"


class Point(StrEnum):
    """What of a finding an appeal disputes; one may dispute several."""

    FACTS = "facts"
    CLAUSE = "clause"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What is known of an appeal of the same finding that was raised before."""

    instance: int
    state: AppealState


def next_instance(earlier: Sequence[Earlier]) -> int:
    """Which instance a new appeal goes to: the first once, then the last once, after a decision
    that let the finding stand.

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


def check_points(chosen: Iterable[str]) -> list[str]:
    """The disputed points in their order; `Invalid` for none, unknown ones are left out."""
    points: list[str] = [point.value for point in Point if point.value in set(chosen)]
    if not points:
        raise Invalid(
            phrase("Say what is disputed: the facts, the clause, the severity."),
            phrase("Choose at least one."),
        )
    return points


def check_decider(decider: UUID, involved: Sequence[UUID | None]) -> None:
    """Nobody decides about what one found, judged or confirmed, nor twice about the same finding
    (`Conflict`)."""
    if decider in [person for person in involved if person is not None]:
        raise Conflict(
            phrase("Whoever found, judged or confirmed it, or decided before, does not decide."),
            phrase("Ask a colleague to decide it, or hand it to the general department."),
        )


@dataclass(frozen=True, slots=True)
class Counted:
    """A finding as far as a decision can ease it. `points`, `deduction`: totals (CNY)."""

    clause_no: str
    times: int
    level: Level
    points: Decimal
    deduction: Money
    facts: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class Relief:
    """What a partly upheld decision puts in a finding's place. None for level, points, deduction:
    what clause, times and repetition give, at most what it was."""

    clause_no: str
    times: int
    facts: str
    level: Level | None = None
    points: Decimal | None = None
    deduction: Money | None = None


def capped(made: Counted, before: Counted) -> Counted:
    """`made`, nowhere heavier than it was `before`: who appeals is not worse off for it."""
    return replace(
        made,
        level=min(made.level, before.level, key=lambda level: level.rank),
        points=min(made.points, before.points),
        deduction=min(made.deduction, before.deduction),
    )


def eased(
    catalogue: Catalogue, on: date, now: Counted, relief: Relief, earlier: Sequence[date]
) -> Counted:
    """The finding after a partly upheld appeal (A5), by the catalogue of its day `on`.

    `earlier`: the same person's acts against the clause that is to apply; they count only where
    repetition counted before. `Invalid` for what is heavier than it was, and for what changes
    nothing.
    """
    made = assess(
        catalogue,
        relief.clause_no,
        on,
        times=relief.times,
        earlier=earlier,
        take_repetition=now.repeated,
    )
    by_clause = capped(
        Counted(
            relief.clause_no,
            relief.times,
            made.level,
            made.points,
            made.deduction,
            relief.facts.strip(),
            made.repeated,
        ),
        now,
    )
    after = replace(
        by_clause,
        level=by_clause.level if relief.level is None else relief.level,
        points=by_clause.points if relief.points is None else relief.points,
        deduction=by_clause.deduction if relief.deduction is None else relief.deduction,
    )
    _check_eased(now, after)
    return after


def _check_eased(now: Counted, after: Counted) -> None:
    if not after.facts:
        raise Invalid(phrase("The facts are missing."), phrase("Write what stands of them."))
    if capped(after, now) != after or after.times > now.times:
        raise Invalid(
            phrase("A decision on an appeal makes nothing heavier than it was."),
            phrase("Choose a level, times, points and a deduction that are at most the former."),
        )
    if after == now:
        raise Invalid(
            phrase("A partly upheld appeal changes something of the finding."),
            phrase(
                "Change clause, times, level, points, deduction or facts, or reject the appeal."
            ),
        )
