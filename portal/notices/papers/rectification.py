"""Content of the rectification notice (整改通知书)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from portal.notices.papers.common import Contact, Contract, Due, Level, Paper, Signed
from portal.notices.schema import Instant, Line, Name, Prose, Rows, Web


class Nonconformity(TypedDict):
    """A fact found and the ground that it breaks."""

    facts: Prose
    ground: Prose
    level: Level


class Demand(TypedDict):
    """One thing to correct; without `due_at` the notice's deadline holds."""

    demand: Prose
    due_at: NotRequired[Instant]


class RectificationNotice(Paper):
    """整改通知书 (C2.4) with its receipt slip (签收回执)."""

    source: Literal["assessment", "audit", "complaint", "regulator", "inspection"]
    facts: Annotated[list[Nonconformity], Rows(least=1, printed=200, most=200)]
    demands: Annotated[list[Demand], Rows(least=1, printed=200, most=200)]
    due: Due
    consequence: Prose
    answer_at: Web
    contact: Contact
    signed: Signed
    to: NotRequired[Line]
    cc: NotRequired[Annotated[list[Name], Rows(most=20)]]
    source_reference: NotRequired[Line]
    follows: NotRequired[Line]
    repeats: NotRequired[Annotated[list[Line], Rows(most=20)]]
    contract: NotRequired[Contract]
    stops: NotRequired[Annotated[list[Line], Rows(most=100)]]
    recheck_days: NotRequired[int]
