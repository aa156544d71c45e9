"""Pure decisions of the audit: states, verdicts, repetition, what a form must hold (A5, A6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from portal.kernel.errors import Conflict, Invalid
from portal.kernel.money import Money, cents
from portal.kernel.phrases import Phrase, phrase, plural
from portal.vendors.clauses import Catalogue, Judgement, Level, Outcome

FINDING_MOVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "draft": frozenset({"confirmed"}),
        "confirmed": frozenset({"issued", "withdrawn"}),
        "issued": frozenset({"overturned"}),
        "withdrawn": frozenset(),
        "overturned": frozenset(),
    }
)
"""A draft that is dropped is deleted; a confirmed finding is withdrawn with a reason; an issued one
falls by an appeal alone."""

REVIEW_MOVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"open": frozenset({"judged"}), "judged": frozenset({"open"})}
)
"""A judged case is opened again only while no form reports it."""

FORM_MOVES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "prepared": frozenset({"issued", "returned"}),
        "issued": frozenset(),
        "returned": frozenset(),
    }
)


def moved(table: Mapping[str, frozenset[str]], state: str, to: str) -> str:
    """`to`, if the table of a workflow allows it from `state`; else `Conflict`."""
    if to not in table[state]:
        raise Conflict(
            phrase("This was done already, or its state does not allow it any more."),
            phrase("Reload the page to see the present state."),
        )
    return to


def check_verdict(passed: bool, states: Iterable[str]) -> None:
    """不合格 needs at least one finding, 合格 has none (withdrawn ones do not count).

    `states` are those of the case's findings. Raises `Invalid`.
    """
    standing = [state for state in states if state != "withdrawn"]
    if passed and standing:
        raise Invalid(
            plural(
                "A case with findings cannot pass: %(count)s stands.",
                "A case with findings cannot pass: %(count)s stand.",
                by="count",
                count=len(standing),
            ),
            phrase("Remove or withdraw the findings, or judge the case as failed."),
        )
    if not passed and not standing:
        raise Invalid(
            phrase("A case fails because of a finding, and there is none."),
            phrase("Write the finding with its clause first, or judge the case as passed."),
        )


def escalates(level: Level, outcome: Outcome) -> bool:
    """Serious violations go at once to the general manager's office (A5), and what the catalogue
    says must be reported."""
    return level.rank >= Level.SERIOUS.rank or outcome.report


@dataclass(frozen=True, slots=True)
class Assessed:
    """What a finding costs: the clause applied so many times, repetition decided."""

    level: Level
    outcome: Outcome
    points: Decimal
    deduction: Money
    repeated: bool
    escalates: bool


def assess(
    catalogue: Catalogue,
    clause_no: str,
    on: date,
    *,
    times: int = 1,
    earlier: Sequence[date] = (),
    take_repetition: bool = True,
) -> Assessed:
    """How a finding counts (A5). Raises `Invalid` for a clause that the catalogue does not have."""
    judged = catalogue.judge(clause_no, on, earlier if take_repetition else ())
    outcome = catalogue.outcomes[judged.level]
    return Assessed(
        judged.level,
        outcome,
        Decimal(judged.points * times),
        cents(judged.deduction * times),
        judged.repeated,
        escalates(judged.level, outcome),
    )


def proposal(
    catalogue: Catalogue, clause_no: str, on: date, earlier: Sequence[date]
) -> Judgement | None:
    """The next level and the multiplied points that repetition proposes, if there is any (A5)."""
    judged = catalogue.judge(clause_no, on, earlier)
    return judged if judged.repeated else None


def weight(level: str, points: Decimal, deduction: Money, clause_no: str) -> tuple[object, ...]:
    """The order of findings on one call, the heaviest first: that one counts, the others are merged
    into it (一事不二罚). By level, points, deduction, then the smaller clause number."""
    return -Level(level).rank, -points, -deduction, clause_no


def handling(outcome: Outcome, deduction: Money, *, damages: bool) -> str:
    """How a finding is handled, as the form says it unless the auditor words it otherwise."""
    text = outcome.text
    if deduction:
        text += f"，扣款 {deduction:,.2f} 元"
    if damages:
        text += "，并赔偿损失"
    return text


class Lack(StrEnum):
    """What a form cannot be issued without (A6; the clauses and the recipients: A5)."""

    ENTRUSTING_COMPANY = "entrusting_company"
    CARD = "card"
    HANDLING = "handling"
    CLAUSE_NO = "clause_no"
    CLAUSE_TEXT = "clause_text"
    PERSON = "person"
    FACTS = "facts"


LACKS: Mapping[Lack, Phrase] = MappingProxyType(
    {
        Lack.ENTRUSTING_COMPANY: phrase("Case %(case)s: the entrusting company is missing."),
        Lack.CARD: phrase("Case %(case)s: the card number is missing."),
        Lack.HANDLING: phrase("Case %(case)s: it is not said how the finding is handled."),
        Lack.CLAUSE_NO: phrase("Case %(case)s: the number of the clause is missing."),
        Lack.CLAUSE_TEXT: phrase(
            "Case %(case)s: the text of clause %(clause)s is not the one in force that day."
        ),
        Lack.PERSON: phrase("Case %(case)s: the person responsible is missing."),
        Lack.FACTS: phrase("Case %(case)s: the facts are missing."),
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a form, as far as A6 asks for it. `clause_text_in_force` is the catalogue's."""

    case_no: str
    entrusting_company: str
    card: str
    handling: str
    clause_no: str
    clause_text: str
    clause_text_in_force: str
    person: str
    facts: str


def lacks(row: Row) -> tuple[Lack, ...]:
    """What the row lacks, in the order of the form (A6)."""
    missing = {
        Lack.ENTRUSTING_COMPANY: not row.entrusting_company.strip(),
        Lack.CARD: not row.card.strip(),
        Lack.HANDLING: not row.handling.strip(),
        Lack.CLAUSE_NO: not row.clause_no.strip(),
        Lack.CLAUSE_TEXT: not row.clause_text.strip()
        or row.clause_text != row.clause_text_in_force,
        Lack.PERSON: not row.person.strip(),
        Lack.FACTS: not row.facts.strip(),
    }
    return tuple(lack for lack, is_missing in missing.items() if is_missing)


def what_is_missing(rows: Sequence[Row], *, has_manager: bool) -> tuple[Phrase, ...]:
    """Everything that keeps a form from being issued, for people (A5, A6); empty when complete."""
    problems = [
        LACKS[lack].filled({"case": row.case_no, "clause": row.clause_no})
        for row in rows
        for lack in lacks(row)
    ]
    if not rows:
        problems.append(phrase("The form reports no finding."))
    if not has_manager:
        problems.append(phrase("The vendor has no manager or supervisor to receive the form."))
    return tuple(problems)


def check_head(prepared_by: object, confirming: object) -> None:
    """The audit head confirms what somebody else prepared (A6). Raises `Conflict`."""
    if prepared_by == confirming:
        raise Conflict(
            phrase("Whoever prepared a form does not confirm it."),
            phrase("Ask another audit head to confirm it."),
        )
