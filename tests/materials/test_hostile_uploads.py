"""Names and contents that mean harm, over the real protocol: refused, or made safe for good.

Each name goes the whole way: looked up, announced, sent, stored, shown, downloaded, receipted.
"""

from __future__ import annotations

import io
import re
import subprocess
import unicodedata
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote
from uuid import UUID

import pytest
import sqlalchemy as sa
from PIL import Image

from portal.files import sandbox
from portal.files.models import StoredFile
from portal.files.names import MAX_BYTES
from portal.files.service import get_file, storage
from portal.files.storage import key_parts
from portal.files.storage_disk import LocalStorage
from portal.kernel import clock
from portal.kernel.access import Role
from portal.materials.models import Delivery, RequestItem, Upload
from portal.notices.models import Document
from tests.conftest import Portal
from tests.factories.materials import CALL, RECORD, Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples
from tests.files.test_workbook import many_entries, zip_bomb

PHONE = "13800001234"
NAMES = (
    "../../../etc/passwd.wav",
    "..\\..\\windows\\system32\\a.wav",
    "/absolute/path.wav",
    "C:\\录音\\a.wav",
    "nul\x00byte.wav",
    "gpj.\u202evaw.exe\u202c.wav",
    "\u2066right\u2069 to left\u200f.wav",
    "line\r\nSet-Cookie: a=b.wav",
    'quote";filename="evil.html.wav',
    "back\\slash.wav",
    "semi;colon'' and %2e%2e%2f.wav",
    "<img src=x onerror=alert(1)>.wav",
    "{{ 7*7 }} ${7*7}.wav",
    "=cmd|' /C calc'!A1.wav",
    "CON.wav",
    ". .wav",
    "-rf.wav",
    "录" * 200 + ".wav",
    "x" * 300 + ".wav",
    "📞🎧" * 90 + ".wav",
    "e\u0301" * 90 + ".wav",
    "half \ud83d of a pair.wav",
    "\ufeffmark \u2028line\u2029.wav",
    f"{PHONE}_8012.wav",
)


@pytest.fixture
def desk(portal: Portal) -> Iterator[Desk]:
    """The first vendor's office at the desk of a call-up on three cases, an hour old."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, portal.world.vendors[0]).id
    with clock.frozen(MOMENT + timedelta(hours=1)):
        client = portal.client(portal.world.vendors[0].email(Role.OFFICE))
        client.set_cookie("locale", "en")
        yield Desk(client, made)


def item(portal: Portal, desk: Desk, kind: str = CALL) -> UUID:
    with portal.session(portal.world.scope) as session:
        return session.scalars(
            sa.select(RequestItem.id).where(
                RequestItem.request_id == desk.request_id,
                RequestItem.case_no == "HC-00001",
                RequestItem.kind == kind,
            )
        ).one()


def check_safe(name: str) -> None:
    """No path, no controls, no tricks of direction, no markup's or header's characters, short."""
    assert name.strip(" .") == name and name.endswith("wav")
    assert not set(name) & set('/\\<>:"|?*\r\n\0')
    categories = {unicodedata.category(char) for char in name}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert len(name.encode()) <= MAX_BYTES
    assert PHONE not in name
    assert not re.match(r"(con|nul|prn|aux)(\.|$)", name, re.IGNORECASE)


def test_names_are_harmless_wherever_they_come_out(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """UX 5, C4.1: store, page, download, receipt; the original is kept sealed."""
    store = storage()
    assert isinstance(store, LocalStorage)
    call, ids = item(portal, desk), []
    desk.match(*((name, 100) for name in NAMES))
    for at, name in enumerate(NAMES):
        body = samples.pcm(tmp_path / "a.wav", 1 + at / 100).read_bytes()
        ids.append(UUID(desk.send(name, body, call)["delivery_id"]))
    assert len(set(ids)) == len(NAMES)
    with portal.session(portal.world.scope) as session:
        rows = session.scalars(
            sa.select(StoredFile).join(Delivery, Delivery.file_id == StoredFile.id)
        ).all()
        keys = {row.storage_key for row in rows}
        shown = {row.safe_name for row in rows}
        shown |= set(session.scalars(sa.select(Upload.safe_name)))
    for name in shown:
        check_safe(name)
    # On the disk lie generated keys and nothing else: no name ever reached it.
    lying = {path for path in store.root.rglob("*") if path.is_file()}
    assert lying == {store.path(key) for key in keys}
    assert all(key_parts(key) for key in keys)
    for delivery_id in ids:
        _check_download(desk, f"/requests/{desk.request_id}/files/{delivery_id}")
    page = desk.client.get(f"/requests/{desk.request_id}").text
    assert "<img src=x" not in page and PHONE not in page and "\u202e" not in page
    _check_receipt(portal, desk, tmp_path)


def _check_download(desk: Desk, path: str) -> None:
    with desk.client.get(path) as answer:
        assert answer.status_code == 200
        told = answer.headers["Content-Disposition"]
        assert answer.headers["Content-Type"] == "audio/wav"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
    found = re.fullmatch(r"attachment; filename=\"([^\"\\]*)\"; filename\*=UTF-8''(\S+)", told)
    assert found, told
    assert found[1].isascii() and found[1].isprintable()
    check_safe(unquote(found[2], errors="strict"))


def _check_receipt(portal: Portal, desk: Desk, folder: Path) -> None:
    """The paper says how many files came; a reader's text of it holds nothing of the tricks."""
    answer = desk.client.post(f"/requests/{desk.request_id}/hand-in", data={"version": "1"})
    assert answer.status_code == 302
    portal.work()
    with portal.session(portal.world.scope) as session:
        paper = session.scalars(
            sa.select(Document).where(Document.template == "delivery_receipt")
        ).one()
        assert paper.file_id is not None
        file = get_file(session, paper.file_id)
        with storage().open(file.storage_key) as stream:
            (folder / "receipt.pdf").write_bytes(stream.read())
    check = subprocess.run(
        ["pdftotext", "-layout", folder / "receipt.pdf", "-"], capture_output=True, check=True
    )
    text = check.stdout.decode()
    assert paper.number in text
    assert not {unicodedata.category(c) for c in text} & {"Cs", "Co"}
    assert not set(text) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2028\u2029\0")
    assert PHONE not in text


