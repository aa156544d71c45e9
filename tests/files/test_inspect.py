"""An uploaded file is what it says, is whole and can be used; or a sentence says why not."""

from __future__ import annotations

import io
import random
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from portal.files.images import clean_copy
from portal.files.inspect import Inspection, inspect
from portal.files.kinds import AUDIO, FileKind
from portal.files.problems import Refused
from tests.files import samples

Maker = Callable[[Path], Path]


def image(path: Path, size: tuple[int, int] = (200, 100), **options: object) -> Path:
    picture = Image.new("RGB", size)
    picture.putdata([(i % 256, i % 7, i % 31) for i in range(size[0] * size[1])])
    picture.save(path, format="PNG" if path.suffix == ".png" else "JPEG", **options)
    return path


def written(data: bytes) -> Maker:
    def make(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return make


def cut(make: Maker, share: float) -> Maker:
    def cut_short(path: Path) -> Path:
        data = make(path).read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        return path

    return cut_short


def mp3(path: Path) -> Path:
    return samples.encoded(path, "libmp3lame", "mp3", seconds=6, rate=16000)


def m4a(path: Path) -> Path:
    return samples.encoded(path, "aac", "ipod", seconds=6, rate=16000)


def damaged_mp3(path: Path) -> Path:
    data = bytearray(mp3(path).read_bytes())
    noise = random.Random(1)
    for at in range(2000, len(data) - 100, 60):
        data[at : at + 30] = noise.randbytes(30)
    path.write_bytes(data)
    return path


def modern_pdf(encryption: bool) -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            encryption=pikepdf.Encryption(owner="o", user="") if encryption else False,
        )
    return out.getvalue()


def bomb_png() -> bytes:
    """A PNG that claims 100,000 × 100,000 points."""
    out = io.BytesIO()
    Image.new("1", (10, 10)).save(out, "PNG")
    data = bytearray(out.getvalue())
    data[16:24] = (100_000).to_bytes(4, "big") * 2
    ihdr = bytes(data[12:29])
    data[29:33] = zlib.crc32(ihdr).to_bytes(4, "big")
    return bytes(data)


