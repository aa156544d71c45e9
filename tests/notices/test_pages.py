"""Pages of papers: anybody checks one by its code; a vendor's scan goes beside the original."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from PIL import Image
from werkzeug.test import TestResponse

from portal.kernel.access import Role
from portal.notices.models import Document, DocumentScan
from portal.notices.rules import Choice
from tests.conftest import Portal
from tests.notices.office import Office
from tests.notices.signing import certificates, signing


@pytest.fixture
def office(portal: Portal, tmp_path: Path, at_work: object) -> Iterator[Office]:
    yield Office(portal, signing(portal.settings, certificates(tmp_path / "signing")))


def code_of(office: Office, document_id: UUID) -> str:
    with office.portal.session(office.scope) as session:
        return session.get_one(Document, (office.vendor.id, document_id)).verify_code


def test_whoever_holds_a_paper_checks_it_without_signing_in(office: Office) -> None:
    first = office.issue()
    office.portal.work()
    office.acknowledge(first, Role.MANAGER, Choice.NO_OBJECTION)
    office.portal.work()
    issued, acknowledged = (sha256 for _, sha256, _ in office.revisions(first))
    anybody, code = office.portal.client(), code_of(office, first)

    def check(asked: str) -> TestResponse:
        return anybody.get(f"/verify/{asked}", headers={"Accept-Language": "en"})

    page = check(f"{code[:4]}-{code[4:8]}-{code[8:].lower()}")
    assert page.status_code == 200
    assert "Genuine" in page.text
    assert "ZG-HC-2026-0001" in page.text
    assert issued in page.text and acknowledged in page.text
    assert "周经理" not in page.text, "it tells of the paper, and of no person"
    assert "is that of our file" in check(f"{code}?sha256={acknowledged}").text
    assert "an earlier revision" in check(f"{code}?sha256={issued.upper()}").text
    changed = check(f"{code}?sha256={'0' * 64}").text
    assert "was changed" in changed and "Genuine" not in changed
    second = office.issue(supersedes=first)
    office.portal.work()
    old, new = (check(code_of(office, one)).text for one in (first, second))
    assert "Superseded" in old and "ZG-HC-2026-0002" in old
    assert "Genuine" in new and "ZG-HC-2026-0001" in new
    unknown = check("AAAABBBBCCCCDDDD")
    assert unknown.status_code == 404
    assert "Unknown" in unknown.text


def _picture() -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (60, 80), "white").save(made, "PNG")
    return made.getvalue()


def test_a_scan_of_a_stamped_print_goes_beside_the_original(office: Office) -> None:
    document_id = office.issue()
    office.portal.work()
    ((_, sha256, pdf),) = office.revisions(document_id)
    url = f"/papers/{document_id}"
    manager = office.portal.client(office.vendor.email(Role.MANAGER))

    def send(name: str, body: bytes) -> int:
        sent = {"scan": (io.BytesIO(body), name), "note": "已盖章"}
        return manager.post(f"{url}/scans", data=sent).status_code

    assert send("盖章回执.png", _picture()) == 302
    assert send("回执.pdf", pdf) == 302
    assert send("回执.png", b"<script>alert(1)</script>") == 422
    assert send("回执.exe", b"MZ\x90\x00" + bytes(200)) == 422
    assert office.revisions(document_id) == [(1, sha256, pdf)]
    with office.portal.session(office.scope) as session:
        scans = session.scalars(sa.select(DocumentScan).order_by(DocumentScan.id)).all()
    assert [scan.added_by_name for scan in scans] == ["周经理", "周经理"]
    company = office.portal.client(office.portal.world.email(Role.VENDOR_MANAGER))
    assert f"/scans/{scans[0].id}" in company.get(url).text
    found = company.get(f"{url}/scans/{scans[0].id}")
    assert found.data == _picture()
    assert "attachment" in found.headers["Content-Disposition"]
    other = office.portal.client(office.portal.world.vendors[1].email(Role.MANAGER))
    assert other.get(f"{url}/scans/{scans[0].id}").status_code == 404
    assert other.post(f"{url}/scans", data={}).status_code == 404
    clerk = office.portal.client(office.vendor.email(Role.OFFICE))
    assert clerk.post(f"{url}/scans", data={}).status_code == 404
