"""One month of the main job in a browser, person by person (steps 1 to 6), and its pages.

The steps are one story on one portal: each stands on the one before.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest

from portal.kernel.access import Role
from tests.factories.world import VendorWorld
from tests.journeys import papers
from tests.journeys.live import Live
from tests.journeys.people import Person

pytestmark = pytest.mark.journey
XLSX = b"PK\x03\x04"
People = Callable[[str], Person]


@dataclass
class Story:
    """What one step leaves for the next."""

    folder: Path
    request: str = ""
    cases: list[str] = field(default_factory=list)
    review: str = ""
    form: str = ""
    notice: str = ""
    statement: str = ""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story, with a folder for the files that people bring."""
    return Story(tmp_path_factory.mktemp("desk"))


@pytest.fixture(autouse=True)
def _nothing_wrong(live: Live, problems: list[str]) -> Iterator[None]:
    """A step starts with nothing wrong, and ends so."""
    yield
    found = [*problems, *live.faults.errors, *live.faults.policy]
    problems.clear()
    live.faults.errors.clear()
    live.faults.policy.clear()
    assert not found, "\n".join(found)


def hc(live: Live) -> VendorWorld:
    """The vendor whose month is told."""
    return live.portal.world.vendors[0]


class TestMonth:
    """Steps 1 to 6, in order."""

    def test_1_cases_are_imported(self, live: Live, person: People, story: Story) -> None:
        """Row-exact errors; good rows on confirmation; the same file again changes nothing."""
        manager = person(live.portal.world.email(Role.VENDOR_MANAGER))
        page = manager.page
        manager.open("/cases/", "cases-empty")
        manager.open("/cases/imports/", "import-empty")
        path = papers.cases_file(story.folder, live.portal.world)
        page.set_input_files("#file", path)
        manager.press("form[action$='/cases/imports/'] button")
        manager.until("#errors")
        manager.look("import-report")
        rows = page.locator("#errors tbody tr")
        said = [row.inner_text() for row in rows.all()]
        assert any(line.startswith("5") and "一千元" in line for line in said), said
        assert any(line.startswith("9") and "没有这家" in line for line in said), said
        assert manager.download("a[href$='/errors.xlsx']").startswith(XLSX)
        manager.open("/cases/")
        assert "HC-00001" not in manager.text()
        page.go_back()
        manager.press("form[action$='/take'] button")
        manager.until(".alert.tone-success")
        manager.look("import-taken")
        manager.open("/cases/", "cases")
        assert page.locator("tbody tr").count() == sum(papers.CASES.values())
        manager.press("tbody a[href*='/cases/']")
        manager.look("case")
        manager.open("/cases/imports/")
        page.set_input_files("#file", path)
        manager.press("form[action$='/cases/imports/'] button")
        manager.until(".cards")
        manager.look("import-again")
        assert not page.locator("form[action$='/take']").count()
        manager.open("/cases/imports/", "imports")
        manager.open("/cases/")
        assert page.locator("tbody tr").count() == sum(papers.CASES.values())

    def test_2_a_draw_is_issued(self, live: Live, person: People, story: Story) -> None:
        """Proportional, frozen, drawn from a seed; due in two working days, and why (A3)."""
        auditor = person(live.portal.world.email(Role.AUDITOR))
        page = auditor.page
        auditor.open("/draws/", "draws-empty")
        auditor.press("main a[href$='/draws/new']")
        page.check("input[name=by][value=total]")
        page.fill("#total", "6")
        auditor.until("#preview tbody tr")
        auditor.look("draw-new")
        auditor.press("#draw-form .submit-row .btn-primary")
        auditor.until("form[action$='/draw']")
        auditor.look("draw-frozen")
        auditor.press("form[action$='/draw'] button")
        auditor.look("draw-drawn")
        quotas = {
            row.locator("th").inner_text(): row.locator("td").nth(2).inner_text()
            for row in page.locator("tbody tr").all()
        }
        assert list(quotas.values()) == ["3", "2", "1"] or sorted(quotas.values()) == list("123")
        auditor.confirm("/issue")
        auditor.until(".t-action a")
        auditor.reload_until("tbody tr:nth-child(3) a[href*='/requests/']")
        auditor.look("draw-issued")
        auditor.press("tbody a[href*='/vendors/']")
        auditor.look("draw-sample")
        page.go_back()
        auditor.press("form[action$='/recompute'] button")
        assert page.locator(".alert.tone-success").count() == 1
        assert auditor.download("a[href$='/sample.xlsx']").startswith(XLSX)
        row = page.locator("tbody tr", has_text=hc(live).short_name)
        story.request = row.locator("a[href*='/requests/']").get_attribute("href") or ""
        auditor.open("/draws/", "draws")
        auditor.open(story.request, "request-company")
        page.locator("details.why summary").first.click()
        due = page.locator(".deadline time").get_attribute("datetime") or ""
        # Issued on Tuesday the 3rd, which does not count; Thursday the 5th, 18:00 in Beijing.
        assert due.startswith(("2026-11-05T18:00", "2026-11-05T10:00")), due
        assert "2026" in page.locator("details.why ul").first.inner_text()
        auditor.open("/requests", "requests-company")

    def test_3_the_vendor_delivers(self, live: Live, person: People, story: Story) -> None:
        """Seen first thing, matched by name, answered, handed in, with a receipt."""
        live.at(2026, 11, 4, 9, 30)
        office = person(hc(live).email(Role.OFFICE))
        page = office.page
        assert office.page.locator(f"main a[href*='{story.request}']").count(), office.text()
        assert page.locator("main .deadline, main .due").count()
        office.look("home-vendor")
        office.open("/requests", "requests-vendor")
        office.press(f"a[href*='{story.request}']")
        self._answer_what_cannot_be_had(office, story)
        page.set_input_files("#desk-files", self._files(story))
        office.until("[data-upload-desk] tbody tr:nth-child(6)")
        page.wait_for_function(
            "() => !document.querySelector('[data-desk-send]').disabled"
            " && [...document.querySelectorAll('[data-desk-body] tr')]"
            ".every((row) => row.textContent.trim())"
        )
        desk = page.locator("[data-desk-body]")
        page.wait_for_function("document.querySelectorAll('[data-desk-counts] .chip').length >= 2")
        office.look("request-desk")
        assert desk.locator("tr.is-matched, tr:has-text('已匹配')").count() >= 5, desk.inner_text()
        assert desk.locator("tr", has_text="会议室").inner_text().count("未匹配") == 1
        office.click("[data-desk-clear-rest]")
        office.click("[data-desk-send]")
        page.wait_for_function(
            "document.querySelectorAll('[data-desk-body] tr').length === 5 &&"
            " document.querySelectorAll('[data-desk-body] .tone-success').length === 5",
            timeout=30_000,
        )
        office.open(story.request)
        office.reload_until("#items .chip.tone-success >> nth=4")
        office.look("request-delivered")
        office.press("#items a[href$='/listen']")
        office.look("listen")
        office.open(story.request)
        office.confirm("/hand-in")
        office.look("request-handed-in")
        office.press("#hand-in a[href*='/papers/']")
        office.reload_until("main a[href$='/pdf']")
        office.look("receipt")
        paper = office.path()
        assert office.download("main a[href$='/pdf']").startswith(b"%PDF-")
        rival = person(live.portal.world.vendors[1].email(Role.OFFICE))
        for path in (story.request, f"{story.request}/items", paper, f"{paper}/pdf"):
            assert office.status_of(path) in (200, 302), path
            assert rival.status_of(path) == 404, path
        rival.open("/requests", "requests-rival")
        assert story.request not in rival.page.content()

    def _files(self, story: Story) -> list[Path]:
        """For three cases: by case number, one as a dialler names it, one that nobody knows."""
        first, second, third = story.cases
        phone = f"138{int(second[-5:]):08d}"
        return [
            papers.record_xlsx(story.folder / f"{first}_催收记录.xlsx"),
            papers.recording(story.folder / f"{first}_电催录音.wav"),
            papers.record_pdf(story.folder / f"{second}_催收记录.pdf"),
            papers.recording(story.folder / f"{phone}_8012_20261102142233.mp3"),
            papers.record_xlsx(story.folder / f"{third}_催收记录.xlsx"),
            papers.recording(story.folder / "会议室.wav", 1),
        ]

    def _answer_what_cannot_be_had(self, office: Person, story: Story) -> None:
        """The third case was never connected: its call recording does not exist (A3)."""
        page = office.page
        numbers = page.locator("#items tbody th .tabular.nowrap").all_inner_texts()
        story.cases = sorted(set(numbers))
        assert len(story.cases) == 3, numbers
        row = page.locator("#items tbody tr", has_text=story.cases[2]).filter(has_text="电催录音")
        row.locator("input[name=item]").check()
        page.select_option("#answer-form #reason", "not_connected")
        page.fill("#answer-form #note", "三次拨打均无人接听,系统无录音。")
        office.press("#answer-form .submit-row button")
        assert page.locator("#items .chip", has_text="无法提供").count() == 1
