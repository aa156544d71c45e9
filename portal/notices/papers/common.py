"""What every paper holds: who issues it to whom, how to verify it, who confirmed, until when."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from portal.notices.schema import Code, Day, Instant, Line, Name, Rows, Web

Level = Literal["minor", "ordinary", "serious", "red_line"]  # 轻微 一般 严重 红线


class Issuer(TypedDict):
    """The company (委托方) and the department that issues."""

    name: Name
    department: Name
    address: NotRequired[Line]
    phone: NotRequired[Name]
    email: NotRequired[Name]


class Vendor(TypedDict):
    """The vendor that the paper is addressed to."""

    name: Name
    code: NotRequired[Code]


class Contract(TypedDict):
    """The contract that the paper rests on."""

    number: Line
    name: NotRequired[Line]


class Signed(TypedDict):
    """Who confirmed electronically, and when."""

    name: Name
    at: Instant
    title: NotRequired[Name]


class Contact(TypedDict):
    """Whom to ask."""

    name: Name
    department: NotRequired[Name]
    phone: NotRequired[Name]
    email: NotRequired[Name]


class Period(TypedDict):
    """First and last day, both included."""

    first: Day
    last: Day


class DayNote(TypedDict):
    """One day of a deadline's count (`portal.calendar.rules.DayNote`); `counted` 0: not counted."""

    day: Day
    kind: Literal["working", "weekend", "holiday", "make_up"]
    name: NotRequired[Line]
    counted: int


class Due(TypedDict):
    """When something is due, and every day from the day of issue on that explains why."""

    at: Instant
    why: Annotated[list[DayNote], Rows(most=120)]


class Forerunner(TypedDict):
    """The paper that this one replaces."""

    number: Code
    issued_at: Instant


class Paper(TypedDict):
    """What every paper has.

    `number`, `issued_at` and `verify_url` (QR code; its last part is the code to type) are set on
    issue. `card_display` "full": the pages print card numbers whole, by a recorded
    setting (A6); this content itself has them masked.
    """

    number: Code
    issued_at: Instant
    verify_url: Web
    issuer: Issuer
    vendor: Vendor
    supersedes: NotRequired[Forerunner]
    card_display: NotRequired[Literal["masked", "full"]]
