"""What the upload desk talks to (UX 2, 5, 6).

One protocol for every store, S3's multipart upload: start, parts under signed addresses (to the
store, or to `portal/files/receiver.py`), list, complete, cancel. Starting and completing take
many files at a time, because a folder holds hundreds.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, jsonify, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files.matching import Hint
from portal.kernel.access import guard
from portal.kernel.errors import Invalid, NotFound, PortalError
from portal.kernel.web import actor, db
from portal.materials import abandoned, completion, manifest, matching, uploads
from portal.materials.events import get_request
from portal.materials.matching import MOST_NAMES, Dropped
from portal.materials.models import Upload
from portal.materials.permissions import DELIVER
from portal.materials.rules import check_open
from portal.materials.uploads import Standing

bp = Blueprint("material_uploads", __name__, url_prefix="/requests")
_MOST_LISTED = 5_000
MOST_AT_ONCE = 100
"""Files that are started, or completed, by one request."""


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _unreadable()
    if b"\\ud" in request.get_data().lower():
        body = _whole(body)
    return cast("dict[str, Any]", body)


def _whole(value: Any) -> Any:
    """The same without halves of surrogate pairs: JSON may carry them, and names of files on
    Windows hold some, but no text that is stored or shown can."""
    if isinstance(value, str):
        # Two escaped halves that belong together are one character already.
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(one) for key, one in value.items()}
    return value


def _unreadable() -> Invalid:
    return Invalid(_("The request could not be read."), _("Reload the page and try again."))


def _dropped(entries: Any, most: int) -> list[Dropped]:
    if not isinstance(entries, list) or len(entries) > most:
        raise _unreadable()
    found = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise _unreadable()
        size = entry.get("size")
        path = str(entry.get("path") or entry.get("name") or "")
        if not isinstance(size, int) or not path or len(path) > 4_096:
            raise _unreadable()
        key = str(entry.get("key", ""))[:80]
        found.append(Dropped(key, path, size, manifest.hint_of(entry.get("hint"))))
    return found


@bp.post("/<uuid:request_id>/match")
@guard(DELIVER)
def match(request_id: UUID) -> Response:
    """Where files of these names and sizes belong; nothing is kept of the names (C4.1)."""
    found = get_request(db(), request_id)
    body = _body()
    check_open(found.state)
    files = _dropped(body.get("files"), MOST_NAMES)
    listed = _dropped(body.get("listed") or [], _MOST_LISTED)
    answers = matching.match_files(db(), found, files, listed)
    return jsonify(
        {
            "files": [
                {
                    "key": answer.key,
                    "status": answer.status,
                    "item_id": str(answer.item_id) if answer.item_id else None,
                    "item_label": answer.item_label,
                    "message": answer.message,
                    "choices": _choices(answer.choices),
                    "how": answer.how,
                    "proposal": _choices((answer.proposal,))[0] if answer.proposal else None,
                }
                for answer in answers
            ],
            "choices": _choices(matching.choices(db(), found)),
        }
    )


def _choices(choices: tuple[tuple[UUID, str], ...]) -> list[dict[str, str]]:
    return [{"id": str(item_id), "label": label} for item_id, label in choices]


@bp.post("/<uuid:request_id>/manifest")
@guard(DELIVER)
def read_manifest(request_id: UUID) -> Response:
    """What a list in the dropped set says of its files: hints that the desk sends back with the
    names to be matched. Nothing is kept (C4.1); a file that is no such list gives no entries."""
    check_open(get_request(db(), request_id).state)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise _unreadable()
    entries = manifest.read(sent.stream, sent.filename)
    return jsonify({"entries": entries})


@bp.post("/<uuid:request_id>/uploads")
@guard(DELIVER)
def start(request_id: UUID) -> Response:
    """Begin the uploads of many files at once; each answers for itself. A file that is on its way
    already goes on: the answer says which of its parts are here."""
    found = get_request(db(), request_id)
    check_open(found.state)
    entries, made = _announced(), list[Upload]()
    files = [_file_of(entry) for entry in entries]
    hows = matching.hows_of(db(), found, [(path, item, hint) for path, item, hint in files])
    announced = [
        (item, uploads.Announced(str(entry["name"]), entry["size"], how, entry.get("modified")))
        for entry, (_path, item, _hint), how in zip(entries, files, hows, strict=True)
    ]
    outcomes = uploads.start_all(db(), found.id, announced, made=made, actor=actor())
    uploads.note_started(db(), found.id, made, actor=actor())
    fresh = {one.id for one in made}
    answers = [
        {"key": entry["key"], **_answer(outcome, fresh)}
        for entry, outcome in zip(entries, outcomes, strict=True)
    ]
    db().commit()
    return jsonify({"files": answers})


def _answer(outcome: Upload | PortalError, fresh: Collection[UUID]) -> dict[str, Any]:
    if isinstance(outcome, PortalError):
        return _refusal(outcome)
    return _told(uploads.standing(outcome, fresh=outcome.id in fresh))


def _announced() -> list[dict[str, Any]]:
    entries = _body().get("files")
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_AT_ONCE:
        raise _unreadable()
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("size"), int):
            raise _unreadable()
        modified = entry.get("modified")
        if not str(entry.get("name") or "") or not isinstance(modified, int | None):
            raise _unreadable()
        entry["key"] = str(entry.get("key", ""))[:80]
    return entries


def _file_of(entry: dict[str, Any]) -> tuple[str, UUID, Hint | None]:
    """Path, item and hint of an announced file; no item of anybody's where none is named."""
    path = str(entry.get("path") or entry["name"])[-4_096:]
    try:
        item_id = UUID(str(entry.get("item_id")))
    except ValueError:
        item_id = UUID(int=0)
    return path, item_id, manifest.hint_of(entry.get("hint"))


