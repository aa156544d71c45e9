"""Pages of the company's seals: uses to decide, pictures, which papers bear one; languages."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.files import pictures
from portal.kernel.access import guard
from portal.kernel.errors import Invalid, NotFound, PortalError
from portal.kernel.web import actor, db
from portal.notices import seal_queries, seals
from portal.notices.labels import LANGUAGE_NAMES, TITLES, USE_STATES, title_of
from portal.notices.permissions import GRANT_SEALS, MANAGE_SEALS, SEE_SEALS

bp = Blueprint("seals", __name__, url_prefix="/seals")
Answer = str | Response | tuple[str, int]


@bp.get("")
@guard(SEE_SEALS)
def index() -> Answer:
    """What is asked and was decided, the seals, and the rules of papers."""
    return _page()


def _page(problem: PortalError | None = None) -> str:
    page = seal_queries.decided_uses(db(), request.args.get("cursor"))
    return render_template(
        "papers/seals.html",
        uses=[*seal_queries.open_uses(db()), *page.items],
        page=page,
        seals=seals.list_seals(db()),
        rules=seals.rules(db()),
        kinds=[(key, str(name)) for key, name in TITLES.items()],
        vendors=seals.languages(db()),
        languages=LANGUAGE_NAMES,
        states=USE_STATES,
        title_of=title_of,
        me=actor().account_id,
        may_grant=actor().may(GRANT_SEALS),
        may_manage=actor().may(MANAGE_SEALS),
        problem=problem,
    )


def _done(act: Callable[[], object], told: str) -> Answer:
    """Do it, commit, and come back to the page; a refusal is told on it."""
    try:
        act()
    except NotFound:
        raise
    except PortalError as error:
        db().rollback()
        return _page(error), error.status
    db().commit()
    flash(told, "success")
    return redirect(url_for("seals.index"))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound("seal") from None


@bp.post("/pictures")
@guard(MANAGE_SEALS)
def add_picture() -> Answer:
    """Add a picture to a seal, or a seal with its first."""
    sent = request.files.get("picture")

    def add() -> None:
        if sent is None or not sent.filename:
            raise Invalid(_("No file was chosen."))
        picture = pictures.clean(sent.stream.read(pictures.MOST_BYTES + 1))
        seals.add_picture(db(), request.form.get("name", ""), picture, actor=actor())

    return _done(add, _("The picture is added; papers bear it from now on."))


@bp.get("/<uuid:seal_id>/picture")
@guard(SEE_SEALS)
def picture(seal_id: UUID) -> Response:
    """The newest picture of a seal, as a download."""
    version = seals.get_picture(db(), seal_id, actor=actor())
    png = version.picture.startswith(pictures.PNG_MAGIC)
    answer = make_response(version.picture)
    answer.headers["Content-Type"] = "image/png" if png else "image/svg+xml"
    ending = "png" if png else "svg"
    answer.headers["Content-Disposition"] = f'attachment; filename="seal.{ending}"'
    answer.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.post("/rules")
@guard(MANAGE_SEALS)
def set_rule() -> Answer:
    """Say which seal the papers of a kind bear."""
    template, seal_id = request.form.get("template", ""), _uuid(request.form.get("seal", ""))
    return _done(
        lambda: seals.set_rule(db(), template, seal_id, actor=actor()),
        _("The rule is set; it holds for papers issued from now on."),
    )


@bp.post("/languages")
@guard(MANAGE_SEALS)
def set_language() -> Answer:
    """Choose the language of a vendor's papers."""
    vendor = _uuid(request.form.get("vendor", ""))
    if vendor is None:
        raise NotFound("vendor")
    return _done(
        lambda: seals.set_language(db(), vendor, request.form.get("locale", ""), actor=actor()),
        _("The language is set; it holds for papers issued from now on."),
    )


@bp.post("/uses/<uuid:use_id>/grant")
@guard(GRANT_SEALS)
def grant(use_id: UUID) -> Answer:
    """Grant a use that somebody else asked for."""
    return _done(
        lambda: seals.grant(db(), use_id, actor=actor()),
        _("The seal is granted; the PDF is made now."),
    )


@bp.post("/uses/<uuid:use_id>/refuse")
@guard(GRANT_SEALS)
def refuse(use_id: UUID) -> Answer:
    """Refuse a use with a reason; the paper goes out without the seal."""
    return _done(
        lambda: seals.refuse(db(), use_id, request.form.get("reason", ""), actor=actor()),
        _("The seal is refused; the paper goes out without it."),
    )
