"""The check of what was delivered: used before, against the call list, made safe; and proofs."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import Headers

from portal.files import audio, fingerprint, sandbox
from portal.kernel import clock
from portal.kernel import settings as settings_module
from portal.kernel.access import Role, system_actor
from portal.materials import copies, jobs
from portal.materials.models import Delivery, RequestItem, SoundPrint
from tenants.scope import Scope
from tests.conftest import Portal
from tests.factories.contacts import as_csv, line
from tests.factories.materials import CALL, RECORD, Desk, add_request
from tests.factories.world import MOMENT
from tests.files import samples
from tests.files.test_fingerprint import voice, written
from tests.files.test_virus import EICAR, clamd


@pytest.fixture
def desk(portal: Portal) -> Iterator[Desk]:
    """The first vendor's office at the desk of a call-up on three cases, an hour old."""
    with clock.frozen(MOMENT), portal.session(portal.world.scope) as session:
        made = add_request(session, portal.world, portal.world.vendors[0]).id
    with clock.frozen(MOMENT + timedelta(hours=1)):
        yield Desk(portal.client(portal.world.vendors[0].email(Role.OFFICE)), made)


def item(portal: Portal, desk: Desk, case_no: str, kind: str) -> UUID:
    with portal.session(portal.world.scope) as session:
        return session.scalars(
            sa.select(RequestItem.id).where(
                RequestItem.request_id == desk.request_id,
                RequestItem.case_no == case_no,
                RequestItem.kind == kind,
            )
        ).one()


def fetched(client: FlaskClient, path: str) -> tuple[Headers, bytes]:
    """Headers and body of a download, its file closed again."""
    with client.get(path) as answer:
        assert answer.status_code == 200
        return answer.headers, answer.data


def result(portal: Portal, answer: dict[str, str]) -> tuple[str, list[str], list[str], Delivery]:
    """State, problems and remarks of a checked delivery."""
    portal.work()
    with portal.session(portal.world.scope) as session:
        found = session.scalars(
            sa.select(Delivery).where(Delivery.id == UUID(answer["delivery_id"]))
        ).one()
        told = found.check_result
        return (
            found.check_state,
            [one["code"] for one in told["problems"]],
            [one["code"] for one in told["remarks"]],
            found,
        )


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("HC-00001.wav", lambda p: samples.encoded(p, "adpcm_ima_wav", "wav")),
        ("HC-00001.wav", lambda p: samples.encoded(p, "pcm_alaw", "wav")),
        ("HC-00001.wav", lambda p: samples.encoded(p, "pcm_mulaw", "wav")),
        ("HC-00001.wav", samples.gsm),
        ("HC-00001.amr", lambda p: samples.encoded(p, "libopencore_amrnb", "amr")),
        ("HC-00001.awb", samples.amr_wide),
    ],
    ids=["adpcm", "alaw", "mulaw", "gsm", "amr", "amr_wide"],
)
def test_what_browsers_do_not_play_is_heard_as_a_copy(
    portal: Portal, desk: Desk, tmp_path: Path, name: str, make: Callable[[Path], Path]
) -> None:
    """The player gets an MP3 of the same length, by ranges; the download is what was delivered."""
    body = make(tmp_path / name).read_bytes()
    sent = desk.send(name, body, item(portal, desk, "HC-00001", CALL))
    state, problems, _remarks, delivery = result(portal, sent)
    assert (state, problems) == ("sound", []) and delivery.peaks_key and delivery.playable_id
    path = f"/requests/{desk.request_id}/files/{delivery.id}"
    headers, heard = fetched(desk.client, f"{path}/audio")
    assert headers["Content-Type"] == "audio/mpeg" and headers["Accept-Ranges"] == "bytes"
    copy = tmp_path / "copy.mp3"
    copy.write_bytes(heard)
    assert audio.examine(copy, "mp3").duration == pytest.approx(
        delivery.check_result["facts"]["duration"], abs=0.2
    )
    with desk.client.get(f"{path}/audio", headers={"Range": "bytes=1000-1999"}) as part:
        assert (part.status_code, part.data) == (206, heard[1000:2000])
    assert fetched(desk.client, path)[1] == body
    assert "平台生成的副本" in desk.client.get(f"{path}/listen").text


@pytest.fixture
def scanned(portal: Portal, tmp_path: Path) -> Iterator[None]:
    """A portal that asks a scanner, by clamd's protocol; each use is one conversation."""
    with clamd(tmp_path) as address:
        settings_module.install(replace(portal.settings, clamd=address))
        try:
            yield
        finally:
            settings_module.install(portal.settings)


