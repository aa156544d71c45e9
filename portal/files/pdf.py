"""A light look at a PDF's structure: whole, and free of a password. No page is interpreted.

It follows the cross-reference chain from the end of the file, as every reader does first. A file
whose chain is off (many generators get it wrong, readers repair it) passes if a trailer is found.
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from portal.files.problems import Refused

_HEADER_WITHIN = 1024
_END_WITHIN = 4096
_MOST_SECTIONS = 200
_MOST_TRAILER = 1 << 16
_HEADER = re.compile(rb"%PDF-(\d\.\d)")
_START = re.compile(rb"startxref\s+(\d{1,12})\s")
_OBJECT = re.compile(rb"\s*\d{1,10}\s+\d{1,5}\s+obj\b")
_ENCRYPT = re.compile(rb"/Encrypt(?![A-Za-z])")
_ROOT = re.compile(rb"/Root\s*\d")
_EARLIER = re.compile(rb"/(?:Prev|XRefStm)\s+(\d{1,12})")


def check(path: Path) -> str:
    """The PDF's version, such as `1.7`. Raises `Refused` if it is damaged or encrypted."""
    with path.open("rb") as file:
        if not file.seek(0, 2):
            raise Refused("empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _check(data)


def _check(data: mmap.mmap) -> str:
    header = _HEADER.search(data[:_HEADER_WITHIN])
    tail = max(0, len(data) - _END_WITHIN)
    if header is None or data.rfind(b"%%EOF", tail) < 0:
        raise Refused("pdf_damaged")
    starts = _START.findall(data[tail:])
    trailers = _chain(data, int(starts[-1]), header.start()) if starts else []
    if not any(_ROOT.search(trailer) for trailer in trailers):
        trailers = _loose(data)
    if any(_ENCRYPT.search(trailer) for trailer in trailers):
        raise Refused("pdf_encrypted")
    if not any(_ROOT.search(trailer) for trailer in trailers):
        raise Refused("pdf_damaged")
    return header.group(1).decode("ascii")


def _chain(data: mmap.mmap, offset: int, shift: int) -> list[bytes]:
    """The trailer dictionaries that the cross-reference sections lead to, newest first."""
    trailers: list[bytes] = []
    waiting, seen = [offset], set[int]()
    while waiting and len(seen) < _MOST_SECTIONS:
        offset = waiting.pop(0)
        if offset in seen:
            continue
        seen.add(offset)
        trailer = _trailer(data, offset + shift) or _trailer(data, offset)
        if trailer:
            trailers.append(trailer)
            waiting += [int(number) for number in _EARLIER.findall(trailer)]
    return trailers


def _trailer(data: mmap.mmap, offset: int) -> bytes:
    """The dictionary of the section at `offset`: after a table, or of a stream. b"" if none."""
    start = data[offset : offset + 64].lstrip()
    if start.startswith(b"xref"):
        begin = data.find(b"trailer", offset)
        return data[begin : begin + _MOST_TRAILER].split(b"startxref")[0] if begin >= 0 else b""
    if _OBJECT.match(start):
        return data[offset : offset + _MOST_TRAILER].split(b"stream", 1)[0]
    return b""


def _loose(data: mmap.mmap) -> list[bytes]:
    """Trailers found by looking for them, for files whose chain is broken."""
    found = [
        data[match.start() : match.start() + _MOST_TRAILER].split(b"startxref")[0]
        for match in re.finditer(rb"\btrailer\b", data)
    ]
    for match in re.finditer(rb"/Type\s*/XRef\b", data):
        begin = data.rfind(b"obj", 0, match.start())
        found.append(data[max(begin, 0) : match.start() + _MOST_TRAILER].split(b"stream", 1)[0])
    return found[:_MOST_SECTIONS]
