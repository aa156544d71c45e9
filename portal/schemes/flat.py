"""Schemes of plain fields: a few numbers and choices beside each other, nothing below them.

A slice names its fields once, each with the shipped value and its bounds, and what is made of them;
the default content, the check and the reading of what is in force follow from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy.orm import Session

from portal.kernel.content import Reader
from portal.kernel.phrases import Phrase
from portal.schemes.service import SchemeKind, in_force, register

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the content: its name, the shipped value ("default, edit me"), its reading."""

    name: str
    default: int | str
    read: Callable[[Reader], Any]


def whole(name: str, default: int, low: int, high: int) -> Field:
    """A whole number from `low` to `high`."""
    return Field(name, default, lambda place: place.whole(low, high))


def choice(name: str, default: StrEnum) -> Field:
    """One of the values of the default's kind."""
    return Field(name, default.value, lambda place: place.choice(type(default)))


class FlatScheme(Generic[Made]):
    """A registered scheme of plain fields; `kind` is what the page of schemes knows of it."""

    def __init__(
        self,
        key: str,
        title: Phrase,
        make: Callable[..., Made],
        *fields: Field,
        published: bool,
        complaint: Callable[[Made], Phrase | None] | None = None,
    ) -> None:
        """`make` takes the fields' values in their order; `complaint` says what is not right of
        values that are each within their bounds. Registers the scheme."""
        self._make, self._fields, self._complaint = make, fields, complaint
        self.kind = register(SchemeKind(key, title, self.default, self.parse, published))

    def default(self) -> dict[str, Any]:
        """The shipped content."""
        return {field.name: field.default for field in self._fields}

    def parse(self, content: Mapping[str, Any]) -> Made:
        """What `content` says. Raises `ContentError` (a `ValueError`) with all that is wrong."""
        root = Reader(content)
        root.only(*(field.name for field in self._fields))
        made = self._make(*(field.read(root.field(field.name)) for field in self._fields))
        said = self._complaint(made) if self._complaint and root.sound else None
        if said is not None:
            root.complain(said)
        root.done()
        return made

    def on(self, session: Session, day: date) -> Made:
        """What is in force on a day; an internal scheme in the company's scope only."""
        return self.parse(in_force(session, self.kind, day).content)
