"""How the vendor answers a rectification notice."""

from __future__ import annotations

from tests.journeys import papers
from tests.journeys.people import Person
from tests.journeys.story import Story


def answer(vendor: Person, cause: str, story: Story) -> None:
    """Cause, correction, prevention and the treatment of the person, with evidence; submitted."""
    page = vendor.page
    page.fill("#cause", cause)
    page.fill("#correction", "已对责任人停岗培训两天,并重新考核。")
    page.fill("#prevention", "每周抽听,月度通报。")
    page.fill("#person_treatment", "停岗培训,扣减当月绩效。")
    page.fill("#done_on", "2026-11-09")
    page.set_input_files("#evidence", papers.record_pdf(story.folder / "培训签到表.pdf"))
    vendor.press("button[name=act][value=submit]")
    assert not page.locator(".alert.tone-danger").count(), vendor.text()
