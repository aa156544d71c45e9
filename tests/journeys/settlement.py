"""The end of the month: receipts, scores, statements, and what the vendor reads of them."""

from __future__ import annotations

from pathlib import Path

from tests.journeys import papers
from tests.journeys.people import Person


def receipts(finance: Person, folder: Path) -> None:
    """November's receipts, checked, then recorded on confirmation."""
    page = finance.page
    finance.open("/receipts/imports/", "receipts-import")
    numbers = [f"HC-{number:05d}" for number in range(1, 7)]
    page.set_input_files("#file", papers.receipts_file(folder, numbers))
    finance.press("form[action$='/receipts/imports/'] button")
    finance.until("form[action$='/take'] button")
    finance.look("receipts-report")
    finance.press("form[action$='/take'] button")
    finance.until(".alert.tone-success")
    finance.look("receipts-taken")
    finance.open("/receipts/", "receipts")


def month(who: Person, action: str) -> None:
    """Compute or prepare November, and follow the bar to the result."""
    who.page.fill(f"form[action$='{action}'] #period", "2026-11")
    who.press(f"form[action$='{action}'] .submit-row button")
    who.until(".job a.btn-primary")
    who.press(".job a.btn-primary")


def first(who: Person, base: str) -> str:
    """The page of the told vendor's row."""
    row = who.page.locator("tbody tr", has_text="华诚")
    return row.locator(f"th a[href*='{base}/']").first.get_attribute("href") or ""


def vendor_reads(vendor: Person, statement: str) -> None:
    """The vendor sees its score with its facts, its statement and both papers."""
    page = vendor.page
    vendor.open("/", "home-vendor-end")
    vendor.open("/scores", "scores-vendor")
    vendor.press("tbody th a")
    vendor.look("score-vendor")
    links = page.locator("td.t-action a")
    assert links.count() >= 1
    for href in [link.get_attribute("href") or "" for link in links.all()]:
        assert vendor.status_of(href) == 200, href
    vendor.open("/statements", "statements-vendor")
    vendor.open(statement, "statement-vendor")
    assert "人民币" in vendor.text()
    vendor.open("/papers", "papers")
