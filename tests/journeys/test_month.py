"""One month of the main job in a browser, person by person (steps 1 to 6), and its pages.

The steps are one story on one portal: each stands on the one before.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.kernel.access import Role
from tests.factories.world import VendorWorld
from tests.journeys import correcting, handing, judging, papers, settlement
from tests.journeys.live import Live
from tests.journeys.people import Person
from tests.journeys.rendering import DRESSES, OPEN, Dress, render
from tests.journeys.story import Story
from tests.journeys.validity import invalid
from tests.reading import sheet_rows

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("nothing_wrong")]
XLSX = b"PK\x03\x04"
People = Callable[[str], Person]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The story, with a folder for the files that people bring."""
    return Story(tmp_path_factory.mktemp("desk"))


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
        page.press("#total", "Tab")
        auditor.until("#preview tbody td:text-is('3')")
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
        handing.answer_what_cannot_be_had(office, story)
        page.set_input_files("#desk-files", handing.files(story))
        office.until("[data-upload-desk] tbody tr:nth-child(6)")
        office.when(
            "!document.querySelector('[data-desk-send]').disabled &&"
            " document.querySelectorAll('[data-desk-counts] .chip').length >= 2"
        )
        desk = page.locator("[data-desk-body]")
        office.look("request-desk")
        matched = desk.locator("tr", has_text="已匹配").count()
        assert matched == 5, desk.inner_text()
        assert "未匹配" in desk.locator("tr", has_text="会议室").inner_text()
        office.click("[data-desk-clear-rest]")
        office.click("[data-desk-send]")
        office.when(
            "document.querySelectorAll('[data-desk-body] tr').length === 5 &&"
            " document.querySelectorAll('[data-desk-body] .tone-success').length === 5"
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

    def test_4_the_audit_department_judges(self, live: Live, person: People, story: Story) -> None:
        """Listened to, judged, reported on a form that the head confirms (A5, A6)."""
        live.at(2026, 11, 6)
        auditor = person(live.portal.world.email(Role.AUDITOR)).sign_in()
        page = auditor.page
        auditor.open("/", "home-auditor")
        auditor.open("/reviews/", "reviews")
        auditor.press(f"tbody a:text-is('{story.cases[0]}')")
        auditor.when("document.querySelector('[data-player] audio').duration > 5")
        auditor.click("[data-action=play]")
        auditor.when("document.querySelector('[data-player] audio').currentTime > 0.2")
        auditor.click("[data-action=play]")
        auditor.look("review")
        story.review = auditor.path().split("#")[0]
        judging.write_finding(auditor)
        assert page.locator("#findings article").count() == 1
        auditor.look("review-finding")
        head = person(live.portal.world.email(Role.AUDIT_HEAD))
        judging.judge_twice(auditor, head, story)
        auditor.open(story.review, "review-judged")
        auditor.open("/assessments/", "assessments-waiting")
        row = page.locator("#waiting tbody tr", has_text=hc(live).short_name)
        with page.expect_navigation():
            row.locator("button").first.click()
        auditor.look("assessment-prepared")
        story.form = auditor.path()
        head.open(story.form, "assessment-to-confirm")
        judging.sign(head, story)
        head.reload_until("a[href$='/pdf']")
        head.look("assessment-issued")
        manager = person(hc(live).email(Role.MANAGER))
        manager.open("/assessments/", "assessments-vendor")
        manager.press(f"a[href$='{story.form}']")
        manager.look("assessment-vendor")
        assert "301" in manager.text()
        assert manager.download("a[href$='/pdf']").startswith(b"%PDF-")
        manager.open("/messages", "messages")
        assert person(live.portal.world.vendors[1].email(Role.MANAGER)).status_of(story.form) == 404

    def test_5_the_vendor_corrects(self, live: Live, person: People, story: Story) -> None:
        """A notice with a deadline; answered, returned, answered again, accepted (C2.4)."""
        live.at(2026, 11, 9)
        company = person(live.portal.world.email(Role.VENDOR_MANAGER)).sign_in()
        page = company.page
        company.open("/", "home-vendor-manager")
        company.open("/rectifications/", "rectifications-empty")
        company.open(f"/rectifications/new?form={story.form.rsplit('/', 1)[-1]}", "notice-new")
        company.press("form.form-card .submit-row button")
        company.look("notice-draft")
        story.notice = company.path()
        company.confirm("/issue")
        company.reload_until("a[href$='/pdf']")
        company.look("notice-issued")
        assert company.download("a[href$='/pdf']").startswith(b"%PDF-")
        vendor = person(hc(live).email(Role.MANAGER)).sign_in()
        vendor.open("/", "home-vendor-notice")
        vendor.press(f"main a[href*='{story.notice}']")
        vendor.look("notice-vendor")
        correcting.answer(vendor, "组长未按周抽听录音,问题未被及时发现。", story)
        vendor.look("notice-answered")
        company.open(story.notice, "notice-to-decide")
        company.click("details.confirm:has(form[action$='/return']) summary")
        page.fill("#reason", "预防措施没有责任人和完成时间,请补充。")
        page.fill("#working_days", "2")
        company.press("form[action$='/return'] .btn-primary")
        company.look("notice-returned")
        live.at(2026, 11, 10)
        vendor.sign_in()
        vendor.open(story.notice, "notice-second-round")
        assert "请补充" in vendor.text()
        correcting.answer(vendor, "组长张某自本周起每周五抽听 10 条,由经理复核。", story)
        company.sign_in()
        company.open(story.notice)
        company.confirm("/accept")
        company.look("notice-accepted")
        company.open("/rectifications/", "rectifications")
        rival = person(live.portal.world.vendors[1].email(Role.MANAGER)).sign_in()
        assert rival.status_of(story.notice) == 404

    def test_6_the_month_is_settled(self, live: Live, person: People, story: Story) -> None:
        """Receipts, score, fee factor, statement in figures and 大写 (C7)."""
        live.at(2026, 12, 2)
        finance = person(live.portal.world.email(Role.FINANCE)).sign_in()
        settlement.receipts(finance, story.folder)
        company = person(live.portal.world.email(Role.VENDOR_MANAGER)).sign_in()
        company.open("/scores", "scores-empty")
        settlement.month(company, "/scores/compute")
        company.look("scores-computed")
        company.open(settlement.first(company, "/scores"))
        company.look("score-computed")
        company.confirm("/issue")
        company.reload_until("a[href*='/papers/']")
        company.look("score-issued")
        company.open("/statements", "statements-empty")
        settlement.month(company, "/statements/prepare")
        company.look("statements-prepared")
        finance.open("/statements")
        finance.open(settlement.first(finance, "/statements"))
        story.statement = finance.path()
        finance.look("statement-prepared")
        finance.confirm("/confirm")
        finance.look("statement-confirmed")
        rows = sheet_rows(finance.download("a[href$='/xlsx']"))
        written = [str(value) for row in rows for value in row]
        assert any(text.startswith("人民币") for text in written), written
        finance.press("a[href*='/papers/']")
        finance.reload_until("main a[href$='/pdf']")
        finance.look("statement-paper")
        assert finance.download("main a[href$='/pdf']").startswith(b"%PDF-")
        settlement.vendor_reads(person(hc(live).email(Role.MANAGER)).sign_in(), story.statement)
        rival = person(live.portal.world.vendors[1].email(Role.MANAGER)).sign_in()
        assert rival.status_of(story.statement) == 404
        finance.open("/", "home-finance")


@pytest.mark.parametrize("dress", DRESSES, ids=str)
def test_pages_in_every_dress(
    dress: Dress, pages: list[tuple[Person, list[str]]], problems: list[str]
) -> None:
    """Language, headings, ids, width, accessibility, and no English left on Chinese pages."""
    folder = os.environ.get("JOURNEY_SHOTS")
    shots = Path(folder) if folder and dress.narrow else None
    assert sum(len(paths) for _who, paths in pages) > 30
    for who, paths in pages:
        problems += render(who, paths, dress, shots)
    nobody = pages[0][0]
    nobody.context.clear_cookies(name="portal")
    problems += render(nobody, OPEN, dress, shots)
    nobody.sign_in()


def test_pages_are_valid_html(pages: list[tuple[Person, list[str]]]) -> None:
    """Each page as the server sends it."""
    found = [
        f"{path}: {one}"
        for who, paths in pages
        for path in paths
        for one in invalid(who.source(path))
    ]
    assert not found, "\n".join(found)
