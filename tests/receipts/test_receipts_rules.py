"""Which receipts count for commission (C7): those credited while the case was entrusted."""

from __future__ import annotations

from datetime import date

import pytest

from portal.receipts.rules import exclusion


@pytest.mark.parametrize(
    ("credited", "expected"),
    [
        (date(2026, 5, 1), None),
        (date(2026, 5, 31), None),
        (date(2026, 4, 30), "before_entrusting"),
        (date(2026, 6, 1), "after_return"),
    ],
)
def test_both_ends_of_the_entrusting_belong_to_it(credited: date, expected: str | None) -> None:
    assert exclusion(credited, date(2026, 5, 1), date(2026, 5, 31)) == expected
