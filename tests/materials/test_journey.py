"""The vendor's way through a request, with real files: desk, checks, answers, hand-in, receipt."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from portal.calendar.service import load
from portal.deadlines.queries import rounds_of
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.journal.models import JournalEntry
from portal.kernel import clock
from portal.kernel.access import Role, system_actor
from portal.kernel.clock import BEIJING
from portal.materials.arrivals import announce
from portal.materials.models import (
    Delivery,
    HandIn,
    MaterialRequest,
    RequestEvent,
    RequestItem,
    Upload,
)
from portal.materials.queries import CLOCK, request_counts, score_facts
from portal.notices.models import Document
from tenants.rows import new_id
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.materials import CALL, RECORD, VISIT, Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples

DUE = datetime(2026, 11, 5, 18, 0, tzinfo=BEIJING)
LATE = datetime(2026, 11, 9, 9, 30, tzinfo=BEIJING)


def audio(tmp_path: Path, name: str, seconds: float = 2) -> bytes:
    """A real recording; the name's ending decides."""
    if name.endswith(".wav"):
        return samples.pcm(tmp_path / name, seconds).read_bytes()
    codec, container = ("libmp3lame", "mp3") if name.endswith(".mp3") else ("aac", "ipod")
    return samples.encoded(tmp_path / name, codec, container, seconds=seconds).read_bytes()