def _refusal(error: PortalError) -> dict[str, Any]:
    """What is said of one file of many that is not taken."""
    if isinstance(error, NotFound):
        return {
            "status": 404,
            "error": _("This case is not part of the request any more."),
            "mend": _("Choose where the file belongs."),
        }
    return {
        "status": error.status,
        "error": str(error.message),
        "mend": str(error.mend),
        "missing": error.data.get("missing", []),
    }


def _told(standing: Standing) -> dict[str, Any]:
    """What the desk needs to go on with an upload."""
    upload = standing.upload
    base = url_for("material_uploads.parts", request_id=upload.request_id, upload_id=upload.id)
    return {
        "upload_id": str(upload.id),
        "url": base,
        "parts": standing.parts,
        "part_size": standing.part_size,
        "received": [one.number for one in standing.received],
        "addresses": {str(number): url for number, url in standing.addresses.items()},
    }


@bp.post("/<uuid:request_id>/uploads/<uuid:upload_id>/addresses")
@guard(DELIVER)
def sign(request_id: UUID, upload_id: UUID) -> Response:
    """Fresh addresses for parts that are missing; those of an hour ago have run out."""
    upload = _open(request_id, upload_id)
    wanted = _body().get("parts")
    if not isinstance(wanted, list) or not all(isinstance(one, int) for one in wanted):
        raise _unreadable()
    told = _told(uploads.standing(upload, wanted=wanted))
    db().rollback()
    return jsonify(told)


def _open(request_id: UUID, upload_id: UUID) -> Upload:
    upload = uploads.get_upload(db(), request_id, upload_id)
    if upload.state == "started":
        check_open(get_request(db(), request_id).state)
    return upload


@bp.get("/<uuid:request_id>/uploads/<uuid:upload_id>")
@guard(DELIVER)
def parts(request_id: UUID, upload_id: UUID) -> Response:
    """The parts that are here, as S3 lists them: an upload goes on with the others."""
    standing = uploads.standing(_open(request_id, upload_id))
    db().rollback()
    listed = "".join(
        f"<Part><PartNumber>{one.number}</PartNumber><ETag>{one.tag}</ETag>"
        f"<Size>{one.length}</Size></Part>"
        for one in standing.received
    )
    return _xml(f"<ListPartsResult>{listed}</ListPartsResult>")


@bp.post("/<uuid:request_id>/uploads/<uuid:upload_id>")
@guard(DELIVER)
def finish(request_id: UUID, upload_id: UUID) -> Response:
    """All parts were sent: the file is delivered from this moment; its check follows as a job.
    The answer is S3's; what the store holds counts, not what the browser lists."""
    done = completion.complete(db(), request_id, upload_id, actor=actor())
    db().commit()
    if done.spare_key:
        abandoned.remove([done.spare_key])
    place = url_for("material_files.download", request_id=request_id, delivery_id=done.delivery.id)
    return _xml(
        f"<CompleteMultipartUploadResult><Location>{place}</Location><Key>{upload_id}</Key>"
        "</CompleteMultipartUploadResult>"
    )


@bp.delete("/<uuid:request_id>/uploads/<uuid:upload_id>")
@guard(DELIVER)
def cancel(request_id: UUID, upload_id: UUID) -> Response:
    """Give an upload up and remove its parts. What is delivered already stays."""
    try:
        given_up = uploads.cancel(db(), request_id, upload_id, actor=actor())
    except uploads.UploadGone:
        return Response(status=204)
    db().commit()
    if given_up is not None:
        abandoned.forget([given_up])
    return Response(status=204)


@bp.post("/<uuid:request_id>/uploads/complete")
@guard(DELIVER)
def complete(request_id: UUID) -> Response:
    """Deliver many files whose parts were all sent; each answers for itself. Asked again, the
    answer is the same: a lost answer loses nothing."""
    get_request(db(), request_id)
    wanted = _body().get("uploads")
    if not isinstance(wanted, list) or not 0 < len(wanted) <= MOST_AT_ONCE:
        raise _unreadable()
    ids = [_uuid(text) for text in wanted]
    answers, spare = [], []
    outcomes = completion.complete_all(db(), request_id, ids, actor=actor())
    for upload_id, done in zip(ids, outcomes, strict=True):
        answer: dict[str, Any] = {"upload_id": str(upload_id)}
        if isinstance(done, PortalError):
            answers.append({**answer, **_refusal(done)})
            continue
        spare += [done.spare_key] if done.spare_key else []
        answer["delivery_id"] = str(done.delivery.id)
        answer["message"] = str(done.warning) if done.warning else ""
        answers.append(answer)
    db().commit()
    abandoned.remove(spare)
    return jsonify({"files": answers})


def _uuid(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError as error:
        raise _unreadable() from error


def _xml(text: str) -> Response:
    answer = Response(f'<?xml version="1.0" encoding="UTF-8"?>{text}', mimetype="application/xml")
    return answer
