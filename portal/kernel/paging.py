"""Lists by cursor: a closed set of sorts, a page size, and `(sort value, id)` as the place.

No OFFSET: page 10,000 costs what page 1 costs.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.kernel.errors import Invalid
from portal.kernel.phrases import phrase

PAGE_SIZE = 50
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sort:
    """One of a list's sorts. `column` must be NOT NULL; ties are broken by `id`."""

    column: Any
    id: Any
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list and the cursors of its neighbours (None at the ends)."""

    items: tuple[T, ...]
    next: str | None
    previous: str | None

    def map(self, build: Callable[[T], Any]) -> Page[Any]:
        """The same page with every item built anew."""
        return Page(tuple(build(item) for item in self.items), self.next, self.previous)


def _pack(value: Any) -> Any:
    if isinstance(value, datetime):
        return ["t", value.isoformat()]
    if isinstance(value, date):
        return ["d", value.isoformat()]
    if isinstance(value, Decimal):
        return ["n", str(value)]
    if isinstance(value, UUID):
        return ["u", str(value)]
    return ["s", value]


_UNPACK: Mapping[str, Callable[[Any], Any]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "n": Decimal,
    "u": UUID,
    "s": lambda value: value,
}


def encode(direction: str, value: Any, row_id: UUID) -> str:
    """A cursor: 'a'(fter) or 'b'(efore) the row with this sort value and id."""
    raw = json.dumps([direction, _pack(value), str(row_id)], separators=(",", ":"))
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[str, Any, UUID]:
    """Read a cursor; a broken one is `Invalid`, not an error page."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        direction, (kind, value), row_id = json.loads(base64.urlsafe_b64decode(padded))
        if direction not in ("a", "b"):
            raise ValueError(direction)
        return direction, _UNPACK[kind](value), UUID(row_id)
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid(
            phrase("This page address is damaged."), phrase("Go back to the list and page again.")
        ) from (error)


def paginate(
    session: Session,
    statement: sa.Select[*tuple[Any, ...]],
    sort: Sort,
    cursor: str | None = None,
    *,
    size: int = PAGE_SIZE,
) -> Page[sa.Row[*tuple[Any, ...]]]:
    """Run `statement` for one page. It must select the sort column as `sort_key` and `id`."""
    direction, backwards = "a", False
    if cursor:
        direction, value, row_id = decode(cursor)
        backwards = direction == "b"
        place = sa.tuple_(sort.column, sort.id)
        here = sa.tuple_(sa.literal(value, sort.column.type), sa.literal(row_id, sort.id.type))
        ascending = sort.descending == backwards
        statement = statement.where(place > here if ascending else place < here)
    down = sort.descending != backwards
    order: Sequence[Any] = [part.desc() if down else part.asc() for part in (sort.column, sort.id)]
    rows = list(session.execute(statement.order_by(*order).limit(size + 1)))
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, more) if backwards else (more, bool(cursor))
    if not rows:
        return Page((), None, None)
    last, first = rows[-1], rows[0]
    return Page(
        tuple(rows),
        encode("a", last.sort_key, last.id) if has_next else None,
        encode("b", first.sort_key, first.id) if has_previous else None,
    )