def paper_text(portal: Portal, document: Document, folder: Path) -> str:
    """The words of a printed paper."""
    with portal.session(Scope.vendor(document.tenant_id)) as session:
        row = session.scalars(sa.select(StoredFile).where(StoredFile.id == document.file_id)).one()
    path = folder / "paper.pdf"
    with storage().open(row.storage_key) as body:
        path.write_bytes(body.read())
    return subprocess.run(
        ["pdftotext", "-layout", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout


@pytest.fixture
def request_id(portal: Portal) -> UUID:
    """A draw's request on three cases of the first vendor, issued on Tuesday at ten."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, portal.world.vendors[0], draw_id=new_id())
    return made.id


def items(portal: Portal, request_id: UUID) -> dict[tuple[str, str], RequestItem]:
    with portal.session(portal.world.scope) as session:
        rows = session.scalars(sa.select(RequestItem).where(RequestItem.request_id == request_id))
        return {(row.case_no, row.kind): row for row in rows}


def test_a_request_reaches_its_vendor(portal: Portal, request_id: UUID, tmp_path: Path) -> None:
    """A3: number, two working days with their reason, paper, message; other vendors: nothing."""
    first, second = portal.world.vendors[:2]
    with portal.session(portal.world.scope) as session:
        made = session.scalars(sa.select(MaterialRequest)).one()
        assert (made.number, made.items, made.due_at) == ("DQ-HC-2026-0001", 9, DUE)
    with clock.frozen(MOMENT):
        office = portal.client(first.email(Role.OFFICE))
        page = office.get(f"/requests/{request_id}").text
        assert "DQ-HC-2026-0001" in page and "data-upload-desk" in page
        assert re.search(r"2026年11月4日 周三 .*1", page) and "HC-00001" in page
        assert "DQ-HC-2026-0001" in office.get("/requests").text
        assert "DQ-HC-2026-0001" in office.get("/messages").text
        other = portal.client(second.email(Role.OFFICE))
        missing, foreign = (other.get(f"/requests/{some}") for some in (UUID(int=7), request_id))
        assert foreign.status_code == missing.status_code == 404
        assert "DQ-HC" not in other.get("/requests").text
        portal.work()
    with portal.session(Scope.vendor(first.id)) as session:
        paper = session.scalars(sa.select(Document)).one()
        assert paper.file_id is not None
    words = paper_text(portal, paper, tmp_path)
    assert "DQ-HC-2026-0001" in words and "HC-00003" in words and "6222020000" not in words


def test_from_the_folder_to_the_receipt(portal: Portal, request_id: UUID, tmp_path: Path) -> None:
    """The main job: drop a folder, see it matched, send, answer the rest, hand in, get a receipt
    that names every file with its SHA-256."""
    vendor = portal.world.vendors[0]
    files = {
        "外访/HC-00001_外访录音.m4a": audio(tmp_path, "visit.m4a"),
        "录音/13800000001_8012_20261020142233.wav": audio(tmp_path, "one.wav"),
        "录音/HC-00002.mp3": audio(tmp_path, "two.mp3"),
        "HC-00001.xlsx": samples.workbook(tmp_path / "r.xlsx", []).read_bytes(),
        "HC-00002 催收记录.pdf": samples.pdf(),
    }
    with clock.frozen(MOMENT + timedelta(hours=3)):
        desk = Desk(portal.client(vendor.email(Role.OFFICE)), request_id)
        found = desk.match(*((name, len(body)) for name, body in files.items()))
        assert [row["status"] for row in found] == ["matched"] * 5, found
        for (name, body), row in zip(files.items(), found, strict=True):
            desk.send(name.rsplit("/", 1)[-1], body, row["item_id"])
        portal.work()
        known = items(portal, request_id)
        rest = [known["HC-00003", kind].id for kind in (RECORD, CALL)]
        form = {"item": [str(item) for item in rest], "reason": "empty_number", "note": "停机"}
        assert desk.client.post(f"/requests/{request_id}/answer", data=form).status_code == 302
        page = desk.client.get(f"/requests/{request_id}").text
        assert "13800000001" not in page and "138xxxx0001_8012" in page
        handed = desk.client.post(f"/requests/{request_id}/hand-in", data={"version": "1"})
        assert handed.status_code == 302
        portal.work()
    with portal.session(Scope.vendor(vendor.id)) as session:
        states = set(session.scalars(sa.select(Delivery.check_state)))
        assert states == {"sound"}
        counts = request_counts(session, vendor.id, request_id)
        assert counts.as_data() == {
            "expected": 7,
            "delivered": 5,
            "missing": 0,
            "unavailable": 2,
            "unusable": 0,
        }
        made = session.scalars(sa.select(HandIn)).one()
        assert made.in_time and made.working_days_late == 0
        receipt = session.get(Document, (vendor.id, made.document_id))
        assert receipt is not None and receipt.number == "DQ-HC-2026-0001-R1"
        hashes = set(session.scalars(sa.select(Delivery.sha256)))
        assert {file["sha256"] for file in receipt.content["files"]} == hashes
        assert "13800000001" not in str(receipt.content)
    words = paper_text(portal, receipt, tmp_path)
    assert "DQ-HC-2026-0001-R1" in words and "空号" in words
    assert all(digest[:16] in words.replace("\n", "") for digest in hashes)
    with portal.session(portal.world.scope) as session:
        with clock.frozen(MOMENT + timedelta(days=1)):
            facts = score_facts(session, vendor.id, "2026-11", load(session))
        assert facts.total == 0, "nothing is judged before its time has come"
        with clock.frozen(LATE):
            facts = score_facts(session, vendor.id, "2026-11", load(session))
        assert (facts.total, facts.missed) == (7, ())


def test_listening_is_for_both_and_is_journalled(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """Range, wave form, a copy of what browsers do not play; who listened stands in the journal."""
    vendor = portal.world.vendors[0]
    adpcm = samples.encoded(tmp_path / "a.wav", "adpcm_ms", "wav", seconds=4).read_bytes()
    with clock.frozen(MOMENT):
        desk = Desk(portal.client(vendor.email(Role.OFFICE)), request_id)
        done = desk.deliver("HC-00001_录音.wav", adpcm)
        portal.work()
        auditor = portal.client(portal.world.email(Role.AUDITOR))
        base = f"/requests/{request_id}/files/{done['delivery_id']}"
        peaks = auditor.get(f"{base}/peaks").get_json()
        assert abs(peaks["duration"] - 4) < 0.2 and len(peaks["peaks"][0]) >= 39
        whole = auditor.get(f"{base}/audio", buffered=True)
        assert (
            whole.mimetype == "audio/mpeg" and whole.headers["Content-Disposition"][:6] == "inline"
        )
        part = auditor.get(f"{base}/audio", headers={"Range": "bytes=100-199"}, buffered=True)
        assert part.status_code == 206 and part.data == whole.data[100:200]
        original = auditor.get(base, buffered=True)
        assert original.data == adpcm and "attachment" in original.headers["Content-Disposition"]
        assert "data-player" in auditor.get(f"{base}/listen").text
        other = portal.client(portal.world.vendors[1].email(Role.OFFICE))
        for path in ("", "/audio", "/peaks", "/listen"):
            assert other.get(base + path).status_code == 404
    with portal.session(portal.world.scope) as session:
        acts = session.scalars(
            sa.select(JournalEntry.action).where(JournalEntry.action.startswith("materials."))
        ).all()
    assert acts.count("materials.recording.opened") == 1
    assert acts.count("materials.file.downloaded") == 1


def test_late_is_computed_and_said_to_both(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """A3, clause 601: in parts before the deadline, the rest two working days after it."""
    vendor = portal.world.vendors[0]
    wav = audio(tmp_path, "one.wav")
    with clock.frozen(DUE - timedelta(hours=1)):
        desk = Desk(portal.client(vendor.email(Role.OFFICE)), request_id)
        desk.deliver("HC-00001.wav", wav)
        first = desk.client.post(f"/requests/{request_id}/hand-in", data={"version": "1"})
        assert first.status_code == 302
        again = desk.client.post(
            f"/requests/{request_id}/hand-in", data={"version": "1"}, follow_redirects=True
        )
        assert "DQ-HC-2026-0001-R1" in again.text
    with clock.frozen(LATE):
        desk = Desk(portal.client(vendor.email(Role.OFFICE)), request_id)
        desk.deliver("HC-00002.wav", wav + b"\0\0")
        known = items(portal, request_id)
        rest = [row.id for key, row in known.items() if key[1] != VISIT and row.state == "missing"]
        form = {"item": [str(item) for item in rest], "reason": "not_called"}
        desk.client.post(f"/requests/{request_id}/answer", data=form)
        desk.client.post(f"/requests/{request_id}/hand-in", data={"version": "2"})
        for client in (desk.client, portal.client(portal.world.email(Role.AUDITOR))):
            client.post("/language", data={"locale": "en"})
            page = client.get(f"/requests/{request_id}").text
            assert "Late by 2 working days" in page
            assert "Late" in client.get("/requests?late=1").text
    with portal.session(portal.world.scope) as session:
        made = session.scalars(sa.select(HandIn).order_by(HandIn.no)).all()
        assert [(row.no, row.in_time, row.working_days_late) for row in made] == [
            (1, True, 0),
            (2, False, 2),
        ]
        receipts = session.scalars(
            sa.select(Document).where(Document.template == "delivery_receipt")
        ).all()
        assert [row.number[-2:] for row in receipts] == ["R1", "R2"]
        assert receipts[1].content["late_working_days"] == 2
    _company_is_told_once(portal, request_id)
    with portal.session(portal.world.scope) as session:
        with clock.frozen(LATE):
            facts = score_facts(session, vendor.id, "2026-11", load(session))
        assert facts.total == 6
        assert sorted(item.working_days_late or 0 for item in facts.missed) == [2] * 5


def _company_is_told_once(portal: Portal, request_id: UUID) -> None:
    """The worker's sweep, and the same again: a message of each hand-in, for the company only."""
    for told in (2, 0):
        with portal.session(portal.world.scope) as session:
            assert announce(session, actor=system_actor(portal.world.company_id)) == told
            session.commit()
    with clock.frozen(LATE):
        auditor = portal.client(portal.world.email(Role.AUDITOR))
        auditor.set_cookie("locale", "en")
        inbox = auditor.get("/messages").text
        office = portal.client(portal.world.vendors[0].email(Role.OFFICE))
        assert "已按期提交" not in office.get("/messages").text
    assert inbox.count("华诚 handed in DQ-HC-2026-0001 in time: 1 of 6.</td>") == 1
    assert inbox.count("华诚 handed in DQ-HC-2026-0001, 2 working days late: 2 of 6.</td>") == 1
    assert f'href="/requests/{request_id}"' in inbox


def test_a_wrong_file_is_said_and_replaced(
    portal: Portal, request_id: UUID, tmp_path: Path
) -> None:
    """A file that is not what its name says: the item shows it with how to mend it; replaced, the
    old version stays."""
    vendor = portal.world.vendors[0]
    with clock.frozen(MOMENT):
        desk = Desk(portal.client(vendor.email(Role.OFFICE)), request_id)
        cut = audio(tmp_path, "whole.wav", 5)[: 44 + 16_000]
        done = desk.deliver("HC-00001.wav", cut)
        desk.deliver("HC-00002.pdf", b"no PDF at all, only text")
        portal.work()
        with portal.session(Scope.vendor(vendor.id)) as session:
            counts = request_counts(session, vendor.id, request_id)
            codes = {
                row.check_result["problems"][0]["code"]
                for row in session.scalars(sa.select(Delivery))
            }
        assert (counts.delivered, counts.problems) == (0, 2)
        assert codes == {"audio_truncated", "type_not_allowed"}
        base = f"/requests/{request_id}/files/{done['delivery_id']}"
        good = audio(tmp_path, "good.wav", 5)
        mended = desk.client.post(
            f"{base}/replace", data={"file": (io.BytesIO(good), "HC-00001.wav")}
        )
        assert mended.status_code == 302
        portal.work()
    with portal.session(Scope.vendor(vendor.id)) as session:
        rows = session.scalars(sa.select(Delivery).order_by(Delivery.id)).all()
        assert [(row.state, row.check_state) for row in rows] == [
            ("replaced", "problem"),
            ("current", "problem"),
            ("current", "sound"),
        ]
        assert rows[2].replaces_id == rows[0].id
        assert request_counts(session, vendor.id, request_id).problems == 1
        kinds = session.scalars(sa.select(RequestEvent.kind).order_by(RequestEvent.id)).all()
        assert kinds == ["issued", "delivered", "delivered", "replaced"]
        assert {row.state for row in session.scalars(sa.select(Upload))} == {"complete"}


def test_items_are_accepted_and_returned(portal: Portal, request_id: UUID, tmp_path: Path) -> None:
    """What is returned is owed again within two working days; all accepted closes the request."""
    vendor = portal.world.vendors[0]
    with clock.frozen(MOMENT):
        desk = Desk(portal.client(vendor.email(Role.OFFICE)), request_id)
        desk.deliver("HC-00001.wav", audio(tmp_path, "one.wav"))
        known = items(portal, request_id)
        rest = [
            row.id for key, row in known.items() if key[1] != VISIT and key != ("HC-00001", CALL)
        ]
        form = {"item": [str(item) for item in rest], "reason": "not_connected"}
        desk.client.post(f"/requests/{request_id}/answer", data=form)
        call = known["HC-00001", CALL].id
        auditor = portal.client(portal.world.email(Role.AUDITOR))
        decision = {"item": str(call), "decision": "return", "version": "1", "note": "不是本案"}
        early = auditor.post(f"/requests/{request_id}/decide", data=decision)
        assert early.status_code == 422
        desk.client.post(f"/requests/{request_id}/hand-in", data={"version": "1"})
        silent = decision | {"version": "2", "note": ""}
        assert auditor.post(f"/requests/{request_id}/decide", data=silent).status_code == 422
        done = auditor.post(f"/requests/{request_id}/decide", data=decision | {"version": "2"})
        assert done.status_code == 302
        told = desk.client.get(f"/requests/{request_id}?show=returned").text
        due = f'<time datetime="{_due_again(portal, request_id).isoformat()}">'
        assert f'<span class="small-line nowrap">截止 {due}' in told, "beside the item itself"
    with clock.frozen(MOMENT + timedelta(days=3)):
        desk = Desk(portal.client(vendor.email(Role.OFFICE)), request_id)
        page = desk.client.get(f"/requests/{request_id}").text
        assert "不是本案" in page
        desk.deliver("HC-00001.wav", audio(tmp_path, "right.wav", 3))
        desk.client.post(f"/requests/{request_id}/hand-in", data={"version": "3"})
        auditor = portal.client(portal.world.email(Role.AUDITOR))
        every = [str(row.id) for key, row in items(portal, request_id).items() if key[1] != VISIT]
        done = auditor.post(
            f"/requests/{request_id}/decide",
            data={"item": every, "decision": "accept", "version": "4"},
        )
        assert done.status_code == 302, done.text
        closed = desk.client.post(
            f"/requests/{desk.request_id}/uploads",
            json={"files": [{"name": "HC-00001.wav", "size": 100, "item_id": str(call)}]},
        )
        assert closed.status_code == 409
    with portal.session(portal.world.scope) as session:
        assert session.scalars(sa.select(MaterialRequest.state)).one() == "closed"
        second = session.scalars(sa.select(HandIn).where(HandIn.no == 2)).one()
        assert not second.in_time or second.due_at > MOMENT + timedelta(days=2)


def _due_again(portal: Portal, request_id: UUID) -> datetime:
    """When what was returned is due, in Beijing time."""
    with portal.session(portal.world.scope) as session:
        rows = rounds_of(session, portal.world.vendors[0].id, request_id, CLOCK)
        return clock.beijing(rows[1].due_at)
