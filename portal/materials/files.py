"""Delivered files: download, listening, wave forms, replacing a wrong one."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.files.service import storage
from portal.files.web import send
from portal.journal.service import record
from portal.kernel.access import guard
from portal.kernel.errors import Conflict, Invalid, NotFound
from portal.kernel.web import actor, db
from portal.materials import abandoned, completion, delivered, uploads
from portal.materials.events import get_request
from portal.materials.pages import problems_of, remarks_of
from portal.materials.permissions import DELIVER, VIEW
from portal.materials.proofs import get_proof
from portal.materials.served import Served, get_served
from portal.materials.words import KINDS

bp = Blueprint("material_files", __name__, url_prefix="/requests/<uuid:request_id>/files")


def _note(action: str, delivery: Served) -> None:
    """Journal who listened or downloaded (C4.1): once an opening, not once a range."""
    asked = request.headers.get("Range", "")
    if request.method == "GET" and (not asked or asked.startswith("bytes=0-")):
        record(
            db(),
            action,
            ("delivery", delivery.id),
            actor=actor(),
            tenant_id=delivery.tenant_id,
            data={"request": str(delivery.request_id), "sha256": delivery.sha256},
        )
        db().commit()


@bp.get("/<uuid:delivery_id>")
@guard(VIEW)
def download(request_id: UUID, delivery_id: UUID) -> Response:
    """The file as it was delivered."""
    delivery = get_served(db(), request_id, delivery_id)
    _note("materials.file.downloaded", delivery)
    return send(delivery.file)


@bp.get("/<uuid:delivery_id>/audio")
@guard(VIEW)
def audio(request_id: UUID, delivery_id: UUID) -> Response:
    """The sound for the player: the file itself, or its copy in a codec that browsers know."""
    delivery = get_served(db(), request_id, delivery_id)
    if not delivery.is_recording:
        raise NotFound("recording")
    _note("materials.recording.opened", delivery)
    return send(delivery.copy or delivery.file, inline=True)


@bp.get("/<uuid:delivery_id>/image")
@guard(VIEW)
def image(request_id: UUID, delivery_id: UUID) -> Response:
    """A delivered picture as the portal re-encoded it: what is safe to show in a page."""
    delivery = get_served(db(), request_id, delivery_id)
    if delivery.is_recording or delivery.copy is None:
        raise NotFound("picture")
    _note("materials.picture.opened", delivery)
    return send(delivery.copy, inline=True)


@bp.get("/proof/<uuid:item_id>")
@guard(VIEW)
def proof(request_id: UUID, item_id: UUID) -> Response:
    """What the vendor gave to prove that an item cannot be provided."""
    return send(get_proof(db(), request_id, item_id))


@bp.get("/<uuid:delivery_id>/peaks")
@guard(VIEW)
def peaks(request_id: UUID, delivery_id: UUID) -> Response:
    """The wave form for the player: {"duration": seconds, "peaks": …}."""
    delivery, _file = delivered.get_delivery(db(), request_id, delivery_id)
    if delivery.peaks_key is None:
        raise NotFound("peaks")
    seconds = float(delivery.check_result.get("facts", {}).get("duration", 0))
    with storage().open(delivery.peaks_key) as stream:
        stored = stream.read()
    body = b'{"duration":%.3f,' % seconds + stored[1:]
    return Response(body, mimetype="application/json")


@bp.get("/<uuid:delivery_id>/listen")
@guard(VIEW)
def listen(request_id: UUID, delivery_id: UUID) -> str:
    """A recording's own page: player, what it is, what its check found."""
    found = get_request(db(), request_id)
    delivery, _file = delivered.get_delivery(db(), request_id, delivery_id)
    row = delivered.file_row(db(), delivery.id)
    if not row.has_peaks:
        raise NotFound("recording")
    return render_template(
        "materials/listen.html",
        found=found,
        file=row,
        item=delivered.item_of(db(), delivery),
        facts=delivery.check_result.get("facts", {}),
        copy=delivery.playable_id is not None,
        problems=problems_of(row),
        remarks=remarks_of(row),
        compared=delivery.check_result.get("sound_compared", False),
        kind_names=KINDS,
    )


@bp.post("/<uuid:delivery_id>/replace")
@guard(DELIVER)
def replace(request_id: UUID, delivery_id: UUID) -> AnyResponse:
    """Put another file in the place of a delivered one; the old version is kept."""
    delivery, _file = delivered.get_delivery(db(), request_id, delivery_id)
    sent = request.files.get("file")
    back = url_for("materials.show", request_id=request_id, _anchor="items")
    if sent is None or not sent.filename:
        flash(_("No file was chosen. Choose the file that is to take its place."), "warning")
        return redirect(back)
    sent.stream.seek(0, 2)
    announced = uploads.Announced(sent.filename, sent.stream.tell())
    sent.stream.seek(0)
    try:
        upload = uploads.start(
            db(), request_id, delivery.item_id, announced, replaces_id=delivery.id, actor=actor()
        )
    except (Invalid, Conflict) as error:
        db().rollback()
        flash(f"{error.message} {error.mend}", "warning")
        return redirect(back)
    upload_id, key, reference = upload.id, upload.storage_key or "", upload.store_reference
    db().commit()
    stored = storage().put(key, sent.stream, length=announced.size)
    storage().abort(key, reference)
    done = completion.complete(db(), request_id, upload_id, stored=stored, actor=actor())
    db().commit()
    if done.spare_key:
        abandoned.remove([done.spare_key])
    if done.warning:
        flash(str(done.warning), "warning")
    else:
        flash(_("The file is replaced; the old version is kept."), "success")
    return redirect(back)


def _menu() -> None:
    """The recording's page belongs to the menu's entry of requests."""
    listen.menu = "materials.index"  # type: ignore[attr-defined]


_menu()
