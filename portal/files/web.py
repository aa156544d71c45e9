"""Serve a stored file: Range honoured, always an attachment unless it is sound, never sniffed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from flask import Response, request, send_file

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


def send(row: StoredFile, *, inline: bool = False) -> Response:
    """The file's bytes. `inline` serves sound to the player; everything else is an attachment
    under its safe name, with nosniff and a sandbox, so that nothing renders as a page."""
    path = storage().local_path(row.storage_key)
    if path is not None:
        with _no_wrapper():
            answer = send_file(
                path,
                mimetype=row.media_type,
                conditional=True,
                etag=row.sha256,
                max_age=0,
            )
    else:
        answer = _from_store(row)
    shown = row.media_type in PLAYABLE or row.purpose == CLEAN_COPY
    disposition = "inline" if inline and shown else "attachment"
    names = f"filename=\"{_ascii(row.safe_name)}\"; filename*=UTF-8''{quote(row.safe_name)}"
    answer.headers["Content-Disposition"] = f"{disposition}; {names}"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def workbook(sheets: Iterable[ExportSheet], name: str) -> Response:
    """A workbook of what a page shows, to be downloaded as `name`-20261103.xlsx."""
    return attached(xlsx(sheets), f"{name}-{clock.today():%Y%m%d}.xlsx")


def attached(body: bytes, name: str) -> Response:
    """A workbook that was made just now, under its name (ASCII); kept by no cache."""
    answer = Response(body, mimetype=XLSX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@contextmanager
def _no_wrapper() -> Iterator[None]:
    """gunicorn's wrapper reads a Range from byte 0; without it Werkzeug seeks. It is put back
    whatever happens (a Range past the end is an error): gunicorn looks for it with every answer."""
    wrapper = request.environ.pop("wsgi.file_wrapper", None)
    try:
        yield
    finally:
        if wrapper is not None:
            request.environ["wsgi.file_wrapper"] = wrapper


def _from_store(row: StoredFile) -> Response:
    """The file, or the range that was asked for, as it comes from a store elsewhere."""
    wanted = request.range
    span = wanted.range_for_length(row.size) if wanted and wanted.units == "bytes" else None
    if wanted and span is None:
        answer = Response(status=416)
        answer.headers["Content-Range"] = f"bytes */{row.size}"
        return answer
    start, stop = span or (0, row.size)
    answer = Response(
        _chunks(row.storage_key, start, stop - start),
        status=206 if span else 200,
        mimetype=row.media_type,
        direct_passthrough=True,
    )
    answer.content_length = stop - start
    answer.headers["Accept-Ranges"] = "bytes"
    if span:
        answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{row.size}"
    return answer


def _chunks(key: str, start: int, length: int) -> Iterator[bytes]:
    with storage().open(key, start, length) as body:
        while chunk := body.read(CHUNK):
            yield chunk


def _ascii(name: str) -> str:
    return name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
