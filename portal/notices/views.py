"""Issued papers: the list, one paper with its way, its PDF, and the public verification."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files.service import get_file
from portal.files.web import send
from portal.kernel.access import guard, open_to_all
from portal.kernel.errors import Conflict, Invalid, PortalError
from portal.kernel.web import actor, db
from portal.notices import cards, losses, queries, receipts, service, timeline
from portal.notices.labels import CHOICES, TITLES, events_of, title_of
from portal.notices.models import Document
from portal.notices.permissions import ACKNOWLEDGE, VIEW
from portal.notices.rules import Choice

bp = Blueprint("notices", __name__)
Answer = str | Response | tuple[str, int]


@bp.get("/papers")
@guard(VIEW)
def index() -> str:
    """All papers that the reader may see, newest first."""
    template = request.args.get("kind", "")
    page = queries.list_documents(
        db(),
        template=template if template in TITLES else None,
        search=request.args.get("q", "").strip()[:40],
        cursor=request.args.get("cursor"),
    )
    return render_template(
        "papers/index.html",
        page=page,
        kinds=[(key, str(name)) for key, name in TITLES.items()],
        title_of=title_of,
        is_company=actor().is_company,
    )


@bp.get("/papers/<uuid:document_id>")
@guard(VIEW)
def show(document_id: UUID) -> str:
    """One paper: what it is, its way, its file's revisions, and how to check it."""
    document = queries.get_document(db(), document_id)
    service.opened(db(), document, actor=actor())
    db().commit()
    return _page(document)


def _page(document: Document, problem: PortalError | None = None) -> str:
    seal = queries.seal_of(db(), document.id)
    return render_template(
        "papers/show.html",
        document=document,
        kind=title_of(document.template),
        may_open_file=cards.may_open_file(db(), document, actor()),
        whole=cards.prints_whole(document),
        events=events_of(timeline.timeline_of(db(), document)),
        recipients=queries.recipients_of(db(), document.id),
        revisions=queries.revisions_of(db(), document.id),
        scans=receipts.scans_of(db(), document),
        losses=losses.losses_of(db(), document),
        seal=seal,
        waits_for_seal=document.seal_wanted and seal is None and document.file_id is None,
        forerunner=queries.find_document(db(), document.supersedes_id),
        successor=receipts.successor_of(db(), document),
        verify_url=service.verify_address(document.verify_code),
        may_acknowledge=actor().may(ACKNOWLEDGE)
        and receipts.may_acknowledge(db(), document, actor()),
        may_scan=actor().may(ACKNOWLEDGE) and not actor().is_company,
        choices=[(choice.value, str(name)) for choice, name in CHOICES.items()],
        problem=problem,
    )


@bp.post("/papers/<uuid:document_id>/acknowledge")
@guard(ACKNOWLEDGE)
def acknowledge(document_id: UUID) -> Answer:
    """签收: receipt with or without an appeal to follow; a job seals it into the file."""
    document = queries.get_document(db(), document_id)
    if request.form.get("choice", "") not in tuple(Choice):
        problem = Invalid(_("Choose how you acknowledge the paper."))
        return _page(document, problem), problem.status
    try:
        receipts.acknowledge(
            db(),
            document,
            Choice(request.form["choice"]),
            request.form.get("note", ""),
            actor=actor(),
        )
    except PortalError as error:
        db().rollback()
        return _page(queries.get_document(db(), document_id), error), error.status
    db().commit()
    flash(_("The receipt is acknowledged; it is sealed into the PDF within seconds."), "success")
    return redirect(url_for("notices.show", document_id=document_id))


@bp.post("/papers/<uuid:document_id>/scans")
@guard(ACKNOWLEDGE)
def add_scan(document_id: UUID) -> Answer:
    """Add the scan of a stamped print beside the original."""
    document = queries.get_document(db(), document_id)
    sent = request.files.get("scan")
    if sent is None or not sent.filename:
        problem = Invalid(_("No file was chosen."))
        return _page(document, problem), problem.status
    try:
        receipts.add_scan(
            db(),
            document,
            sent.filename,
            sent.stream,
            note=request.form.get("note", ""),
            actor=actor(),
        )
    except PortalError as error:
        db().rollback()
        return _page(queries.get_document(db(), document_id), error), error.status
    db().commit()
    flash(_("The scan is kept beside the original."), "success")
    return redirect(url_for("notices.show", document_id=document_id))


@bp.get("/papers/<uuid:document_id>/scans/<uuid:scan_id>")
@guard(VIEW)
def scan(document_id: UUID, scan_id: UUID) -> Response:
    """A scan's file."""
    document = queries.get_document(db(), document_id)
    cards.note_file(db(), document, actor=actor())
    row = get_file(db(), receipts.get_scan(db(), document, scan_id).file_id)
    db().commit()
    return send(row)


@bp.get("/papers/<uuid:document_id>/pdf")
@guard(VIEW)
def pdf(document_id: UUID) -> Response:
    """The paper's PDF: the newest revision, or the one that `revision` names."""
    document = queries.get_document(db(), document_id)
    if document.file_id is None:
        raise Conflict(_("The PDF of this paper is being made."), _("Try again in a few seconds."))
    cards.note_file(db(), document, actor=actor())
    wanted = request.args.get("revision", type=int)
    revision = queries.get_revision(db(), document.id, wanted)
    row = get_file(db(), revision.file_id)
    service.opened(db(), document, actor=actor())
    db().commit()
    return send(row)


@bp.get("/verify/<code>")
@open_to_all("whoever holds a paper may check its code; it tells of that paper, and of no person")
def verify(code: str) -> tuple[str, int]:
    """Whether a paper with this code was issued, what became of it, and its hashes.

    `sha256` in the query is the hash of a file in the reader's hands: whether it is ours.
    """
    found = service.verify(current_app.extensions["database"], code)
    asked = request.args.get("sha256", "").strip()[:128]
    return render_template(
        "papers/verify.html", found=found, code=code[:40], asked=asked
    ), 200 if found else 404


show.menu = index.menu = "notices.index"  # type: ignore[attr-defined]
