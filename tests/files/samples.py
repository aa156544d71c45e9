"""Files for the tests: real recordings, workbooks, PDFs, and hostile ones."""

from __future__ import annotations

import io
import struct
import wave
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
import numpy as np
import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from portal.files.cells import (
    CardNumber,
    Choice,
    Date,
    DateTime,
    Integer,
    Money,
    Option,
    Percent,
    Phone,
    Text,
)
from portal.files.columns import Column, Template

SHEET = "xl/worksheets/sheet1.xml"


def tone(seconds: float, rate: int, channels: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    """A tone at half of full scale, silent in its second half; one row a channel."""
    count = int(seconds * rate)
    wave_ = np.sin(np.arange(count) * 2 * np.pi * 440 / rate) * 16384
    wave_[count // 2 :] = 0
    return np.repeat(wave_.astype(np.int16)[None, :], channels, axis=0)


def pcm(path: Path, seconds: float = 3, rate: int = 8000, channels: int = 1) -> Path:
    """A plain PCM WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(tone(seconds, rate, channels).T.tobytes())
    return path


def encoded(
    path: Path,
    codec: str,
    container: str,
    *,
    seconds: float = 3,
    rate: int = 8000,
    channels: int = 1,
) -> Path:
    """A recording in another codec."""
    layout = "stereo" if channels == 2 else "mono"
    with av.open(str(path), "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        formats = stream.codec_context.codec.audio_formats
        fmt = formats[0].name if formats else None
        resampler = av.AudioResampler(format=fmt, layout=layout, rate=rate)
        frame = av.AudioFrame.from_ndarray(tone(seconds, rate, channels), "s16p", layout)
        frame.sample_rate = rate
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    return path


def gsm(path: Path, seconds: float = 3) -> Path:
    """A WAV of GSM 6.10 as telephone systems write it: 65 bytes a 40 ms, noise within."""
    count = int(seconds * 8000 / 320)
    data = np.random.default_rng(7).bytes(65 * count)
    form = struct.pack("<HHIIHHHH", 0x31, 1, 8000, 1625, 65, 0, 2, 320)
    parts = ((b"fmt ", form), (b"fact", struct.pack("<I", count * 320)), (b"data", data))
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(part)) + part for name, part in parts)
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def amr_wide(path: Path, seconds: float = 3) -> Path:
    """AMR-WB of 23.85 kbit/s: 61 bytes a 20 ms, noise within."""
    noise = np.random.default_rng(7)
    frames = (b"\x44" + noise.bytes(60) for _frame in range(int(seconds * 50)))
    path.write_bytes(b"#!AMR-WB\n" + b"".join(frames))
    return path


def pdf(encrypted: bool = False) -> bytes:
    """A small PDF with a classic cross-reference table."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    ]
    out = io.BytesIO(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    out.seek(0, 2)
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 4\n0000000000 65535 f \n")
    out.writelines(b"%010d 00000 n \n" % place for place in places)
    extra = b" /Encrypt 9 0 R" if encrypted else b""
    out.write(b"trailer\n<< /Size 4 /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (extra, start))
    return out.getvalue()


CASES = Template(
    "cases",
    (
        Column("case_no", "案号", "Case no.", Text(40), required=True, unique=True, example="HC-0"),
        Column("card", "卡号", "Card no.", CardNumber(), personal=True, example="6225880000000000"),
        Column("phone", "手机号", "Phone", Phone(), personal=True, example="13800000000"),
        Column("amount", "委案金额", "Amount", Money(), required=True, example=Decimal("1234.50")),
        Column("days", "逾期天数", "Days past due", Integer(), example=45),
        Column("entrusted", "委案日期", "Entrusted on", Date(), example=date(2026, 11, 3)),
        Column("called", "通话时间", "Called at", DateTime()),
        Column("rate", "费率", "Rate", Percent()),
        Column(
            "status",
            "状态",
            "Status",
            Choice((Option("in_hand", "在案", "In hand"), Option("settled", "结清", "Settled"))),
            title_hant="狀態",
            example="in_hand",
        ),
    ),
    title_zh="委案清单",
    title_en="Cases",
    title_hant="委案清單",
)
TITLES = [column.title_zh for column in CASES.columns]


def workbook(
    path: Path,
    rows: Iterable[Sequence[Any]],
    *,
    titles: Sequence[Any] = TITLES,
    change: Callable[[openpyxl.Workbook, Worksheet], None] = lambda book, sheet: None,
) -> Path:
    """A workbook with titles in row 1 and the rows below, then whatever `change` does to it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in [titles, *rows]:
        sheet.append(list(row))
    change(book, sheet)
    book.save(path)
    return path


def rezipped(
    path: Path,
    *,
    replace: dict[str, bytes] | None = None,
    add: Sequence[tuple[str, bytes]] = (),
    drop: Sequence[str] = (),
) -> Path:
    """The archive with parts replaced, added (even twice) or dropped."""
    with zipfile.ZipFile(path) as source:
        parts = [(info.filename, source.read(info)) for info in source.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in parts:
            if name not in drop:
                target.writestr(name, (replace or {}).get(name, data))
        for name, data in add:
            target.writestr(name, data)
    return path


def part(path: Path, name: str = SHEET) -> bytes:
    """One part of an archive."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)
