"""How a file is cut into parts, and the signed address under which one part may be sent.

The cut is a pure function of the size, so that browser, portal and store agree without asking.
An address is a capability: whoever holds it may send exactly these bytes' place and number, to
this upload of this tenant, until it runs out. It is checked without session or database.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

LEAST_PART = 8 << 20
MOST_PARTS = 900
LIFETIME = timedelta(hours=1)
"""How long an address of a part is good; the desk asks for a fresh one in time."""
PREFIX = "/parts/"
_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a file: `number` from 1, `offset` and `length` in bytes."""

    number: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Received:
    """A part that the store holds: its number, bytes, and the store's tag for it."""

    number: int
    length: int
    tag: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a part's address says: which upload (by its key), the file's size, and which part."""

    key: str
    size: int
    part: Part


class Refused(Exception):
    """The address of a part is not good; `code` says why: tampered, expired."""

    def __init__(self, code: str) -> None:
        """`code` is what the desk explains."""
        super().__init__(code)
        self.code = code


def part_size(size: int) -> int:
    """Bytes of each part but the last: 8 MiB, or more so that no file has more than 900."""
    return max(LEAST_PART, -(-size // MOST_PARTS))


def count_of(size: int) -> int:
    """How many parts a file of `size` bytes has. Raises `ValueError` for an empty one."""
    if size <= 0:
        raise ValueError("an empty file has no parts")
    return -(-size // part_size(size))


def part_of(size: int, number: int) -> Part:
    """The part `number` of a file. Raises `ValueError` when it has no such part."""
    if not 1 <= number <= count_of(size):
        raise ValueError("no such part")
    each = part_size(size)
    offset = (number - 1) * each
    return Part(number, offset, min(each, size - offset))


def parts_of(size: int) -> list[Part]:
    """All parts of a file in order."""
    return [part_of(size, number) for number in range(1, count_of(size) + 1)]


def missing_of(size: int, received: list[Received]) -> list[int]:
    """Numbers of the parts that are not there, or there with another length than theirs."""
    whole = {(one.number, one.length) for one in received}
    return [part.number for part in parts_of(size) if (part.number, part.length) not in whole]


def _seal(secret: bytes, ticket: Ticket, expires: int) -> str:
    part = ticket.part
    text = (
        f"PUT\n{ticket.key}\n{ticket.size}\n{part.number}\n{part.offset}\n{part.length}\n{expires}"
    )
    return hmac.new(secret, text.encode(), sha256).hexdigest()


def address(secret: bytes, ticket: Ticket, now: datetime) -> str:
    """The signed address (a path) under which this part may be sent for an hour from `now`."""
    expires = int((now + LIFETIME).timestamp())
    query = {"size": ticket.size, "expires": expires, "sign": _seal(secret, ticket, expires)}
    return f"{PREFIX}{ticket.key}/{ticket.part.number}?{urlencode(query)}"


def check(secret: bytes, path: str, query: Mapping[str, str], now: datetime) -> Ticket:
    """What a part's address allows. Raises `Refused`: tampered (any change of tenant, upload,
    part, length, end or signature) or expired (also when a clock went back by hours)."""
    key, _, number = path.removeprefix(PREFIX).rpartition("/")
    try:
        size, expires = int(query["size"]), int(query["expires"])
        ticket = Ticket(key, size, part_of(size, int(number)))
    except (KeyError, ValueError) as error:
        raise Refused("tampered") from error
    sign = query.get("sign", "").encode(errors="replace")
    if not hmac.compare_digest(_seal(secret, ticket, expires).encode(), sign):
        raise Refused("tampered")
    end = datetime.fromtimestamp(expires, UTC)
    if not now < end <= now + LIFETIME + _SLACK:
        raise Refused("expired")
    return ticket
