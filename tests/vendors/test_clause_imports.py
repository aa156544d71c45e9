"""Penalty clauses by XLSX: row-exact errors, confirmation, versions with dates in force (A5)."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from flask.testing import FlaskClient

from portal.audits.findings.service import save_finding
from portal.kernel import clock
from portal.kernel.access import Role
from portal.schemes.service import history
from portal.vendors.clause_imports.sheet import COLUMNS
from portal.vendors.penalties import PENALTY_CLAUSES, catalogue_on
from tests.conftest import Portal
from tests.factories.audits import open_audit, text
from tests.factories.world import MOMENT
from tests.reading import sheet_rows

NEXT = date(2026, 12, 1)
PAGES = "/schemes/penalty_clauses/imports"
pytestmark = pytest.mark.usefixtures("at_work")


def clause(no: str, **changes: Any) -> dict[str, Any]:
    """A good row."""
    return {
        "no": no,
        "text": f"第{no}条的条文",
        "level": "一般",
        "points": 3,
        "deduction": 500,
        "in_force_from": NEXT,
        **changes,
    }


RUDE = clause("301", text="言语不文明、态度恶劣或讥讽客户", points=5)
NEW = clause("308", text="雇用未备案第三方", level="严重", points=8, deduction=2000, damages="是")
GONE = clause("104", abolished="是")
OLD = clause("101", text="首次联系未主动表明机构及受托身份", level="轻微", points=1, deduction=100)


def workbook(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """A file as a person fills it in."""
    sink = io.BytesIO()
    book = xlsxwriter.Workbook(sink, {"in_memory": True})
    book.set_properties({"created": MOMENT.replace(tzinfo=None)})  # the same rows, the same bytes
    sheet = book.add_worksheet("条例")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for at, column in enumerate(COLUMNS):
        sheet.write_string(0, at, column.title_zh)
        for line, row in enumerate(rows, start=1):
            value = row.get(column.key)
            if isinstance(value, date):
                sheet.write_datetime(line, at, value, day)
            elif value is not None:
                sheet.write(line, at, value)
    book.close()
    return sink.getvalue()


def upload(portal: Portal, client: FlaskClient, rows: Sequence[Mapping[str, Any]]) -> str:
    """Send a file, have it checked, and give its page's address."""
    sent = client.post(f"{PAGES}/", data={"file": (io.BytesIO(workbook(rows)), "条例.xlsx")})
    assert sent.status_code == 302, sent.text
    portal.work()
    return str(sent.location)


def take(portal: Portal, client: FlaskClient, path: str, **more: str) -> int:
    """Confirm what the page shows."""
    version = re.search(r'name="version" value="(\d+)"', client.get(path).text)
    seen = {"version": version[1]} if version else {}
    status = client.post(f"{path}/take", data={**seen, **more}).status_code
    portal.work()
    return status


def head(portal: Portal) -> FlaskClient:
    """Who edits the rules, reading English."""
    client = portal.client(portal.world.email(Role.AUDIT_HEAD))
    client.post("/language", data={"locale": "en", "next": "/"})
    return client


def test_a_file_makes_a_version_in_force_from_its_day(portal: Portal) -> None:
    client = head(portal)
    path = upload(portal, client, [RUDE, NEW, GONE, OLD])
    with portal.session(portal.world.scope) as session:
        assert history(session, PENALTY_CLAUSES)[0].is_default, "nothing before it is confirmed"
    assert take(portal, client, path) == 302
    assert "Clauses: 1 new, 1 changed, 1 abolished, 1 already there" in client.get(path).text
    with portal.session(portal.world.scope) as session:
        before = catalogue_on(session, date(2026, 11, 30))
        after = catalogue_on(session, NEXT)
        assert (before.version.version, after.version.version) == (0, 1)
        assert before.catalogue.get("301").points == 3 and "104" in before.catalogue.clauses
        rude, new = after.catalogue.get("301"), after.catalogue.get("308")
        assert (rude.text, rude.points, rude.meaning_en) == (RUDE["text"], 5, "rudeness")
        assert (new.level.value, str(new.deduction), new.damages) == ("serious", "2000.00", True)
        assert "104" not in after.catalogue.clauses
        untouched = set(before.catalogue.clauses) - {"104", "301"}
        assert all(
            before.catalogue.clauses[no] == after.catalogue.clauses[no] for no in untouched
        ), "what the file does not name stays"


def test_the_same_file_twice_changes_nothing(portal: Portal) -> None:
    client = head(portal)
    rows = [RUDE, NEW, GONE, OLD]
    assert take(portal, client, upload(portal, client, rows)) == 302
    again = upload(portal, client, rows)
    page = client.get(again).text
    assert "The very same file was taken" in page and "changes nothing" in page
    assert take(portal, client, again) == 409
    with portal.session(portal.world.scope) as session:
        assert history(session, PENALTY_CLAUSES)[0].version == 1


def test_every_wrong_cell_is_named_and_the_good_rows_can_be_taken(portal: Portal) -> None:
    client = head(portal)
    path = upload(
        portal,
        client,
        [
            RUDE,
            clause("309", level="很重"),
            clause("310", points=101),
            clause("311", deduction="五百"),
            clause("312", in_force_from=date(2027, 1, 1)),
            clause("301"),
            clause("313", text=None),
            {**clause("314"), "in_force_from": None},
        ],
    )
    answer = client.get(f"{path}/errors.xlsx")
    assert [(row[0], row[1]) for row in sheet_rows(answer.data, 2)] == [
        (3, "D"),
        (4, "E"),
        (5, "F"),
        (6, "J"),
        (7, "A"),
        (8, "B"),
        (9, "J"),
    ]
    assert take(portal, client, path) == 409, "bad rows stay out only when that is said"
    assert take(portal, client, path, leave_bad="1") == 302
    with portal.session(portal.world.scope) as session:
        made = catalogue_on(session, NEXT).catalogue
        assert made.get("301").points == 5 and "309" not in made.clauses


def test_no_version_takes_effect_before_today_or_the_newest(portal: Portal) -> None:
    client = head(portal)
    assert take(portal, client, upload(portal, client, [RUDE])) == 302
    for day, said in ((date(2026, 11, 2), "in the past"), (date(2026, 11, 9), "2026-12-01")):
        path = upload(portal, client, [clause("308", in_force_from=day)])
        assert said in client.get(path).text, said


def test_findings_keep_the_clause_of_their_day(portal: Portal) -> None:
    """An act before the new version's day is judged by the old text (A6)."""
    client = head(portal)
    assert take(portal, client, upload(portal, client, [RUDE])) == 302
    with portal.session(portal.world.scope) as session:
        audit = open_audit(session, portal.world, portal.world.vendors[0], 1)
        old = save_finding(session, audit.review(session), text(audit), actor=audit.auditor)
        assert (old.clause_version, int(old.points)) == (0, 3)
    with clock.frozen(MOMENT.replace(month=12)), portal.session(portal.world.scope) as session:
        late = text(audit, occurred_on=date(2026, 12, 1))
        new = save_finding(session, audit.review(session), late, actor=audit.auditor)
        assert (new.clause_version, int(new.points), new.clause_text) == (1, 5, RUDE["text"])


def test_only_who_edits_rules_imports_them(portal: Portal) -> None:
    assert PAGES in head(portal).get("/schemes/penalty_clauses").text
    for email in (
        portal.world.email(Role.FINANCE),
        portal.world.vendors[0].email(Role.MANAGER),
    ):
        client = portal.client(email)
        assert PAGES not in client.get("/schemes/penalty_clauses").text
        assert client.get(f"{PAGES}/").status_code in (403, 404)
