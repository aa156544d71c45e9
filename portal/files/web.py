"""Serve a stored file: Range honoured, always an attachment unless it is sound, never sniffed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from flask import Response, request

from portal.files.export import ExportSheet, xlsx
from portal.files.models import StoredFile
from portal.files.service import storage
from portal.kernel import clock

PLAYABLE = frozenset({"audio/wav", "audio/mpeg", "audio/mp4"})
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXPORT_ROWS = 10_000
"""The most rows of a list that a workbook takes."""
CLEAN_COPY = "clean_copy"
"""The purpose of pictures that the portal made itself; the only ones shown in a page."""
CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """What is known of a file that is sent."""

    storage_key: str
    media_type: str
    size: int
    safe_name: str
    sha256: str
    purpose: str


def send(row: StoredFile | Sent, *, inline: bool = False) -> Response:
    """The file's bytes. `inline` serves sound to the player; everything else is an attachment
    under its safe name, with nosniff and a sandbox, so that nothing renders as a page."""
    answer = Response(mimetype=row.media_type, direct_passthrough=True)
    answer.content_length = row.size
    if row.sha256:
        answer.set_etag(row.sha256)
    answer.make_conditional(request, accept_ranges=True, complete_length=row.size)
    if request.method == "HEAD" or answer.status_code not in (200, 206):
        answer.response = ()
    else:
        answer.response = _bytes(row.storage_key, *_span(answer, row.size))
    shown = row.media_type in PLAYABLE or row.purpose == CLEAN_COPY
    disposition = "inline" if inline and shown else "attachment"
    names = f"filename=\"{_ascii(row.safe_name)}\"; filename*=UTF-8''{quote(row.safe_name)}"
    answer.headers["Content-Disposition"] = f"{disposition}; {names}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _span(answer: Response, size: int) -> tuple[int, int]:
    """Where the answer's bytes begin in the file, and how many they are."""
    told = answer.content_range
    return (told.start or 0, answer.content_length or 0) if told else (0, size)


def _bytes(key: str, start: int, length: int) -> Iterable[bytes]:
    """Bytes of a stored file. From a disk, gunicorn has the kernel copy them to the socket: it
    begins where the file stands and sends as much as the answer's length says."""
    path = storage().local_path(key)
    wrapper = request.environ.get("wsgi.file_wrapper")
    if path is None or wrapper is None:
        return _chunks(key, start, length)
    file = path.open("rb", buffering=0)
    file.seek(start)
    wrapped: Iterable[bytes] = wrapper(file, CHUNK)
    return wrapped


def workbook(sheets: Iterable[ExportSheet], name: str) -> Response:
    """A workbook of what a page shows, to be downloaded as `name`-20261103.xlsx."""
    return attached(xlsx(sheets), f"{name}-{clock.today():%Y%m%d}.xlsx")


def attached(body: bytes, name: str) -> Response:
    """A workbook that was made just now, under its name (ASCII); kept by no cache."""
    answer = Response(body, mimetype=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _chunks(key: str, start: int, length: int) -> Iterator[bytes]:
    with storage().open(key, start, length) as body:
        while chunk := body.read(CHUNK):
            yield chunk


def _ascii(name: str) -> str:
    return name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