@pytest.mark.usefixtures("scanned")
@pytest.mark.parametrize("virus", [False, True], ids=["clean", "virus"])
def test_what_the_scanner_says_stands_on_the_item(
    portal: Portal, desk: Desk, tmp_path: Path, virus: bool
) -> None:
    body = samples.pcm(tmp_path / "a.wav").read_bytes()
    if virus:
        body = body[:2000] + EICAR + body[2000 + len(EICAR) :]
    sent = desk.send("HC-00001.wav", body, item(portal, desk, "HC-00001", CALL))
    state, problems, _remarks, delivery = result(portal, sent)
    page = desk.client.get(f"/requests/{desk.request_id}").text
    if virus:
        assert (state, problems, delivery.peaks_key) == ("problem", ["virus_found"], None)
        assert "Eicar-Test-Signature" in page and "发现病毒" in page
        assert "未发现病毒" not in page
        listen = f"/requests/{desk.request_id}/files/{delivery.id}/listen"
        assert desk.client.get(listen).status_code == 404
    else:
        assert (state, problems) == ("sound", []) and "未发现病毒" in page


@pytest.mark.parametrize("address", ["", "unix:/nowhere/clamd"])
def test_what_nobody_scanned_is_never_called_clean(
    portal: Portal, desk: Desk, tmp_path: Path, address: str
) -> None:
    """No scanner, and one that does not answer; of a workbook, which has no page of its own."""
    settings_module.install(replace(portal.settings, clamd=address))
    try:
        book = samples.workbook(tmp_path / "HC-00001.xlsx", [["x"]], titles=["a"]).read_bytes()
        sent = desk.send("HC-00001.xlsx", book, item(portal, desk, "HC-00001", RECORD))
        state, problems, _remarks, _delivery = result(portal, sent)
    finally:
        settings_module.install(portal.settings)
    page = desk.client.get(f"/requests/{desk.request_id}").text
    assert (state, problems) == ("sound", [])
    assert "未做病毒扫描" in page and "未发现病毒" not in page


def test_what_is_found_does_not_wait_for_a_long_copy(
    portal: Portal, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result shows; it can be listened to when the copy's own job, here held back, is done."""
    monkeypatch.setattr(copies, "AT_ONCE", 2.0)
    held: list[UUID] = []
    monkeypatch.setattr(jobs, "copy_later", lambda _session, of, **_by: held.append(of))
    body = samples.encoded(tmp_path / "a.wav", "adpcm_ima_wav", "wav").read_bytes()
    sent = desk.send("HC-00001.wav", body, item(portal, desk, "HC-00001", CALL))
    state, problems, _remarks, delivery = result(portal, sent)
    assert (state, problems, delivery.peaks_key) == ("sound", [], None)
    assert held == [delivery.id]
    page, path = f"/requests/{desk.request_id}", f"/requests/{desk.request_id}/files/{delivery.id}"
    assert "正在生成可在浏览器播放的副本" in desk.client.get(page).text
    assert "load delay:2s" in desk.client.get(page).text
    assert [desk.client.get(f"{path}/{what}").status_code for what in ("listen", "audio")] == [
        404
    ] * 2
    with clock.frozen(clock.now() + timedelta(hours=1)):  # it will not come: nobody waits for it
        assert "load delay:2s" not in desk.client.get(page).text
    for _twice in range(2):
        with portal.session(Scope.vendor(delivery.tenant_id)) as session:
            copies.copy_later(session, delivery.id, actor=system_actor(delivery.tenant_id))
            session.commit()
    assert "正在生成可在浏览器播放的副本" not in desk.client.get(page).text
    assert fetched(desk.client, f"{path}/audio")[0]["Content-Type"] == "audio/mpeg"
    assert "平台生成的副本" in desk.client.get(f"{path}/listen").text


def test_a_recording_that_cannot_be_copied_is_checked_all_the_same(
    portal: Portal, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audio, "_COPY_LIMITS", sandbox.Limits(written=1000))
    body = samples.encoded(tmp_path / "a.wav", "adpcm_ima_wav", "wav").read_bytes()
    sent = desk.send("HC-00001.wav", body, item(portal, desk, "HC-00001", CALL))
    state, problems, _remarks, delivery = result(portal, sent)
    assert (state, problems, delivery.playable_id) == ("sound", [], None)
    path = f"/requests/{desk.request_id}/files/{delivery.id}"
    assert desk.client.get(f"{path}/listen").status_code == 404
    assert fetched(desk.client, path)[1] == body


def test_a_recording_proves_one_call_of_a_case_too(
    portal: Portal, desk: Desk, tmp_path: Path
) -> None:
    """Two calls of one case by the list, the same bytes for both: the second is remarked on."""
    lines = [line(1, "2026-10-20 14:22:33", 3), line(1, "2026-10-21 09:00:00", 3)]
    desk.client.post(
        f"/requests/{desk.request_id}/calls",
        data={"file": (io.BytesIO(as_csv(lines)), "a.csv")},
        content_type="multipart/form-data",
    )
    portal.work()
    body = samples.pcm(tmp_path / "a.wav").read_bytes()
    with portal.session(portal.world.scope) as session:
        first, second = session.scalars(
            sa.select(RequestItem.id)
            .where(RequestItem.case_no == "HC-00001", RequestItem.call_id.is_not(None))
            .order_by(RequestItem.id)
        ).all()
    assert result(portal, desk.send("a.wav", body, first))[2] == []
    assert result(portal, desk.send("b.wav", body, second))[2] == ["same_bytes"]


@pytest.mark.skipif(fingerprint.library() is None, reason="libchromaprint1 is not installed")
def test_one_recording_proves_one_call(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    """The same sound for another case is remarked on, in other bytes too; for its own case not."""
    first = written(tmp_path / "a.wav", voice(1), "pcm_s16le", "wav").read_bytes()
    again = written(tmp_path / "a.mp3", voice(1), "libmp3lame", "mp3").read_bytes()
    other = written(tmp_path / "b.wav", voice(2), "pcm_s16le", "wav").read_bytes()
    call = {n: item(portal, desk, f"HC-0000{n}", CALL) for n in (1, 2, 3)}
    assert result(portal, desk.send("HC-00001.wav", first, call[1]))[:3] == ("sound", [], [])
    assert result(portal, desk.send("HC-00001.mp3", again, call[1]))[:3] == ("sound", [], [])
    assert result(portal, desk.send("HC-00003.wav", other, call[3]))[:3] == ("sound", [], [])
    found = result(portal, desk.send("HC-00002.mp3", again, call[2]))
    assert found[:3] == ("sound", [], ["same_bytes"])
    cut = written(tmp_path / "c.wav", voice(1)[16_000:], "pcm_alaw", "wav").read_bytes()
    *seen, delivery = result(portal, desk.send("HC-00002.wav", cut, call[2]))
    assert seen == ["sound", [], ["same_sound"]]
    assert delivery.check_result["remarks"][0]["params"]["case"] == "HC-00001"
    with portal.session(portal.world.scope) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SoundPrint)) == 5
    page = desk.client.get(f"/requests/{desk.request_id}").text
    assert "一份录音只能证明一通电话" in page
    listen = desk.client.get(f"/requests/{desk.request_id}/files/{delivery.id}/listen").text
    assert "未扫描" in listen and "未发现病毒" not in listen


