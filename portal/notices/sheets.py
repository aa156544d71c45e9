"""Lists that are longer than a paper prints: the whole list goes along as an attached sheet.

The paper prints the first rows and says how many there are, the sheet's name and its SHA-256; the
sheet is inside the PDF, so a signature of the PDF covers it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Final, get_args, get_origin

from portal.kernel.phrases import phrase
from portal.notices.schema import Rows, described

# A cell that begins so is a formula to a spreadsheet program.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

HEADINGS: Final = MappingProxyType(
    {
        "amount": phrase("Amount (CNY)"),
        "card": phrase("Card number"),
        "case_number": phrase("Case number"),
        "clause": phrase("Clause"),
        "creditor": phrase("Entrusting company"),
        "customer": phrase("Customer"),
        "delivered": phrase("Handed over"),
        "dimension": phrase("Dimension"),
        "expected": phrase("Expected"),
        "expected_calls": phrase("Connected calls"),
        "fact": phrase("Fact"),
        "happened_on": phrase("Date"),
        "material": phrase("Material"),
        "materials": phrase("Materials wanted"),
        "money": phrase("Deduction (CNY)"),
        "name": phrase("File name"),
        "passed": phrase("Passed"),
        "points": phrase("Points lost"),
        "project": phrase("Project"),
        "reason": phrase("Reason"),
        "received_at": phrase("Received at"),
        "reference": phrase("Reference number"),
        "sha256": phrase("SHA-256"),
        "size": phrase("Size (bytes)"),
        "state": phrase("State"),
    }
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """An attached CSV file with the whole of a list, of which `printed` rows are on the paper."""

    name: str
    data: bytes
    rows: int
    printed: int

    @property
    def sha256(self) -> str:
        """Of the attached bytes."""
        return hashlib.sha256(self.data).hexdigest()


def split(
    kind: Any, content: Mapping[str, Any], number: str, translate: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, Sheet]]:
    """The content with its long lists cut to what is printed, and a sheet for each cut list."""
    printed, sheets = dict(content), {}
    for key, field in described(kind).items():
        rows = content.get(key)
        if get_origin(field.kind) is not Annotated or not isinstance(rows, Sequence):
            continue
        item, mark = get_args(field.kind)[0], get_args(field.kind)[1]
        if not isinstance(mark, Rows) or len(rows) <= mark.printed:
            continue
        columns = list(described(get_args(item)[0]))
        sheets[key] = Sheet(
            f"{number}-{key}.csv", _csv(columns, rows, translate), len(rows), mark.printed
        )
        printed[key] = rows[: mark.printed]
    return printed, sheets


def _csv(
    columns: Sequence[str], rows: Sequence[Mapping[str, Any]], translate: Callable[[str], str]
) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([translate(HEADINGS[column].msgid) for column in columns])
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return text.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return _cell("; ".join(map(str, value)))
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
