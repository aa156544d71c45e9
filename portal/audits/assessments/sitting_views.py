"""The page of a sitting: form by form, each clip beside its clause, signed together (A5, A6)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.assessments import sitting
from portal.audits.assessments.service import Incomplete
from portal.audits.assessments.sitting import Refused
from portal.audits.permissions import CONFIRM_FORM
from portal.audits.words import LEVELS
from portal.kernel.access import guard
from portal.kernel.errors import PortalError
from portal.kernel.web import actor, db

bp = Blueprint("sitting", __name__, url_prefix="/assessments/signing")
Answer = str | Response | tuple[str, int]


@bp.get("")
@guard(CONFIRM_FORM)
def show() -> Answer:
    """The forms that wait for this audit head."""
    return _page()


def _page(refused: Sequence[Refused] = (), problem: PortalError | None = None) -> str:
    return render_template(
        "audits/assessments/sitting.html",
        waiting=sitting.waiting(db(), actor().account_id),
        refused=[
            (one, one.error.problems if isinstance(one.error, Incomplete) else ())
            for one in refused
        ],
        problem=problem,
        levels=LEVELS,
        heard=set(_ids("heard")),
        most=sitting.MOST,
    )


def _ids(name: str) -> list[UUID]:
    found = []
    for text in request.form.getlist(name):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


@bp.post("")
@guard(CONFIRM_FORM)
def sign() -> Answer:
    """Sign the chosen forms together."""
    versions = {key: request.form.get(f"version-{key}", "") for key in _ids("form")}
    try:
        numbers, refused = sitting.sign(db(), versions, _ids("heard"), actor=actor())
    except PortalError as error:
        db().rollback()
        return _page(problem=error), error.status
    db().commit()
    if numbers:
        flash(_("Signed and issued: %(numbers)s.", numbers="、".join(numbers)), "success")
    if refused:
        return _page(refused), 409
    return redirect(url_for("sitting.show"))


show.menu = sign.menu = "assessments.index"  # type: ignore[attr-defined]
