"""Counts, transitions and the scheme of materials, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.calendar.rules import WorkingCalendar
from portal.kernel.errors import Conflict
from portal.materials.kinds import ItemState
from portal.materials.rules import (
    ITEM_TRANSITIONS,
    Tallied,
    count,
    moved,
    parse_wanted,
    standing,
    working_days_late,
)
from portal.materials.scheme import default_content

TALLIES = st.builds(
    Tallied,
    st.sampled_from([state.value for state in ItemState]),
    st.booleans(),
    st.booleans(),
    st.integers(2, 500),
    st.integers(0, 2),
)


@given(st.lists(TALLIES))
def test_expected_is_what_is_there_and_what_is_not(items: list[Tallied]) -> None:
    """Whatever the items, the receipt's figures agree, and only optional and
    cancelled ones may be left out."""
    counts = count(items)
    assert counts.expected == counts.delivered + counts.missing + counts.unavailable
    unfit = sum(item.problems for item in items if item.state == ItemState.DELIVERED)
    assert counts.problems == counts.shares["problem"] == unfit <= counts.missing
    assert counts.shares["delivered"] + unfit == sum(
        item.items for item in items if item.state == ItemState.DELIVERED
    )
    left_out = sum(item.items for item in items if not standing(item))
    assert counts.expected + left_out == sum(item.items for item in items)
    cancelled = [item for item in items if item.state == ItemState.CANCELLED]
    assert not any(map(standing, cancelled))
    assert all(not item.required for item in items if not standing(item) and item not in cancelled)
    assert 0 <= counts.percent <= 100
    assert (counts.percent == 100) == counts.complete


@pytest.mark.parametrize("state", list(ItemState))
def test_nothing_moves_but_by_the_table(state: ItemState) -> None:
    """An accepted item stays; a delivered one is never answered away; refusals say what to do."""
    for to in ItemState:
        if to in ITEM_TRANSITIONS[state]:
            assert moved(state.value, to) is to
        else:
            with pytest.raises(Conflict) as refused:
                moved(state.value, to)
            assert str(refused.value.mend)
    assert not ITEM_TRANSITIONS[ItemState.ACCEPTED]
    assert ItemState.UNAVAILABLE not in ITEM_TRANSITIONS[ItemState.DELIVERED]


@given(st.integers(0, 400))
def test_lateness_is_known_in_a_year_that_nobody_confirmed(hours: int) -> None:
    """A hand-in is never refused because next year's calendar is open; more hours, more days."""
    due = datetime(2026, 12, 30, 10, 0, tzinfo=UTC)
    calendar = WorkingCalendar(confirmed=frozenset({2026}))
    late = working_days_late(calendar, due, due + timedelta(hours=hours))
    assert (late == 0) == (hours == 0)
    assert late <= working_days_late(calendar, due, due + timedelta(hours=hours + 1))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "gossip"},
        {"kind": "call_recording"},
        {"formats": []},
        {"formats": ["exe"]},
        {"name": " "},
    ],
)
def test_an_unsound_scheme_is_refused(change: dict[str, Any]) -> None:
    content = default_content()
    assert len(parse_wanted(content)) == 4
    content["kinds"][0] |= change
    with pytest.raises(ValueError):
        parse_wanted(content)


def test_a_scheme_asks_for_something() -> None:
    content = default_content()
    for entry in content["kinds"]:
        entry["asked"] = False
    with pytest.raises(ValueError):
        parse_wanted(content)
