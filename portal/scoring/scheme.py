"""The score scheme: what is measured, how much it weighs, what the grades do (rule C2.4).

A scheme is editable data of the company, versioned; every figure of the score stands here and none
in `rules`. `parse_scheme` turns the stored content into these values or says all that is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from portal.kernel.content import Reader
from portal.kernel.phrases import phrase

FULL = Decimal(100)
# Not a default but a bound: assessing collectors by amount alone is barred for card debt, so
# recovery never gives more than this, whatever the scheme or the lack of other data.
MOST_FOR_RECOVERY = Decimal(30)


class Measure(StrEnum):
    """How an indicator turns facts into lost points."""

    POINTS_PER_CASE = "points_per_case"
    ATTAINMENT = "attainment"
    SHARE = "share"
    PER_THOUSAND = "per_thousand"


class Source(StrEnum):
    """What a `share` indicator counts: so many were due, these were missed or late."""

    REVIEWS = "reviews"
    RECORDS = "records"
    SELF_CHECKS = "self_checks"
    MATERIALS = "materials"
    RECTIFICATIONS = "rectifications"
    REPORTS = "reports"
    REPLIES = "replies"
    REGISTRATION = "registration"
    TRAINING = "training"
    ACCESS = "access"


class Effect(StrEnum):
    """What a finding does to the one indicator under which its clause counts.

    `points`: it costs its own points, undivided. `covered`: nothing more, since the indicator
    already counts the very fact (a late item under clause 601).
    """

    POINTS = "points"
    COVERED = "covered"


@dataclass(frozen=True)
class Indicator:
    """One thing measured. `weight` is in points; which other numbers count depends on `measure`.

    `factor`: points_per_case, multiplies the points per reviewed case. `cap`: attainment, the most
    that counts (1.10 = 110 %). `late_per_working_day`: share, the part of an item that each
    working day of lateness costs. `points_each`: per_thousand, points for one per 1,000 cases.
    """

    code: str
    title: str
    title_en: str
    weight: Decimal
    measure: Measure
    factor: Decimal = Decimal(0)
    cap: Decimal = Decimal(1)
    source: Source | None = None
    late_per_working_day: Decimal = Decimal(1)
    points_each: Decimal = Decimal(0)
    clauses: Mapping[str, Effect] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Dimension:
    """A group of indicators (合规作业, 业绩效率, …)."""

    code: str
    title: str
    title_en: str
    indicators: tuple[Indicator, ...]

    @property
    def weight(self) -> Decimal:
        """The sum of its indicators' weights."""
        return sum((indicator.weight for indicator in self.indicators), Decimal(0))


@dataclass(frozen=True)
class Grade:
    """A band [`start`, next grade's start): its fee factor (考核系数), and whether cases follow."""

    grade: str
    start: Decimal
    factor: Decimal
    placements: bool


@dataclass(frozen=True)
class Scheme:
    """A whole scheme. `grades` run from the best to the worst, which starts at 0.

    `red_line_cap`: the most a month with a red line can reach. `factor_without_data`: the fee
    factor of a month in which nothing could be assessed.
    """

    dimensions: tuple[Dimension, ...]
    grades: tuple[Grade, ...]
    red_line_cap: Decimal
    factor_without_data: Decimal

    @property
    def indicators(self) -> tuple[Indicator, ...]:
        """All indicators, in order."""
        return tuple(i for dimension in self.dimensions for i in dimension.indicators)

    def grade_of(self, total: Decimal) -> Grade:
        """The grade of a total from 0 to 100."""
        return next(grade for grade in self.grades if total >= grade.start)


def parse_scheme(content: Mapping[str, Any]) -> Scheme:
    """The scheme that `content` describes. Raises `ContentError` (a `ValueError`)."""
    root = Reader(content)
    root.only("dimensions", "grades", "red_line_cap", "factor_without_data")
    scheme = Scheme(
        tuple(_dimension(entry) for entry in root.field("dimensions").items()),
        tuple(_grade(entry) for entry in root.field("grades").items()),
        root.field("red_line_cap").number(0, 100, places=2),
        root.field("factor_without_data").number(0, 2, places=2),
    )
    if root.sound:
        _check_weights(root, scheme)
        _check_codes(root, scheme)
        _check_grades(root, scheme)
    root.done()
    return scheme


