"""What is kept as text for somebody else is in that reader's language."""

from __future__ import annotations

from portal.kernel.phrases import phrase, plural, written_in


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


def test_what_counts_has_a_form_for_one_where_the_language_has_it() -> None:
    late = plural(
        "Report late by %(days)s working day", "Report late by %(days)s working days", by="days"
    )
    one, two = late.filled({"days": "1"}), late.filled({"days": 2})
    assert [str(one), str(two)] == ["Report late by 1 working day", "Report late by 2 working days"]
    with written_in("en"):
        assert str(one) == "Report late by 1 working day"
    with written_in("zh_Hant_TW"):
        assert [str(one), str(two)] == ["報告逾期 1 個工作日", "報告逾期 2 個工作日"]
