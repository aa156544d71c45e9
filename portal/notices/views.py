"""Issued papers: the list, one paper with its way, its PDF, and the public verification."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import gettext as _

from portal.files.service import get_file
from portal.files.web import send
from portal.kernel.access import guard, open_to_all
from portal.kernel.errors import Conflict
from portal.kernel.web import actor, db
from portal.notices import queries, service
from portal.notices.labels import TITLES, title_of
from portal.notices.permissions import VIEW

bp = Blueprint("notices", __name__)


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
    """One paper: what it is, to whom it went, when each opened it, and how to check it."""
    document = queries.get_document(db(), document_id)
    service.opened(db(), document, actor=actor())
    db().commit()
    return render_template(
        "papers/show.html",
        document=document,
        recipients=queries.recipients_of(db(), document_id),
        verify_url=service.verify_address(document.verify_code),
        kind=title_of(document.template),
    )


@bp.get("/papers/<uuid:document_id>/pdf")
@guard(VIEW)
def pdf(document_id: UUID) -> Response:
    """The paper's PDF."""
    document = queries.get_document(db(), document_id)
    if document.file_id is None:
        raise Conflict(_("The PDF of this paper is being made."), _("Try again in a few seconds."))
    row = get_file(db(), document.file_id)
    service.opened(db(), document, actor=actor())
    db().commit()
    return send(row)


@bp.get("/verify/<code>")
@open_to_all("whoever holds a paper may check its code; it answers genuine or unknown, no more")
def verify(code: str) -> tuple[str, int]:
    """Whether a paper with this code was issued, and the hash of its PDF."""
    found = service.verify(current_app.extensions["database"], code)
    return render_template("papers/verify.html", found=found), 200 if found else 404


show.menu = index.menu = "notices.index"  # type: ignore[attr-defined]
