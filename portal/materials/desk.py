"""What the upload desk talks to: match, start, bytes, complete (JSON; UX 2, 5, 6)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, jsonify, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files.service import storage
from portal.files.storage import LengthMismatch
from portal.kernel.access import guard
from portal.kernel.errors import Invalid, NotFound, PortalError
from portal.kernel.web import actor, db
from portal.materials import completion, manifest, matching, uploads
from portal.materials.events import get_request
from portal.materials.matching import MOST_NAMES, Dropped
from portal.materials.permissions import DELIVER
from portal.materials.rules import check_open

bp = Blueprint("material_uploads", __name__, url_prefix="/requests")
_MOST_LISTED = 5_000


def _body() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise _unreadable()
    return body


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
    """Begin an upload; the same file for the same item meets the one that is open."""
    found = get_request(db(), request_id)
    body = _body()
    name, size = str(body.get("name") or ""), body.get("size")
    if not name or not isinstance(size, int):
        raise _unreadable()
    try:
        item_id = UUID(str(body.get("item_id")))
    except ValueError as error:
        raise NotFound("request item") from error
    path = str(body.get("path") or name)[-4_096:]
    hint = manifest.hint_of(body.get("hint"))
    announced = uploads.Announced(name, size, matching.how_of(db(), found, path, item_id, hint))
    upload = uploads.start(db(), found.id, item_id, announced, actor=actor())
    db().commit()
    put_url = url_for("material_uploads.put", request_id=found.id, upload_id=upload.id)
    return jsonify(
        {
            "upload_id": str(upload.id),
            "put_url": put_url,
            "complete_url": f"{put_url}/complete",
            # A neutral type, so that no form parser ever reads the body into memory.
            "headers": {"Content-Type": "application/octet-stream"},
        }
    )


@bp.put("/<uuid:request_id>/uploads/<uuid:upload_id>")
@guard(DELIVER)
def put(request_id: UUID, upload_id: UUID) -> Response:
    """The bytes, streamed to the store. No database connection is held while they flow."""
    place = uploads.make_place(db(), request_id, upload_id)
    if place is None:
        db().rollback()
        return jsonify({"stored": True})
    if request.content_length != place.length:
        db().rollback()
        raise Invalid(
            _(
                "%(said)s bytes were announced, but %(sent)s are sent.",
                said=place.length,
                sent=request.content_length or 0,
            ),
            _("The file changed meanwhile. Choose it again."),
        )
    db().commit()
    if place.before:
        uploads.remove([place.before])
    try:
        stored = storage().put(place.key, request.stream, length=place.length)
    except LengthMismatch as error:
        raise Invalid(
            _("The file broke off on its way; nothing of it was kept."), _("Send it again.")
        ) from error
    try:
        uploads.take_bytes(db(), request_id, upload_id, place, stored)
    except PortalError:
        db().rollback()
        uploads.remove([place.key])
        raise
    db().commit()
    return jsonify({"stored": True, "size": stored.size, "sha256": stored.sha256})


@bp.post("/<uuid:request_id>/uploads/<uuid:upload_id>/complete")
@guard(DELIVER)
def complete(request_id: UUID, upload_id: UUID) -> Response:
    """The file is delivered from this moment; its check follows as a job."""
    done = completion.complete(db(), request_id, upload_id, actor=actor())
    db().commit()
    if done.spare_key:
        uploads.remove([done.spare_key])
    message = str(done.warning) if done.warning else ""
    return jsonify({"delivery_id": str(done.delivery.id), "message": message})