def test_the_call_list_says_how_long(portal: Portal, desk: Desk, tmp_path: Path) -> None:
    desk.client.post(
        f"/requests/{desk.request_id}/calls",
        data={"file": (io.BytesIO(as_csv([line(1, "2026-10-20 14:22:33", 60)])), "a.csv")},
        content_type="multipart/form-data",
    )
    portal.work()
    call = item(portal, desk, "HC-00001", CALL)
    short = samples.pcm(tmp_path / "a.wav", 20).read_bytes()
    assert result(portal, desk.send("a.wav", short, call))[2] == ["length_differs"]
    right = samples.pcm(tmp_path / "b.wav", 58).read_bytes()
    assert result(portal, desk.send("b.wav", right, call))[2] == []


def test_pictures_are_shown_re_encoded_only(portal: Portal, desk: Desk) -> None:
    sink = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "13800001234"
    Image.effect_noise((60, 40), 90).save(sink, format="JPEG", exif=exif)
    record = item(portal, desk, "HC-00001", RECORD)
    state, _problems, _remarks, delivery = result(
        portal, desk.send("a.jpg", sink.getvalue() + b"<script>alert(1)</script>", record)
    )
    assert state == "sound"
    place = f"/requests/{desk.request_id}/files/{delivery.id}"
    headers, body = fetched(desk.client, f"{place}/image")
    assert headers["Content-Disposition"].startswith("inline")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert b"script" not in body and b"13800001234" not in body
    with Image.open(io.BytesIO(body)) as shown:
        assert shown.size == (60, 40)
    headers, body = fetched(desk.client, place)
    assert headers["Content-Disposition"].startswith("attachment")
    assert b"13800001234" in body


