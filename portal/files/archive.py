"""Unpack an uploaded XLSX under hard caps and write a plain copy that a reader may trust.

Sizes that the archive declares are ignored: every part is inflated in small steps and counted.
Only the parts a table needs are copied, stored uncompressed in a fresh archive, so that the
spreadsheet reader never sees the upload itself (two directories, doubled names, nested archives).
Error cells (#REF! and its like) become text on the way, because the reader would report them as
empty. Run this in the sandbox.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from portal.files.problems import Refused

MAX_FILE = 64 << 20
MAX_INFLATED = 320 << 20
MAX_ENTRIES = 2000
_MAX_DIRECTORY = 1 << 20
_MAX_RATIO = 500
_RATIO_FROM = 8 << 20
_CHUNK = 1 << 18

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END_OF_DIRECTORY = b"PK\x05\x06"
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_WORKBOOK = "xl/workbook.xml"
_NEEDED = re.compile(
    r"\[content_types\]\.xml|_rels/\.rels|xl/workbook\.xml|xl/_rels/workbook\.xml\.rels"
    r"|xl/styles\d*\.xml|xl/sharedstrings\d*\.xml|xl/worksheets/[^/]+\.xml",
    re.IGNORECASE,
)
_ERROR_CELL = re.compile(rb"""(<(?:\w+:)?c\b[^<>]*?\st=)(["'])e\2""")
_DATE_1904 = re.compile(rb"""<(?:\w+:)?workbookPr\b[^<>]*?\sdate1904\s*=\s*["'](?:1|true|on)["']""")


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was found on the way. `date1904`: dates count from 1904 (old Excel for Mac)."""

    date1904: bool
    inflated: int


def unpack(path: Path, target: Path, *, most: int = MAX_INFLATED) -> Unpacked:
    """Write the plain copy of the workbook at `path` to `target`.

    `most`: how many bytes its parts may have unpacked. Raises `Refused` with the code that fits.
    """
    if path.stat().st_size > MAX_FILE:
        raise Refused("too_large", most=MAX_FILE >> 20)
    with path.open("rb") as file:
        look_at_start(file)
        _look_at_directory(file)
        try:
            return _copy(file, target, most)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError) as error:
            raise Refused("unreadable") from error
        except NotImplementedError as error:  # an unknown method or version
            raise Refused("workbook_odd") from error


def look_at_start(file: IO[bytes]) -> None:
    """Tell apart what people upload under the name .xlsx; raise `Refused` if no archive."""
    start = file.read(1 << 16)
    if not start:
        raise Refused("empty")
    if start.startswith(_OLE):
        file.seek(0)
        names = file.read(4 << 20)
        wanted = "EncryptedPackage".encode("utf-16-le")
        raise Refused("workbook_encrypted" if wanted in names else "old_xls")
    if start.startswith(b"PK\x03\x04"):
        return
    text = b"\x00" not in start[:4096] and not start.lstrip().startswith((b"<", b"%PDF", b"{\\"))
    raise Refused("csv_renamed" if text else "not_xlsx")


def _look_at_directory(file: IO[bytes]) -> None:
    """Refuse a directory too long to be worth reading, before anything reads it."""
    file.seek(0, 2)
    size = file.tell()
    file.seek(max(0, size - 65_557))
    tail = file.read()
    at = tail.rfind(_END_OF_DIRECTORY)
    if at < 0 or len(tail) < at + 22:
        raise Refused("unreadable")
    entries, length = struct.unpack_from("<HI", tail, at + 10)
    if entries > MAX_ENTRIES or length > _MAX_DIRECTORY:
        raise Refused("workbook_bomb")


def _copy(file: IO[bytes], target: Path, most: int) -> Unpacked:
    date1904 = False
    total = 0
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(target, "w") as plain:
        parts = _parts(source.infolist())
        for name, entry in parts.items():
            chunks = _inflate(source, entry, most - total)
            if name.startswith("xl/worksheets/"):
                chunks = _errors_as_text(chunks)
            with plain.open(name, "w", force_zip64=True) as sink:
                for number, chunk in enumerate(chunks):
                    if number == 0:
                        _look_at_part(chunk)
                        date1904 |= name == _WORKBOOK and bool(_DATE_1904.search(chunk))
                    sink.write(chunk)
                    total += len(chunk)
    return Unpacked(date1904, total)


def _parts(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """The needed parts by their normal name. Raises `Refused` for what is no plain XLSX."""
    names: dict[str, zipfile.ZipInfo] = {}
    needed: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename.replace("\\", "/")
        if name.startswith("/") or ".." in PurePosixPath(name).parts or name.lower() in names:
            raise Refused("workbook_odd")
        names[name.lower()] = entry
        if _NEEDED.fullmatch(name):
            needed[_WORKBOOK if name.lower() == _WORKBOOK else name] = entry
    if len(entries) > MAX_ENTRIES:
        raise Refused("workbook_bomb")
    if "xl/vbaproject.bin" in names or any(n.startswith("xl/macrosheets/") for n in names):
        raise Refused("workbook_macros")
    if _WORKBOOK not in needed:
        raise Refused("not_xlsx")
    if any(entry.flag_bits & 0x1 for entry in needed.values()):
        raise Refused("workbook_encrypted")
    if any(entry.compress_type not in _METHODS for entry in needed.values()):
        raise Refused("workbook_odd")
    return needed


def _inflate(source: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    """The bytes of a part, at most `most`. Its declared size is what it is compared with; the
    reader, which would stop there, is told another."""
    size, declared = 0, entry.file_size
    packed = max(entry.compress_size, 1)
    entry.file_size = most + 2 * _CHUNK
    with source.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > most or (size > _RATIO_FROM and size > packed * _MAX_RATIO):
                raise Refused("workbook_bomb")
            yield chunk
    if size != declared:
        raise Refused("workbook_odd")


def _look_at_part(start: bytes) -> None:
    """Refuse document type definitions: entities may grow without end."""
    if b"<!DOCTYPE" in start or b"<!ENTITY" in start or start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise Refused("workbook_odd")


def _errors_as_text(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Rewrite `t="e"` cells as text cells; a tag is never cut between two chunks."""
    held = b""
    for chunk in chunks:
        data = held + chunk
        cut = data.rfind(b"<")
        if cut <= 0 or data.rfind(b">") > cut:
            cut = len(data)
        data, held = data[:cut], data[cut:]
        if b't="e"' in data or b"t='e'" in data:
            data = _ERROR_CELL.sub(rb"\1\2str\2", data)
        if data:
            yield data
    if held:
        yield held
