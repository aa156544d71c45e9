"""The course of a notice in a browser: plan, more time, re-check, a notice that follows (C2.4)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.kernel.access import Role
from tests.journeys.live import Live
from tests.journeys.people import Person
from tests.journeys.rendering import DRESSES, Dress, render

pytestmark = [pytest.mark.journey, pytest.mark.usefixtures("nothing_wrong")]
People = Callable[[str], Person]


def _issued(company: Person, vendor: str) -> str:
    """Write a notice and issue it; its address."""
    page = company.page
    company.open("/rectifications/new")
    page.select_option("#vendor", vendor)
    page.select_option("#source", "inspection")
    page.select_option("#level", "ordinary")
    page.fill("#source_reference", "现场检查 2026-11")
    page.fill("#title", "催收记录不完整")
    page.fill("#facts", "抽查十件个案，三件催收记录缺要素。")
    page.fill("#grounds", "《不规范催收处罚条例》第102条")
    page.fill("#demands", "补录三件个案的催收记录\n对相关人员重新培训")
    company.press("form.form-card .submit-row button")
    company.confirm("/issue")
    company.reload_until("a[href$='/pdf']")
    return company.path()


def _vendor_plans(vendor: Person, notice: str) -> None:
    page = vendor.page
    vendor.open(notice)
    for step, day in (("补录三件记录", "2026-11-09"), ("全员培训并考核", "2026-11-20")):
        page.click("#milestone details summary")
        page.fill("#milestone-text", step)
        page.fill("#milestone-planned_on", day)
        vendor.press("form[action$='/milestones#milestone'] .submit-row button")
    page.click("#ask summary")
    page.fill("#ask-wanted", "2026-11-13")
    page.fill("#ask-reason", "培训师周四到岗，周五可完成考核。")
    vendor.press("form[action$='/extensions#extension'] .submit-row button")
    vendor.press("form[action$='/done'] button")
    vendor.look("course-vendor")


def _answered_and_accepted(company: Person, vendor: Person, notice: str) -> None:
    page = vendor.page
    vendor.open(notice)
    page.fill("#cause", "组长未按周抽听录音。")
    page.fill("#correction", "已补录三件记录。")
    page.fill("#prevention", "每周五抽听十条，由经理复核。")
    page.fill("#done_on", "2026-11-09")
    vendor.press("button[name=act][value=submit]")
    company.open(notice)
    company.confirm("/accept")
    company.look("course-accepted")


def test_a_correction_runs_its_course(live: Live, person: People) -> None:
    """Milestones, an extension, acceptance, the re-check after 30 days, a notice that follows."""
    live.at(2026, 11, 9)
    company = person(live.portal.world.email(Role.VENDOR_MANAGER)).sign_in()
    vendor = person(live.portal.world.vendors[0].email(Role.MANAGER)).sign_in()
    notice = _issued(company, str(live.portal.world.vendors[0].id))
    _vendor_plans(vendor, notice)
    company.open(notice, "course-to-decide")
    company.page.fill("#extension-note", "准予延至周五，请按期完成。")
    company.press("button[name=decision][value=grant]")
    company.look("course-granted")
    _answered_and_accepted(company, vendor, notice)
    live.at(2026, 12, 10)
    company.sign_in()
    company.open(notice)
    company.reload_until("form[action$='/recheck#recheck']")
    company.look("course-recheck-due")
    company.page.check("input[name=recheck-result][value=followed]")
    company.page.fill("#recheck-reason", "复听二十通，仍有两通漏记。")
    company.press("form[action$='/recheck#recheck'] .submit-row button")
    company.look("course-follow-up")
    follow_up = company.path()
    vendor.sign_in()
    assert vendor.status_of(follow_up) == 404, "a draft"
    vendor.open(notice, "course-not-effective")
    assert "复听二十通" in vendor.text()


@pytest.mark.parametrize("dress", DRESSES, ids=str)
def test_its_pages_in_every_dress(
    dress: Dress, live: Live, person: People, seen: dict[str, tuple[str, str]]
) -> None:
    """Language, headings, ids, width, accessibility (`rendering.py`)."""
    folder = os.environ.get("JOURNEY_SHOTS")
    found: list[str] = []
    for role in ("course-follow-up", "course-not-effective"):
        email, path = seen[role]
        who = person(email).sign_in()
        found += render(who, [path], dress, Path(folder) if folder else None)
    assert not found, "\n".join(found)
