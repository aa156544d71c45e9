"""Rules and schemes: what is in force, its history, and the next version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.kernel import clock
from portal.kernel.access import guard, signed_in
from portal.kernel.errors import Invalid, NotFound
from portal.kernel.web import actor, db
from portal.schemes import service, tree
from portal.schemes.forms import VersionForm
from portal.schemes.labels import label
from portal.schemes.permissions import EDIT
from portal.schemes.service import KINDS, SchemeKind

bp = Blueprint("schemes", __name__)
Answer = str | Response | tuple[str, int]


def _visible() -> list[SchemeKind]:
    """A vendor sees what is published to all; the company's own stays the company's."""
    return [kind for kind in KINDS.values() if kind.published or actor().is_company]


def _get(key: str) -> SchemeKind:
    kind = next((kind for kind in _visible() if kind.key == key), None)
    if kind is None:
        raise NotFound("scheme")
    return kind


@bp.get("/schemes")
@signed_in
def index() -> str:
    """The schemes with the version in force today."""
    today = clock.today()
    entries = [(kind, service.in_force(db(), kind, today)) for kind in _visible()]
    return render_template("schemes/index.html", entries=entries)


@bp.get("/schemes/<key>")
@signed_in
def show(key: str) -> str:
    """The version in force (or a chosen one) in full, and the history."""
    kind = _get(key)
    history = service.history(db(), kind)
    current = service.in_force(db(), kind, clock.today())
    wanted = request.args.get("version", "")
    shown = next((v for v in history if str(v.version) == wanted), current)
    return render_template(
        "schemes/show.html",
        label=label,
        kind=kind,
        history=history,
        current=current,
        shown=shown,
        root=tree.sections(shown.content),
        may_edit=actor().may(EDIT),
    )


@bp.route("/schemes/<key>/edit", methods=["GET", "POST"])
@guard(EDIT)
def edit(key: str) -> Answer:
    """Make the next version: the newest one's values as fields."""
    kind = _get(key)
    newest = service.history(db(), kind)[0]
    form = VersionForm()
    if request.method == "GET":
        form.in_force_from.data = clock.today()
        form.seen_version.data = str(newest.version)
        return _edit_page(kind, newest.content, form, None)
    content = tree.merged(newest.content, request.form)
    if not form.validate_on_submit() or form.in_force_from.data is None:
        return _edit_page(kind, content, form, None, 422)
    seen = form.seen_version.data or ""
    try:
        service.publish(
            db(),
            kind,
            content,
            in_force_from=form.in_force_from.data,
            reason=form.reason.data or "",
            seen_version=int(seen) if seen.isdigit() else -1,
            actor=actor(),
        )
    except Invalid as problem:
        return _edit_page(kind, content, form, problem, 422)
    db().commit()
    flash(_("The new version is published."), "success")
    return redirect(url_for("schemes.show", key=key))


def _edit_page(
    kind: SchemeKind,
    content: Mapping[str, Any],
    form: VersionForm,
    problem: Invalid | None,
    status: int = 200,
) -> Answer:
    return (
        render_template(
            "schemes/edit.html",
            kind=kind,
            root=tree.sections(content),
            form=form,
            problem=problem,
            label=label,
        ),
        status,
    )


show.menu = edit.menu = "schemes.index"  # type: ignore[attr-defined]
