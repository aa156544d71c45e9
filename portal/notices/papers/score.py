"""Content of the monthly assessment result (月度考核结果)."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict

from portal.notices.papers.common import Contract, Paper, Signed
from portal.notices.schema import Amount, Day, Figure, Line, Month, Name, Prose, Rows


class Indicator(TypedDict):
    """An indicator of a dimension: full marks, marks got, and the figures it rests on."""

    name: Name
    full: Figure
    got: Figure
    basis: Line


class Dimension(TypedDict):
    """A dimension of the score. `weight` is the one in force; `scheme_weight` before it moved."""

    name: Name
    weight: Figure
    score: Figure
    indicators: Annotated[list[Indicator], Rows(most=50)]
    scheme_weight: NotRequired[Figure]
    note: NotRequired[Line]


class LostPoint(TypedDict):
    """Points lost and the fact that cost them."""

    dimension: Name
    points: Figure
    fact: Prose
    reference: NotRequired[Line]
    happened_on: NotRequired[Day]
    money: NotRequired[Amount]


class GradeBand(TypedDict):
    """A grade: from `least` up to, not including, `below` (absent: to the top)."""

    grade: Name
    least: Figure
    factor: Figure
    below: NotRequired[Figure]
    consequence: NotRequired[Line]


class Cap(TypedDict):
    """Why the total may not be above `limit` (a red line was crossed)."""

    limit: Figure
    reason: Line


class ScoreReport(Paper):
    """月度考核结果: dimensions, every point lost with its fact, grade and factor.

    A month without enough facts has no `grade`; its totals are 0.00 and print as a dash.
    """

    month: Month
    scheme: Line
    dimensions: Annotated[list[Dimension], Rows(least=1, most=20)]
    before_cap: Figure
    total: Figure
    factor: Figure
    bands: Annotated[list[GradeBand], Rows(least=1, most=20)]
    lost: Annotated[list[LostPoint], Rows(most=20_000)]
    signed: Signed
    appeal_days: int
    grade: NotRequired[Name]
    project: NotRequired[Name]
    contract: NotRequired[Contract]
    cap: NotRequired[Cap]
    consequences: NotRequired[Annotated[list[Line], Rows(most=20)]]
    notes: NotRequired[Annotated[list[Line], Rows(most=20)]]
