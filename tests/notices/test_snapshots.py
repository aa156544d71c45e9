"""What may be frozen: complete, of sane form, and agreeing with itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.notices.render import mask_card
from portal.notices.snapshots import KINDS, InvalidSnapshot, validate
from portal.notices.typeset import LONGEST_RUN, breakable, clean
from tests.notices.samples import FINDINGS, SAMPLES


def problems(template: str, **change: Any) -> tuple[str, ...]:
    """What is wrong with the sample after a change; `...` takes a field away."""
    content = SAMPLES[template]() | change
    content = {key: value for key, value in content.items() if value is not ...}
    with pytest.raises(InvalidSnapshot) as refused:
        validate(template, content)
    return refused.value.problems


@pytest.mark.parametrize("template", KINDS)
def test_the_samples_are_sound(template: str) -> None:
    validate(template, SAMPLES[template]())


@pytest.mark.parametrize("field", ["creditor", "card", "handling", "clauses", "facts"])
def test_a_form_without_what_it_must_state_is_refused(field: str) -> None:
    """Rule A6."""
    finding = {key: value for key, value in FINDINGS[0].items() if key != field}
    assert problems("assessment_form", findings=[finding]) == (f"findings[0].{field}: is missing",)


def test_a_form_needs_the_heads_confirmation_and_the_text_of_each_clause() -> None:
    """Rule A6."""
    assert problems("assessment_form", head=...) == ("head: is missing",)
    finding = FINDINGS[0] | {"clauses": [{"number": "402", "text": " "}]}
    assert problems("assessment_form", findings=[finding]) == (
        "findings[0].clauses[0].text: is empty",
    )


@pytest.mark.parametrize(
    ("template", "change", "problem"),
    [
        ("fee_statement", {"payable": "54900.01"}, "payable: the lines make 54900.00"),
        ("fee_statement", {"net": "51792.46"}, "payable: is not net + tax"),
        ("fee_statement", {"commission": 60000.0}, "commission: is no text"),
        ("fee_statement", {"commission": "60000"}, "commission: is no amount (two places)"),
        ("score_report", {"total": "91"}, "total: is not before_cap under the cap"),
        ("score_report", {"cap": {"limit": "69", "reason": "红线"}}, "total: is not before_cap"),
        ("material_request", {"basis": "call_up"}, "reason: is missing (A10)"),
        ("material_request", {"draw": None}, "draw: is missing (A3)"),
        ("material_request", {"issued_at": "2026-09-24T10:05:00"}, "issued_at: is no moment"),
        ("material_request", {"basis": "whim"}, "basis: is none of draw, call_up"),
        ("material_request", {"debtor": "x"}, "debtor: is not a field of this paper"),
        ("delivery_receipt", {"on_time": False}, "on_time: contradicts"),
        ("rectification_notice", {"answer_at": "javascript:alert(1)"}, "answer_at: is no web"),
        ("assessment_form", {"passed": 13}, "passed: is more than reviewed"),
    ],
)
def test_contradictions_are_named(template: str, change: dict[str, Any], problem: str) -> None:
    assert any(found.startswith(problem) for found in problems(template, **change))


@given(st.text(alphabet="0123456789", min_size=1, max_size=40))
def test_a_masked_card_never_shows_more_than_six_and_four(number: str) -> None:
    """Rule A6: 前6后4, and at least four hidden of a number long enough to hide any."""
    masked = mask_card(number)
    assert len(masked) == len(number)
    assert mask_card(masked) == masked
    if len(number) > 4:
        assert masked.count("*") >= min(4, len(number) - 4)
        assert len(masked.rstrip("0123456789")) - masked.count("*") <= 6
        assert masked.endswith(number[-4:])


@given(st.text())
def test_cleaning_is_final_and_leaves_no_control_character(text: str) -> None:
    cleaned = clean(text)
    assert clean(cleaned) == cleaned
    assert all(character.isprintable() or character.isspace() for character in cleaned)


@given(st.text(alphabet="ab…-）\u00a0 催", max_size=300))
def test_breaks_change_nothing_but_the_runs(text: str) -> None:
    broken = breakable(text)
    assert broken.replace("\u200b", "") == text
    pieces = broken.replace("催", " ").replace("\u200b", " ").split(" ")
    assert all(len(piece) <= LONGEST_RUN for piece in pieces)
