"""What one kind of import is: its tables, its sheet, how a file is examined and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy.orm import Session

from portal.files.columns import Table, Template
from portal.files.problems import CellError, Param
from portal.imports.models import ImportRow, RemarkRow
from portal.kernel.access import Actor
from portal.kernel.phrases import Phrase

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


class Outcome(Protocol):
    """What a file would do. `counts` has at least rows, good, bad and errors."""

    @property
    def bad_rows(self) -> int:
        """How many rows cannot be taken."""

    @property
    def errors(self) -> Sequence[CellError]:
        """What is wrong, in the order of the sheet."""

    @property
    def notes(self) -> Sequence[CellError]:
        """What is taken, but to be known."""

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what becomes of them."""

    def report(self) -> dict[str, Any]:
        """What the page says beyond the counts; nothing personal."""


Found = TypeVar("Found", bound=Outcome)
Row = TypeVar("Row", bound=ImportRow)


@dataclass(frozen=True)
class ImportKind(Generic[Row, Found]):
    """A kind of list that is imported.

    `name` ("cases") begins its tasks, journal entries and file names; `subject` is what the
    journal calls an import. `brings` are the counts of which at least one is not zero where there
    is something to take. `write` writes and journals, in the caller's transaction.
    `alone`: an advisory lock under which one import is taken after the other.
    """

    name: str
    subject: str
    model: type[Row]
    remarks: type[RemarkRow]
    template: Template
    max_bytes: int
    describe: Callable[[str, Mapping[str, Param]], Phrase]
    examine: Callable[[Session, Table, Progress], Found]
    write: Callable[[Session, Row, Found, Actor, Progress], None]
    brings: tuple[str, ...]
    alone: int | None = None

    @property
    def keeps_notes(self) -> bool:
        """Whether its remarks tell notes from errors."""
        return hasattr(self.remarks, "note")
