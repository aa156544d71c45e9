"""What a score is computed from: recorded facts of one vendor and period, each with its link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from portal.kernel.money import Money
from portal.scoring.scheme import Source
from portal.vendors.clauses import Level


@dataclass(frozen=True)
class Link:
    """The recorded thing that a figure comes from: ("finding", its id)."""

    subject_type: str
    subject_id: UUID


@dataclass(frozen=True)
class Finding:
    """A confirmed finding. `points` as judged (doubled when repeated).

    `case_id`: the case it was found in. `about`: the fact it is about, where that is counted
    anyway (the rectification that was late), so that it does not count twice.
    """

    link: Link
    clause: str
    level: Level
    points: Decimal
    case_id: UUID | None = None
    about: Link | None = None
    case_no: str = ""


@dataclass(frozen=True)
class Recovery:
    """Confirmed receipts of one project and age band against its target.

    `entrusted` and `receipts` in money; `target_rate` is the part of the entrusted amount that
    was to be recovered in the period (0.12 = 12 %).
    """

    link: Link
    project: str
    age: str
    entrusted: Money
    receipts: Money
    target_rate: Decimal


@dataclass(frozen=True)
class Miss:
    """One thing due that was missed (`working_days_late` None), or came late by that many days.
    `how`: what is said of it when it was missed."""

    link: Link
    working_days_late: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    how: str = "missed"

    def __post_init__(self) -> None:
        """Late means at least one working day (`ValueError`)."""
        if self.working_days_late is not None and self.working_days_late < 1:
            raise ValueError("what is late is late by at least one working day")


@dataclass(frozen=True)
class Tally:
    """So many were due, and these were missed or late."""

    total: int
    misses: tuple[Miss, ...] = ()

    def __post_init__(self) -> None:
        """No more can be missed than was due (`ValueError`)."""
        if self.total < len(self.misses):
            raise ValueError("more was missed than was due")


@dataclass(frozen=True)
class Complaints:
    """Justified complaints (有责投诉) of the period against the cases in hand."""

    cases: int
    justified: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All facts of a period. What is absent (None, no tally) was not measured, and is not zero.

    `reviewed` cases were judged, of which `failed` 不合格; they are the tally of `Source.REVIEWS`,
    which `tallies` therefore does not hold. Only facts that stand belong here: no waived finding,
    no appeal that was upheld.
    """

    reviewed: int = 0
    failed: tuple[Miss, ...] = ()
    findings: tuple[Finding, ...] = ()
    recovery: tuple[Recovery, ...] = ()
    tallies: Mapping[Source, Tally] = field(default_factory=dict)
    complaints: Complaints | None = None

    def tally(self, source: Source) -> Tally | None:
        """What an indicator counts, or None where nothing was due or measured."""
        if source is Source.REVIEWS:
            found: Tally | None = Tally(self.reviewed, self.failed)
        else:
            found = self.tallies.get(source)
        return found if found is not None and found.total else None
