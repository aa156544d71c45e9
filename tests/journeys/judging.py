"""How the audit department judges: a finding, two listeners, a signed form."""

from __future__ import annotations

from tests.journeys.people import Person
from tests.journeys.story import Story


def write_finding(auditor: Person) -> None:
    """Clause 301 in the first seconds of the recording."""
    page, form = auditor.page, "#finding-form"
    page.fill(f"{form} #occurred_on", "2026-11-02")
    page.select_option(f"{form} #clause_no", "301")
    page.select_option(f"{form} #person_id", index=1)
    page.select_option(f"{form} #delivery_id", index=1)
    page.fill(f"{form} #clip_from", "1")
    page.fill(f"{form} #clip_to", "4")
    page.fill(f"{form} #facts", "催收员在通话中态度恶劣。")
    page.fill(f"{form} #words", "“你还好意思问!”")
    page.fill(f"{form} #correction", "对责任人进行话术与礼貌用语培训。")
    auditor.press(f"{form} .submit-row button")


def judge_twice(auditor: Person, head: Person, story: Story) -> None:
    """The auditor listens first and proposes; the head listens second and judges."""
    auditor.press("button[value=fail]")
    head.open(story.review, "review-second")
    head.press("button[value=fail]")
    for number in story.cases[1:]:
        for who in (auditor, head):
            who.open("/reviews/")
            who.press(f"tbody a:text-is('{number}')")
            who.press("button[value=pass]")


def sign(head: Person, story: Story) -> None:
    """The head hears the clip beside its clause, to its end, and signs in the sitting. Pressed
    too early, the button says why; the signature is refused as well."""
    head.press("a[href*='/assessments/signing']")
    head.look("sitting")
    clip, chosen = "[data-clip]", "input[name=form]"
    head.click(f"{clip} [data-heard]")
    head.until(f"{clip} .field-error")
    head.page.check(chosen)
    head.press("main form .submit-row button")
    head.look("sitting-refused")
    assert "未听" in head.text()
    head.page.evaluate("document.querySelector('[data-clip] audio').play()")
    head.until(f"{clip} .chip, {clip} .tone-success")
    head.look("sitting-heard")
    head.page.check(chosen)
    head.press("main form .submit-row button")
    head.look("sitting-empty")
    head.open(story.form)