GOOD: dict[str, tuple[str, Maker, FileKind]] = {
    "wav": ("a.WAV", samples.pcm, FileKind.WAV),
    "adpcm": ("a.wav", lambda p: samples.encoded(p, "adpcm_ima_wav", "wav"), FileKind.WAV),
    "alaw": ("a.wav", lambda p: samples.encoded(p, "pcm_alaw", "wav"), FileKind.WAV),
    "mulaw": ("a.wav", lambda p: samples.encoded(p, "pcm_mulaw", "wav"), FileKind.WAV),
    "gsm": ("a.wav", samples.gsm, FileKind.WAV),
    "amr": ("a.amr", lambda p: samples.encoded(p, "libopencore_amrnb", "amr"), FileKind.AMR),
    "amr_wide": ("a.awb", samples.amr_wide, FileKind.AMR),
    "mp3": ("a.mp3", mp3, FileKind.MP3),
    "m4a": ("a.m4a", m4a, FileKind.M4A),
    "mp4": ("a.mp4", lambda p: samples.encoded(p, "aac", "mp4", rate=16000), FileKind.M4A),
    "pdf": ("a.pdf", written(samples.pdf()), FileKind.PDF),
    "pdf_streams": ("a.pdf", written(modern_pdf(False)), FileKind.PDF),
    "pdf_shifted": ("a.pdf", written(b"junk\n" + samples.pdf()), FileKind.PDF),
    "xlsx": ("a.xlsx", lambda p: samples.workbook(p, [["x"]]), FileKind.XLSX),
    "jpeg": ("a.jpg", image, FileKind.JPEG),
    "png": ("a.png", image, FileKind.PNG),
    "no_ending": ("录音", samples.pcm, FileKind.WAV),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_files_pass(tmp_path: Path, name: str) -> None:
    declared, make, kind = GOOD[name]
    found = inspect(make(tmp_path / declared), declared)
    assert found.problems == ()
    assert found.ok
    assert found.kind is kind
    assert found.media_type == kind.media_type
    assert found.facts
    assert (found.peaks is not None) is kind.is_audio


BAD: dict[str, tuple[str, Maker, str]] = {
    "zero_bytes": ("a.wav", written(b""), "empty"),
    "wav_header_only": ("a.wav", cut(samples.pcm, 44 / 48044), "no_sound_data"),
    "wav_half_a_header": ("a.wav", cut(samples.pcm, 30 / 48044), "unreadable"),
    "wav_cut": ("a.wav", cut(samples.pcm, 0.4), "audio_truncated"),
    "mp3_cut": ("a.mp3", cut(mp3, 0.5), "audio_truncated"),
    "mp3_damaged": ("a.mp3", damaged_mp3, "audio_damaged"),
    "m4a_cut": ("a.m4a", cut(m4a, 0.6), "unreadable"),
    "mp3_as_wav": ("a.wav", mp3, "name_mismatch"),
    "wav_as_mp3": ("a.mp3", samples.pcm, "name_mismatch"),
    "pdf_as_jpg": ("a.jpg", written(samples.pdf()), "name_mismatch"),
    "xlsx_as_pdf": ("a.pdf", lambda p: samples.workbook(p, [["x"]]), "name_mismatch"),
    "program": ("a.wav", written(b"MZ" + bytes(2000)), "type_not_allowed"),
    "page_as_pdf": ("a.pdf", written(b"<html><script>alert(1)</script>"), "type_not_allowed"),
    "amr_header_only": ("a.amr", written(b"#!AMR\n"), "no_sound_data"),
    "random_mp3": ("a.mp3", written(random.Random(2).randbytes(50_000)), "type_not_allowed"),
    "csv": ("a.xlsx", written("卡号,金额\n1,2\n".encode()), "csv_renamed"),
    "pdf_cut": ("a.pdf", cut(written(modern_pdf(False)), 0.6), "pdf_damaged"),
    "pdf_encrypted": ("a.pdf", written(samples.pdf(encrypted=True)), "pdf_encrypted"),
    "pdf_encrypted_streams": ("a.pdf", written(modern_pdf(True)), "pdf_encrypted"),
    "pdf_no_objects": ("a.pdf", written(b"%PDF-1.4\nhello\nstartxref\n9\n%%EOF\n"), "pdf_damaged"),
    "jpeg_cut": ("a.jpg", cut(image, 0.5), "image_damaged"),
    "png_cut": ("a.png", cut(image, 0.5), "image_damaged"),
    "png_bomb": ("a.png", written(bomb_png()), "image_too_large"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    declared, make, code = BAD[name]
    found = inspect(make(tmp_path / declared), declared)
    assert not found.ok
    assert [problem.code for problem in found.problems] == [code]
    assert str(found.problems[0].message)
    assert found.peaks is None


def test_a_kind_that_is_not_wanted_here(tmp_path: Path) -> None:
    path = written(samples.pdf())(tmp_path / "a.pdf")
    (problem,) = inspect(path, "a.pdf", AUDIO).problems
    assert problem.code == "kind_not_wanted"
    assert problem.params == {"found": "PDF", "accepted": "WAV, MP3, M4A, AMR"}


def test_random_damage_never_makes_the_worker_fall(tmp_path: Path) -> None:
    noise = random.Random(3)
    for declared, make, _ in GOOD.values():
        path = make(tmp_path / declared)
        data = bytearray(path.read_bytes())
        for _ in range(3):
            for _ in range(20):
                data[noise.randrange(len(data))] = noise.randrange(256)
            path.write_bytes(data)
            assert isinstance(inspect(path, declared), Inspection)


def test_a_clean_copy_holds_the_picture_and_nothing_else(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90°
    exif[0x010E] = "13800001234"
    path = image(tmp_path / "a.jpg", exif=exif)
    path.write_bytes(path.read_bytes() + b"<script>alert(1)</script>PK\x03\x04")
    assert clean_copy(path, "jpeg", tmp_path / "b.jpg", longest=100) == (50, 100)
    data = (tmp_path / "b.jpg").read_bytes()
    assert b"script" not in data
    assert b"13800001234" not in data
    with pytest.raises(Refused):
        clean_copy(Path(__file__), "jpeg", tmp_path / "c.jpg")
