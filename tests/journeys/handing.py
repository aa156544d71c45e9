"""What the vendor hands in: files, and what cannot be had."""

from __future__ import annotations

from pathlib import Path

from tests.journeys import papers
from tests.journeys.people import Person
from tests.journeys.story import Story


def files(story: Story) -> list[Path]:
    """For three cases: by case number, one as a dialler names it, one that nobody knows."""
    first, second, third = story.cases
    phone = f"138{int(second[-5:]):08d}"
    return [
        papers.record_xlsx(story.folder / f"{first}_催收记录.xlsx"),
        papers.recording(story.folder / f"{first}_催收录音.wav"),
        papers.record_pdf(story.folder / f"{second}_催收记录.pdf"),
        papers.recording(story.folder / f"{phone}_8012_20261102142233.mp3"),
        papers.record_xlsx(story.folder / f"{third}_催收记录.xlsx"),
        papers.recording(story.folder / "会议室.wav", 1),
    ]


def answer_what_cannot_be_had(office: Person, story: Story) -> None:
    """The third case was never connected: its call recording does not exist (A3)."""
    page = office.page
    numbers = page.locator("#items tbody th .tabular.nowrap").all_inner_texts()
    story.cases = sorted(set(numbers))
    assert len(story.cases) == 3, numbers
    row = page.locator("#items tbody tr", has_text=story.cases[2]).filter(has_text="催收录音")
    row.locator("input[name=item]").check()
    office.press("#answer-form .submit-row button")
    assert office.in_sight("main > .alert.tone-danger"), "the page goes on at its items"
    page.select_option("#answer-form #reason", "not_connected")
    page.fill("#answer-form #note", "三次拨打均无人接听,系统无录音。")
    office.press("#answer-form .submit-row button")
    assert page.locator("#items .chip", has_text="无法提供").count() == 1
    assert office.in_sight("main > .alert.tone-success")
