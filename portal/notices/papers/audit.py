"""Content of the daily audit assessment form (日常稽核评估表)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from portal.notices.papers.common import Contract, Level, Paper, Period, Signed
from portal.notices.schema import (
    Amount,
    CardNumber,
    Code,
    Figure,
    Instant,
    Line,
    Name,
    Prose,
    Rows,
)


class Clause(TypedDict):
    """A clause of the penalty catalogue with its full text (A6)."""

    number: Code
    text: Prose


class Finding(TypedDict):
    """One finding: A6's entrusting company, card, handling and clauses, and the facts (A5)."""

    creditor: Name
    case_number: Line
    card: CardNumber
    person: Name
    facts: Prose
    clauses: Annotated[list[Clause], Rows(least=1, most=10)]
    level: Level
    handling: Line
    points: Figure
    deduction: Amount
    escalated: bool
    customer: NotRequired[Name]
    age_band: NotRequired[Name]
    group: NotRequired[Name]
    leader: NotRequired[Name]
    person_number: NotRequired[Name]
    call_at: NotRequired[Instant]
    call_seconds: NotRequired[int]
    from_second: NotRequired[int]
    to_second: NotRequired[int]
    words: NotRequired[Prose]
    correction: NotRequired[Prose]
    correct_by: NotRequired[Instant]


class Reviewed(TypedDict):
    """The verdict on a reviewed case: 合格 or 不合格."""

    case_number: Line
    card: CardNumber
    creditor: Name
    passed: bool


class Weight(TypedDict):
    """What a finding weighs: by clause and level, in points and money."""

    clause: Code
    level: Level
    points: Figure
    deduction: Amount


class Eased(TypedDict):
    """What a finding weighed, and what it weighs after the appeal."""

    before: Weight
    after: Weight


class Correction(TypedDict):
    """A finding of the forerunner that fell by an upheld appeal (申诉成立), or stands `eased` by
    one upheld in part (部分成立), and the decision."""

    case_number: Line
    clause: Code
    decided_at: Instant
    decided_by: Name
    reason: Prose
    eased: NotRequired[Eased]


class AssessmentForm(Paper):
    """日常稽核评估表 (A5, A6). Without the audit head's confirmation it is no form. One that
    replaces another after an appeal may be left without findings; no other is issued so."""

    project: Name
    period: Period
    manner: Literal["random", "targeted", "complaint"]
    expected: int
    delivered: int
    reviewed: int
    passed: int
    findings: Annotated[list[Finding], Rows(printed=200, most=200)]
    auditor: Signed
    head: Signed
    appeal_days: int
    decide_days: int
    deemed_days: NotRequired[int]
    contract: NotRequired[Contract]
    request_number: NotRequired[Code]
    reviews: NotRequired[Annotated[list[Reviewed], Rows(most=10_000)]]
    corrections: NotRequired[Annotated[list[Correction], Rows(most=200)]]
