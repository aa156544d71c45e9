"""What may happen to a rectification notice, and what notice and answer need (C2.4). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import Phrase, phrase
from portal.rectification.kinds import RectificationState as State

TRANSITIONS: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.DRAFT: frozenset({State.ISSUED, State.CANCELLED}),
        State.ISSUED: frozenset({State.ANSWERED, State.CANCELLED}),
        State.ANSWERED: frozenset({State.ACCEPTED, State.RETURNED, State.CANCELLED}),
        State.RETURNED: frozenset({State.ANSWERED, State.CANCELLED}),
        State.ACCEPTED: frozenset(),
        State.CANCELLED: frozenset(),
    }
)
OPEN_TO_ANSWER = frozenset({State.ISSUED, State.RETURNED})
"""While a notice is in one of these, the vendor writes its answer."""

MOST_DEMANDS = 50
MOST_DAYS = 60
MOST_MILESTONES = 20
_NUMBERING = re.compile(r"^\s*(?:\d{1,3}\s*[、.．)）](?!\d)|[-•·*])\s*")


def moved(state: str, to: State) -> State:
    """`to`, if a notice in `state` may become that; else `Conflict` that says what it is."""
    now = State(state)
    if to in TRANSITIONS[now]:
        return to
    raise Conflict(_WHY_NOT[now], phrase("The page shows its present state."))


_WHY_NOT: Mapping[State, Phrase] = MappingProxyType(
    {
        State.DRAFT: phrase("This notice is not issued yet."),
        State.ISSUED: phrase("This notice is issued already and waits for the answer."),
        State.ANSWERED: phrase("This notice is answered already; the answer waits for a decision."),
        State.RETURNED: phrase("The answer is returned already; the vendor writes a new one."),
        State.ACCEPTED: phrase("The answer is accepted already; the notice is closed."),
        State.CANCELLED: phrase("This notice is cancelled; nothing is changed any more."),
    }
)


def reopened(state: str) -> State:
    """The state of an accepted notice that is opened again; `Conflict` for any other."""
    if State(state) is State.ACCEPTED:
        return State.RETURNED
    raise Conflict(
        phrase("Only an accepted notice can be reopened."),
        phrase("The page shows its present state."),
    )


def check_open(state: str) -> None:
    """Refuse writing an answer to a notice that waits for none (`Conflict`)."""
    if State(state) not in OPEN_TO_ANSWER:
        moved(state, State.ANSWERED)
        raise Conflict(phrase("This notice is not issued yet."))


def demand_lines(text: str) -> tuple[str, ...]:
    """The demands of a text with one on each line; a numbering typed before them is dropped."""
    lines = (_NUMBERING.sub("", line).strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class NoticeText:
    """What the company writes in a notice. `working_days`: the deadline, counted from issue;
    `source_reference`: which form, opinion, result, complaint, letter or inspection it is from."""

    title: str
    source: str
    level: str
    facts: str
    grounds: str
    demands: tuple[str, ...]
    consequence: str
    working_days: int
    source_reference: str = ""


def check_days(chosen: int, proposed: int) -> int:
    """`chosen`, unless it is sooner than the level's own deadline or further than 60 days."""
    if proposed <= chosen <= MOST_DAYS:
        return chosen
    raise Invalid(
        phrase(
            "The deadline must be %(least)s to %(most)s working days for this level.",
            least=proposed,
            most=MOST_DAYS,
        ),
        phrase("Leave the field empty to take the level's own deadline."),
    )


def check_new_days(days: int) -> int:
    """`days`, if a new round may have so many working days; else `Invalid`."""
    if 1 <= days <= MOST_DAYS:
        return days
    raise Invalid(
        phrase("The new deadline must be 1 to %(most)s working days.", most=MOST_DAYS),
        phrase("Choose another number of working days."),
    )


def check_milestone(text: str, planned_on: date | None, today: date, known: int) -> date:
    """The planned day of a new milestone, if it may be added: a text, a day not gone by, and at
    most 20 of them (`Invalid`)."""
    if not text or planned_on is None:
        raise Invalid(
            phrase("A milestone needs a text and a day."), phrase("Write what is done by when.")
        )
    if planned_on < today:
        raise Invalid(
            phrase("The day of a new milestone has gone by."), phrase("Choose today or later.")
        )
    if known >= MOST_MILESTONES:
        raise Invalid(
            phrase("A notice takes at most %(most)s milestones.", most=MOST_MILESTONES),
            phrase("Combine some of them."),
        )
    return planned_on


def check_complete(text: NoticeText) -> None:
    """Refuse to issue a notice that lacks a part (C2.4); the message names all that is missing."""
    parts = (
        (text.title, phrase("the title")),
        (text.facts, phrase("the facts")),
        (text.grounds, phrase("the grounds")),
        (text.demands, phrase("the demands")),
        (text.consequence, phrase("the consequence")),
        (text.source_reference, phrase("what it comes from")),
    )
    missing = [name for value, name in parts if not value]
    if missing:
        raise Invalid(
            phrase(
                "The notice still lacks: %(parts)s.",
                parts=str(phrase(", ")).join(map(str, missing)),
            ),
            phrase("Edit the draft, then issue it."),
        )
    if len(text.demands) > MOST_DEMANDS:
        raise Invalid(
            phrase("A notice makes at most %(most)s demands.", most=MOST_DEMANDS),
            phrase("Combine some of them, or write a second notice."),
        )


@dataclass(frozen=True, slots=True)
class AnswerText:
    """What the vendor answers (整改报告)."""

    cause: str
    correction: str
    prevention: str
    person_treatment: str
    done_on: date | None


def check_answer(text: AnswerText, today: date) -> None:
    """Refuse to submit an answer that lacks a part, or whose correction lies ahead."""
    parts = (
        (text.cause, phrase("the cause")),
        (text.correction, phrase("the correction")),
        (text.prevention, phrase("the prevention")),
        (text.done_on, phrase("the day it was done")),
    )
    missing = [name for value, name in parts if not value]
    if missing:
        raise Invalid(
            phrase(
                "The answer still lacks: %(parts)s.",
                parts=str(phrase(", ")).join(map(str, missing)),
            ),
            phrase("What you wrote is saved as a draft. Complete it and submit again."),
        )
    if text.done_on is not None and text.done_on > today:
        raise Invalid(
            phrase("The day it was done lies in the future."),
            phrase("Enter the day on which the correction was finished, today at the latest."),
        )
