"""What is kept as text for somebody else is in that reader's language."""

from __future__ import annotations

from portal.kernel.phrases import phrase, written_in


def test_a_phrase_is_written_in_the_language_that_is_asked_for() -> None:
    reason = phrase("Contractual deduction under clause %(clause)s", clause="301")
    with written_in("zh_Hans_CN"):
        assert str(reason) == "按第 301 条扣款"
        with written_in("zh_Hant_TW"):
            assert str(reason) == "按第 301 條扣款"
        with written_in("en"):
            assert str(reason) == "Contractual deduction under clause 301"
        assert str(reason) == "按第 301 条扣款"
    assert str(reason) == "Contractual deduction under clause 301"
