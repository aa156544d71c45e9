"""Content of the material request (调取通知) and of the delivery receipt (材料接收回执)."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from portal.notices.papers.common import Contact, Contract, Due, Paper, Period, Signed
from portal.notices.schema import CardNumber, Code, Instant, Line, Name, Prose, Rows, Sha256, Web


class Draw(TypedDict):
    """How the vendor's cases were drawn (A3). Figures of this vendor only."""

    method: Literal["proportional"]
    drawn_at: Instant
    population: int
    sample: int
    seed_hash: Sha256
    population_hash: Sha256


class WantedMaterial(TypedDict):
    """A kind of material that is wanted of every case, unless the case names its own."""

    name: Name
    requirement: Prose
    format: NotRequired[Line]


class RequestedCase(TypedDict):
    """A case of the request. `materials` names what is wanted; absent: everything listed."""

    case_number: Line
    creditor: Name
    card: CardNumber
    customer: NotRequired[Name]
    project: NotRequired[Name]
    expected_calls: NotRequired[int]
    materials: NotRequired[Annotated[list[Name], Rows(least=1, most=20)]]


class MaterialRequest(Paper):
    """调取通知: a monthly draw (A3) or a call-up outside it (A10)."""

    basis: Literal["draw", "call_up"]
    period: Period
    due: Due
    deliver_at: Web
    contact: Contact
    materials: Annotated[list[WantedMaterial], Rows(least=1, most=20)]
    cases: Annotated[list[RequestedCase], Rows(least=1, most=10_000)]
    contract: NotRequired[Contract]
    draw: NotRequired[Draw]
    reason: NotRequired[Prose]
    signed: NotRequired[Signed]


class ReceiptRequest(TypedDict):
    """The request that was answered."""

    number: Code
    issued_at: Instant
    due_at: Instant


class Counts(TypedDict):
    """Items of the request: 应交, 已交, 缺, 无法提供. `unusable` of the missing have files, none of
    which can be used."""

    expected: int
    delivered: int
    missing: int
    unavailable: int
    unusable: NotRequired[int]


class ReceiptItem(TypedDict):
    """What became of one wanted material of one case."""

    case_number: Line
    card: CardNumber
    material: Name
    expected: int
    delivered: int
    state: Literal["delivered", "partial", "missing", "unavailable"]
    reason: NotRequired[Line]


class ReceiptFile(TypedDict):
    """A file that the server holds. `name` is the safe name, without personal data."""

    name: Line
    case_number: Line
    material: Name
    size: int
    sha256: Sha256
    received_at: Instant


class HandedInBy(TypedDict):
    """The vendor's person who handed in."""

    name: Name
    role: NotRequired[Name]
    account: NotRequired[Name]


class DeliveryReceipt(Paper):
    """材料接收回执 (A3): what was received, when by the server's clock, in time or not and why."""

    request: ReceiptRequest
    begun_at: Instant
    completed_at: Instant
    on_time: bool
    late_working_days: int
    counts: Counts
    materials: Annotated[list[ReceiptItem], Rows(least=1, most=20_000)]
    files: Annotated[list[ReceiptFile], Rows(most=20_000)]
    handed_in_by: HandedInBy
    delivery: NotRequired[int]
    why: NotRequired[Prose]
    due: NotRequired[Due]
