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


def encode(direction: str, value: Any, row_id: UUID | str) -> str:
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


def place_of(cursor: str | None) -> tuple[bool, dict[str, Any]]:
    """Where a page begins: whether it is read backwards, and the values for `page_statement`."""
    if not cursor:
        return False, {}
    direction, value, row_id = decode(cursor)
    return direction == "b", {"at_value": value, "at_id": row_id}


def page_statement(
    statement: sa.Select[*tuple[Any, ...]],
    sort: Sort,
    *,
    placed: bool,
    backwards: bool,
    size: int = PAGE_SIZE,
) -> sa.Select[*tuple[Any, ...]]:
    """`statement` for one page in this order. `placed`: from the row that the values of `place_of`
    name; otherwise from the list's beginning. Holds no value of a request, so it may be kept."""
    down = sort.descending != backwards
    if placed:
        place = sa.tuple_(sort.column, sort.id)
        here = sa.tuple_(
            sa.bindparam("at_value", None, type_=sort.column.type),
            sa.bindparam("at_id", None, type_=sort.id.type),
        )
        statement = statement.where(place < here if down else place > here)
    order: Sequence[Any] = [part.desc() if down else part.asc() for part in (sort.column, sort.id)]
    # A literal: for an unknown limit the planner reckons with a tenth of the table.
    return statement.order_by(*order).limit(sa.literal_column(str(size + 1)))


def page_of(
    rows: Sequence[T],
    key: Callable[[T], tuple[Any, UUID | str]],
    *,
    placed: bool,
    backwards: bool,
    size: int = PAGE_SIZE,
) -> Page[T]:
    """The rows that `page_statement` gave, as a page. `key`: a row's sort value and id."""
    more = len(rows) > size
    rows = rows[:size]
    if not rows:
        return Page((), None, None)
    if backwards:
        rows = rows[::-1]
    has_next, has_previous = (True, more) if backwards else (more, placed)
    last, first = rows[-1], rows[0]
    return Page(
        tuple(rows),
        encode("a", *key(last)) if has_next else None,
        encode("b", *key(first)) if has_previous else None,
    )


def paginate(
    session: Session,
    statement: sa.Select[*tuple[Any, ...]],
    sort: Sort,
    cursor: str | None = None,
    *,
    size: int = PAGE_SIZE,
) -> Page[sa.Row[*tuple[Any, ...]]]:
    """Run `statement` for one page. It must select the sort column as `sort_key` and `id`."""
    backwards, values = place_of(cursor)
    placed = bool(values)
    whole = page_statement(statement, sort, placed=placed, backwards=backwards, size=size)
    rows = session.execute(whole, values).all()
    return page_of(
        rows, lambda row: (row.sort_key, row.id), placed=placed, backwards=backwards, size=size
    )
