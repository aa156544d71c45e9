"""What addresses, forms and cookies give: as Werkzeug answers, without its error pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequestKeyError

from portal.app.requests import Given

_TEXTS = st.sampled_from(["", "a", "7", "x7", "甲"])
_PAIRS = st.lists(st.tuples(st.sampled_from("abc"), _TEXTS), max_size=6)


@given(_PAIRS, st.sampled_from("abcd"), st.sampled_from([None, 0, "none"]), st.booleans())
def test_it_answers_as_werkzeugs_own(
    pairs: list[tuple[str, str]], key: str, default: Any, typed: bool
) -> None:
    kind = int if typed else None
    own = ImmutableMultiDict(pairs)
    expected = own.get(key, default, kind) if kind else own.get(key, default)
    assert Given(pairs).get(key, default, kind) == expected
    assert Given(pairs).getlist(key) == own.getlist(key)


def test_a_name_that_is_not_there_is_still_said_where_it_must_be() -> None:
    with pytest.raises(BadRequestKeyError):
        Given([("a", "1")])["b"]
