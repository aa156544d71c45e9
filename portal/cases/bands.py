"""How many days past due each age band (账龄) spans: data that the company edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from portal.cases.rules import AGE_BANDS
from portal.kernel.content import Reader
from portal.kernel.phrases import phrase
from portal.schemes.service import SchemeKind, in_force, register

_MOST_DAYS = 36_500
DEFAULT: Mapping[str, tuple[int, int]] = {
    "M1": (1, 30),
    "M2": (31, 60),
    "M3": (61, 90),
    "M4": (91, 120),
    "M5": (121, 150),
    "M6": (151, 180),
    "M6+": (181, 360),
    "written_off": (1, _MOST_DAYS),
}


@dataclass(frozen=True, slots=True)
class Span:
    """First and last day past due of an age band, both included."""

    first: int
    last: int


def default_content() -> dict[str, Any]:
    """The shipped spans (defaults.md, Fee): a written-off account may be overdue however long."""
    return {
        "bands": [
            {"band": band, "from_day": first, "to_day": last}
            for band, (first, last) in DEFAULT.items()
        ]
    }


def read_bands(content: Mapping[str, Any]) -> dict[str, Span]:
    """The spans by age band. Raises `ContentError` unless every band has one."""
    reader = Reader(content)
    reader.only("bands")
    found: dict[str, Span] = {}
    for item in reader.field("bands").items():
        item.only("band", "from_day", "to_day")
        first = item.field("from_day").whole(0, _MOST_DAYS)
        last = item.field("to_day").whole(0, _MOST_DAYS)
        if item.sound and last < first:
            item.complain(phrase("%(where)s ends before it begins.", where=item.where))
        found[item.field("band").text()] = Span(first, last)
    if reader.sound and set(found) != set(AGE_BANDS):
        reader.complain(
            phrase("Every age band needs its days, once: %(bands)s.", bands=", ".join(AGE_BANDS))
        )
    reader.done()
    return found


AGE_BAND_SCHEME = register(
    SchemeKind(
        key="age_bands",
        title=phrase("Age bands"),
        default=default_content,
        check=read_bands,
        published=True,
    )
)


def bands_on(session: Session, day: date) -> dict[str, Span]:
    """The spans in force on `day`."""
    return read_bands(in_force(session, AGE_BAND_SCHEME, day).content)