def _dimension(entry: Reader) -> Dimension:
    entry.only("code", "title", "title_en", "indicators")
    return Dimension(
        entry.field("code").text(),
        entry.field("title").text(),
        entry.field("title_en").text(),
        tuple(_indicator(each) for each in entry.field("indicators").items()),
    )


_COMMON = ("code", "title", "title_en", "weight", "measure")
_FIELDS: Mapping[Measure, tuple[str, ...]] = {
    Measure.POINTS_PER_CASE: ("factor",),
    Measure.ATTAINMENT: ("cap",),
    Measure.SHARE: ("source", "late_per_working_day", "clauses"),
    Measure.PER_THOUSAND: ("points_each", "clauses"),
}


def _indicator(entry: Reader) -> Indicator:
    measure = entry.field("measure").choice(Measure)
    fields = _FIELDS[measure]
    entry.only(*_COMMON, *fields)

    def number(name: str, low: str, high: str, otherwise: str) -> Decimal:
        return entry.field(name).number(low, high) if name in fields else Decimal(otherwise)

    return Indicator(
        code=entry.field("code").text(),
        title=entry.field("title").text(),
        title_en=entry.field("title_en").text(),
        weight=entry.field("weight").number("0.01", "100", places=2),
        measure=measure,
        factor=number("factor", "0", "1000", "0"),
        cap=number("cap", "1", "2", "1"),
        source=entry.field("source").choice(Source) if "source" in fields else None,
        late_per_working_day=number("late_per_working_day", "0", "1", "1"),
        points_each=number("points_each", "0", "100", "0"),
        clauses=_effects(entry),
    )


def _effects(entry: Reader) -> Mapping[str, Effect]:
    clauses = entry.optional("clauses")
    found = clauses.entries() if clauses else []
    return MappingProxyType({no: effect.choice(Effect) for no, effect in found})


def _grade(entry: Reader) -> Grade:
    entry.only("grade", "from", "factor", "placements")
    return Grade(
        entry.field("grade").text(),
        entry.field("from").number(0, 100, places=2),
        entry.field("factor").number(0, 2, places=2),
        entry.field("placements").flag(),
    )


def _check_weights(root: Reader, scheme: Scheme) -> None:
    total = sum((indicator.weight for indicator in scheme.indicators), Decimal(0))
    if total != FULL:
        root.complain(phrase("The weights add up to %(total)s and must give 100.", total=total))
    recovery = [i for i in scheme.indicators if i.measure is Measure.ATTAINMENT]
    if len(recovery) > 1:
        root.complain(phrase("At most one indicator may measure recovery against target."))
    if any(i.weight * i.cap > MOST_FOR_RECOVERY for i in recovery):
        root.complain(
            phrase(
                "Recovery may give at most %(most)s points, over-fulfilment included.",
                most=MOST_FOR_RECOVERY,
            )
        )
    counting = [i for i in scheme.indicators if i.measure is Measure.POINTS_PER_CASE]
    if len(counting) != 1:
        root.complain(phrase("Exactly one indicator must count points per reviewed case."))


def _check_codes(root: Reader, scheme: Scheme) -> None:
    groups: tuple[list[str], ...] = (
        [dimension.code for dimension in scheme.dimensions],
        [indicator.code for indicator in scheme.indicators],
        [indicator.source.value for indicator in scheme.indicators if indicator.source],
        [no for indicator in scheme.indicators for no in indicator.clauses],
    )
    for codes in groups:
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            root.complain(phrase("%(code)s is there twice.", code=code))


def _check_grades(root: Reader, scheme: Scheme) -> None:
    starts = [grade.start for grade in scheme.grades]
    if starts != sorted(set(starts), reverse=True) or starts[-1] != 0:
        root.complain(
            phrase("The grades must run from the best to the worst, and the worst start at 0.")
        )
