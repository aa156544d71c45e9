"""How tests read pages and workbooks.

Nothing that is drawn by chance may meet, or spoil, what they look for.
"""

from __future__ import annotations

import io
import re
from typing import Any

from flask.testing import FlaskClient
from openpyxl import load_workbook
from werkzeug.test import TestResponse

BY_CHANCE = re.compile(
    r'((?:name="csrf_token"[^>]*? value|name="(?:csrf-token|nonce)" content|nonce)=)"[^"]*"',
)
"""Form tokens and nonces: their letters are random, and held "T2" one day."""

IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=\d*[a-f])[0-9a-f]{8,}")
"""Ids, hashes and hashed names, but no run of digits: any short number may stand in them."""


def without_ids(text: str) -> str:
    """What is told apart from ids, for a look at whether a short number stands in it."""
    return IDS.sub("·", text)


class Answer(TestResponse):
    """An answer whose `text` is without form tokens and nonces; `data` has all bytes."""

    @property
    def text(self) -> str:
        """The body as text, the same each time the same things are told."""
        return BY_CHANCE.sub(r'\1""', self.get_data(as_text=True))


class Reader(FlaskClient):
    """A browser without scripts, whose answers are read as `Answer`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As Flask's; only the class of answers differs."""
        super().__init__(*args, **kwargs)
        self.response_wrapper = type("PortalAnswer", (Answer, self.response_wrapper), {})


def sheet_rows(data: bytes, begin: int = 1) -> list[tuple[Any, ...]]:
    """What stands in the first sheet of a workbook, row by row from row `begin`."""
    book = load_workbook(io.BytesIO(data), read_only=True)
    return list(book.worksheets[0].iter_rows(min_row=begin, values_only=True))
