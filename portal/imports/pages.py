"""What pages of imports share, whatever their course: size, and the workbook of errors."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, Protocol

from flask_babel import gettext as _

from portal.files.export import ExportColumn, ExportSheet
from portal.files.problems import Problem
from portal.kernel.phrases import Phrase


class Remark(Protocol):
    """What is said of a cell."""

    @property
    def row(self) -> int:
        """The row as Excel counts it."""

    @property
    def letter(self) -> str:
        """The column's letter."""

    @property
    def title(self) -> str:
        """The column's title in the file."""

    @property
    def shown(self) -> str:
        """What stands there, where it may be shown."""

    @property
    def message(self) -> Phrase:
        """What is wrong, and how to mend it."""


def size_problem(stream: IO[bytes], most: int) -> Problem | None:
    """Whether an uploaded file is empty or larger than `most` bytes; its beginning is next."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    if not size:
        return Problem("empty")
    if size > most:
        return Problem("too_large", {"most": most // (1024 * 1024)})
    return None


def remark_sheet(title: str, lines: Iterable[Remark]) -> ExportSheet:
    """A sheet of remarks with the row numbers of the original, for `files.export.xlsx`."""
    return ExportSheet(
        title,
        [
            ExportColumn(_("Row in Excel"), "integer"),
            ExportColumn(_("Column"), width=8),
            ExportColumn(_("Title")),
            ExportColumn(_("What stands there"), width=24),
            ExportColumn(_("What is wrong, and how to mend it"), width=90),
        ],
        ((line.row, line.letter, line.title, line.shown, str(line.message)) for line in lines),
    )
