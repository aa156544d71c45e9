"""The page of a sitting: form by form, each clip beside its clause, signed together (A5, A6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.assessments import hearing, sitting
from portal.audits.assessments.queries import get_form
from portal.audits.assessments.service import Incomplete
from portal.audits.assessments.sitting import Refused
from portal.audits.permissions import CONFIRM_FORM
from portal.audits.reviews import blind
from portal.audits.words import LEVELS
from portal.files.web import send
from portal.journal.service import record
from portal.kernel.access import guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.web import actor, db, is_htmx
from portal.materials.served import get_served

bp = Blueprint("sitting", __name__, url_prefix="/assessments/signing")
Answer = str | Response | tuple[str, int]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


@bp.get("")
@guard(CONFIRM_FORM)
def show() -> Answer:
    """The forms that wait for this audit head, or the one asked for."""
    return _page()


def _page(refused: Sequence[Refused] = (), problem: PortalError | None = None) -> str:
    waiting = sitting.waiting(db(), actor().account_id, _uuid(request.args.get("form", "")))
    closed = blind.closed_forms(db(), actor())
    held = [one for one in waiting if one.form.id in closed]
    waiting = [one for one in waiting if one.form.id not in closed]
    return render_template(
        "audits/assessments/sitting.html",
        waiting=waiting,
        held=held,
        refused=[
            (one, one.error.problems if isinstance(one.error, Incomplete) else ())
            for one in refused
        ],
        problem=problem,
        levels=LEVELS,
        heard=hearing.heard_by(db(), [one.form for one in waiting], actor().account_id),
        most=sitting.MOST,
    )


@bp.get("/<uuid:form_id>/clips/<uuid:finding_id>")
@guard(CONFIRM_FORM)
def clip(form_id: UUID, finding_id: UUID) -> Response:
    """The recording of a clip, to whoever is to sign the form: its sending is put on record."""
    form = get_form(db(), form_id)
    row = hearing.get_clip(db(), form, finding_id)
    if row.finding.delivery_id is None:
        raise NotFound("clip of a form to sign")
    served = get_served(db(), row.finding.request_id, row.finding.delivery_id)
    asked = request.headers.get("Range", "")
    if request.method == "GET" and (not asked or asked.startswith("bytes=0-")):
        hearing.note_sent(db(), form, row, actor=actor())
        record(
            db(),
            "materials.recording.opened",
            ("delivery", served.id),
            actor=actor(),
            tenant_id=served.tenant_id,
            data={"request": str(served.request_id), "sha256": served.sha256},
        )
        db().commit()
    return send(served.copy or served.file, inline=True)


@bp.post("/<uuid:form_id>/clips/<uuid:finding_id>")
@guard(CONFIRM_FORM)
def heard(form_id: UUID, finding_id: UUID) -> Answer:
    """A clip was heard to its end."""
    form = get_form(db(), form_id)
    row = hearing.get_clip(db(), form, finding_id)
    problem: PortalError | None = None
    try:
        hearing.note_heard(db(), form, row, actor=actor())
        db().commit()
    except PortalError as error:
        db().rollback()
        problem = error
    if is_htmx():
        return _state(form_id, finding_id, problem)
    if problem is not None:
        flash(f"{problem.message} {problem.mend}", "warning")
    return redirect(url_for("sitting.show", form=form_id, _anchor=f"finding-{finding_id}"))


def _state(form_id: UUID, finding_id: UUID, problem: PortalError | None) -> Answer:
    form = get_form(db(), form_id)
    at: datetime | None = hearing.heard_by(db(), [form], actor().account_id).get(finding_id)
    body = render_template(
        "audits/assessments/_heard.html",
        form_id=form_id,
        finding_id=finding_id,
        at=at,
        problem=problem,
    )
    return body, 200 if problem is None else 422


@bp.post("")
@guard(CONFIRM_FORM)
def sign() -> Answer:
    """Sign the chosen forms together."""
    chosen = [found for text in request.form.getlist("form") if (found := _uuid(text))]
    versions = {key: request.form.get(f"version-{key}", "") for key in chosen}
    try:
        numbers, refused = sitting.sign(db(), versions, actor=actor())
    except PortalError as error:
        db().rollback()
        return _page(problem=error), error.status
    db().commit()
    if numbers:
        flash(_("Signed and issued: %(numbers)s.", numbers="、".join(numbers)), "success")
    if refused:
        return _page(refused), 409
    return redirect(url_for("sitting.show"))


show.menu = heard.menu = sign.menu = "assessments.index"  # type: ignore[attr-defined]