@pytest.mark.parametrize("name", ["a.jpg", "a.pdf", "a.wav"])
def test_two_files_in_one_are_refused(
    portal: Portal, desk: Desk, tmp_path: Path, name: str
) -> None:
    """An archive behind a picture, a PDF or a recording (polyglots)."""
    bodies = {"a.pdf": samples.pdf(), "a.wav": samples.pcm(tmp_path / "a.wav").read_bytes()}
    sink = io.BytesIO()
    Image.new("RGB", (60, 40)).save(sink, format="JPEG")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("run.exe", b"MZ" * 100)
    kind = CALL if name == "a.wav" else RECORD
    body = bodies.get(name, sink.getvalue()) + archive.getvalue()
    found = result(portal, desk.send(name, body, item(portal, desk, "HC-00001", kind)))
    assert found[:2] == ("problem", ["two_in_one"])


def test_a_proof_stands_beside_the_answer(portal: Portal, desk: Desk) -> None:
    """Checked at once; read by both sides, by no other vendor; gone when the answer is."""
    call = item(portal, desk, "HC-00001", CALL)

    def answer(name: str, body: bytes) -> int:
        sent = desk.client.post(
            f"/requests/{desk.request_id}/answer",
            data={
                "item": str(call),
                "reason": "not_connected",
                "note": "",
                "proof": (io.BytesIO(body), name),
            },
            content_type="multipart/form-data",
        )
        return sent.status_code

    assert answer("proof.pdf", b"no pdf at all") == 422
    assert answer("proof.pdf", samples.pdf()) == 302
    place = f"/requests/{desk.request_id}/files/proof/{call}"
    auditor = portal.client(portal.world.email(Role.AUDITOR))
    other = portal.client(portal.world.vendors[1].email(Role.OFFICE))
    for reader in (desk.client, auditor):
        assert fetched(reader, place)[1] == samples.pdf()
    assert other.get(place).status_code == 404
    assert "proof.pdf" in auditor.get(f"/requests/{desk.request_id}").text
    desk.client.post(f"/requests/{desk.request_id}/items/{call}/take-back")
    assert desk.client.get(place).status_code == 404


def test_a_list_among_the_files_says_what_they_are(portal: Portal, desk: Desk) -> None:
    """The desk sends its hints back with the names; what it does not say the name says."""
    body = "文件名,案件编号,材料类型\nrec001.wav,HC-00001,催收录音\nscan7.pdf,HC-00002,催收记录\n"
    sent = desk.client.post(
        f"/requests/{desk.request_id}/manifest",
        data={"file": (io.BytesIO(body.encode("gb18030")), "文件清单.csv")},
        content_type="multipart/form-data",
    )
    entries = sent.get_json()["entries"]
    assert [entry["file"] for entry in entries] == ["rec001.wav", "scan7.pdf"]
    files = [
        {"key": entry["file"], "path": f"x/{entry['file']}", "size": 10, "hint": entry["hint"]}
        for entry in entries
    ]
    found = desk.client.post(
        f"/requests/{desk.request_id}/match",
        json={"files": [*files, {"key": "f", "path": "HC-00003.wav", "size": 10}]},
    ).get_json()["files"]
    assert [(row["status"], row["how"]) for row in found] == [
        ("matched", "manifest"),
        ("matched", "manifest"),
        ("matched", "case_number"),
    ]
    assert found[1]["item_id"] == str(item(portal, desk, "HC-00002", RECORD))
    rows = ("文件名,案件编号", "甲/录音.wav,HC-00001", "乙\\录音.wav,HC-00002", "a.wav,HC-00003")
    folders = "\n".join([*rows, ""])
    sent = desk.client.post(
        f"/requests/{desk.request_id}/manifest",
        data={"file": (io.BytesIO((folders + "A.wav,HC-00003\n").encode()), "清单.csv")},
        content_type="multipart/form-data",
    )
    assert sent.get_json()["entries"] == [
        {"file": "甲/录音.wav", "hint": {"case_no": "HC-00001"}},
        {"file": "乙/录音.wav", "hint": {"case_no": "HC-00002"}},
        {"file": "a.wav", "hint": {"case_no": "HC-00003"}},
    ]
    # The list against the name or its folder: nobody's word is taken, a person decides.
    found = desk.client.post(
        f"/requests/{desk.request_id}/match",
        json={
            "files": [
                {"key": path, "path": path, "size": 10, "hint": {"case_no": "HC-00001"}}
                for path in ("HC-00002/录音.wav", "HC-00001/录音.wav")
            ]
        },
    ).get_json()["files"]
    assert [(row["status"], row["how"]) for row in found] == [
        ("unmatched", "list_against_name"),
        ("matched", "manifest"),
    ]
    assert found[0]["proposal"]["id"] == str(item(portal, desk, "HC-00001", CALL))
    assert len(found[0]["choices"]) >= 2
    ordinary = desk.client.post(
        f"/requests/{desk.request_id}/manifest",
        data={"file": (io.BytesIO(b"no list"), "x.csv")},
        content_type="multipart/form-data",
    )
    assert ordinary.get_json() == {"entries": []}