# --- what is in the files ------------------------------------------------------------------------


def _archive() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr("run.exe", b"MZ" * 100)
    return sink.getvalue()


def _jpeg() -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (60, 40)).save(sink, format="JPEG")
    return sink.getvalue()


def _bomb(folder: Path) -> bytes:
    return zip_bomb(samples.workbook(folder / "bomb.xlsx", [["x"]])).read_bytes()


def _entries(folder: Path) -> bytes:
    return many_entries(samples.workbook(folder / "entries.xlsx", [["x"]])).read_bytes()


PAGE = b"<!doctype html><html><script>alert(1)</script></html>"


@pytest.mark.parametrize("name", ["bomb.xlsx", "entries.xlsx", "page.pdf", "two.jpg", "two.pdf"])
def test_contents_are_refused_and_never_shown(
    portal: Portal, desk: Desk, tmp_path: Path, name: str
) -> None:
    """Zip bombs, a page under another name, two files in one: the item says what is wrong and how
    to mend it, and the bytes come back as an attachment only."""
    if name == "bomb.xlsx":
        body = _bomb(tmp_path)
    elif name == "entries.xlsx":
        body = _entries(tmp_path)
    else:
        bodies = {"page.pdf": PAGE, "two.jpg": _jpeg() + _archive(), "two.pdf": samples.pdf()}
        body = bodies[name] + (_archive() if name == "two.pdf" else b"")
    done = desk.send(name, body, item(portal, desk, RECORD))
    portal.work()
    sandbox.stop()
    with portal.session(portal.world.scope) as session:
        delivery = session.scalars(sa.select(Delivery)).one()
        assert delivery.check_state == "problem"
        codes = [one["code"] for one in delivery.check_result["problems"]]
        assert codes and delivery.playable_id is None
    page = desk.client.get(f"/requests/{desk.request_id}").text
    told = {
        "bomb.xlsx": "far larger than a table needs to be",
        "entries.xlsx": "far larger than a table needs to be",
        "page.pdf": "no file of an accepted type",
        "two.jpg": "something else as well",
        "two.pdf": "something else as well",
    }
    assert told[name] in page, codes
    place = f"/requests/{desk.request_id}/files/{done['delivery_id']}"
    for path in (place, f"{place}/audio", f"{place}/image"):
        with desk.client.get(path) as answer:
            assert answer.status_code == (200 if path == place else 404)
            if path != place:
                continue
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert "html" not in answer.headers["Content-Type"]
            assert answer.data == body


def test_sizes_that_cannot_be_are_refused_in_words(portal: Portal, desk: Desk) -> None:
    """10 GB declared, none, less than none: said before a byte is sent, with how to mend it."""
    call = item(portal, desk)
    ten = desk.start("a.wav", 10 * 10**9, call)
    assert (ten["status"], ten["error"]) == (422, "The file is larger than 2048 MB.")
    assert ten["mend"] == "Compress it, or split it."
    for size in (0, -1):
        none = desk.start("a.wav", size, call)
        assert (none["status"], none["error"]) == (422, "The file is empty (0 bytes).")
        assert none["mend"] == "Export it again from the recorder."
    huge = desk.start("a.wav", 10**30, call)
    assert huge["status"] == 422
    (told,) = desk.match(("HC-00001.wav", 10 * 10**9))
    assert told["status"] == "refused" and "2048 MB" in told["message"]
    with portal.session(portal.world.scope) as session:
        assert not session.scalars(sa.select(Upload)).all()
