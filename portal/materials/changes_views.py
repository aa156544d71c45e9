"""What changes a request after its issue: extensions, cancelling, replacing (A3, A10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, request
from flask_babel import gettext as _
from flask_wtf import FlaskForm

from portal.deadlines.forms import AskForm, ExtensionForm
from portal.kernel.access import guard
from portal.kernel.errors import Conflict, Invalid
from portal.kernel.phrases import When
from portal.kernel.texts import ngettext
from portal.kernel.web import actor, db
from portal.materials import changes, extensions
from portal.materials.events import get_request
from portal.materials.forms import CancelForm, DecideForm, SubstituteForm
from portal.materials.list_views import uuids_of
from portal.materials.permissions import ASK, CHANGE
from portal.materials.views import Answer, back_to, page_of, version_of

bp = Blueprint("material_changes", __name__, url_prefix="/requests")


def _step(
    request_id: UUID, name: str, form: FlaskForm, act: Callable[[], str], anchor: str
) -> Answer:
    """Run a step of a valid form and go back; else the page again with what is wrong and all
    that was typed (UX 4)."""
    get_request(db(), request_id)
    problem = None
    if form.validate_on_submit():
        try:
            told = act()
        except (Invalid, Conflict) as error:
            db().rollback()
            problem = error
        else:
            db().commit()
            flash(told, "success")
            return back_to(request_id, anchor)
    found = get_request(db(), request_id)
    decision = form if isinstance(form, DecideForm) else None
    return page_of(found, problem=problem, decision=decision, given={name: form}), 422


@bp.post("/<uuid:request_id>/extensions")
@guard(ASK)
def ask(request_id: UUID) -> Answer:
    """Ask for more time, before the clock runs out."""
    form = AskForm(prefix="ask-")

    def act() -> str:
        extensions.ask(
            db(),
            request_id,
            wanted=form.wanted.data,
            reason=form.reason.data or "",
            actor=actor(),
        )
        return str(_("The extension is asked for. Until it is decided, the deadline stays."))

    return _step(request_id, "ask", form, act, "extension")


@bp.post("/<uuid:request_id>/extensions/<uuid:extension_id>")
@guard(CHANGE)
def decide_extension(request_id: UUID, extension_id: UUID) -> Answer:
    """Grant or refuse an extension."""
    form = ExtensionForm(prefix="extension-")
    granting = request.form.get("decision") == "grant"

    def act() -> str:
        if granting:
            made = extensions.grant(
                db(),
                request_id,
                extension_id,
                until=form.until.data,
                note=form.note.data or "",
                actor=actor(),
            )
            due = When(made.new_due_at or made.old_due_at)
            return str(_("The extension is granted: due %(due)s.", due=due))
        extensions.refuse(db(), request_id, extension_id, note=form.note.data or "", actor=actor())
        return str(_("The extension is refused; the vendor is told."))

    return _step(request_id, "extension", form, act, "extension")


@bp.post("/<uuid:request_id>/cancel")
@guard(CHANGE)
def cancel(request_id: UUID) -> Answer:
    """Take the whole request back."""
    form = CancelForm(prefix="cancel-")

    def act() -> str:
        changes.cancel_request(
            db(),
            request_id,
            reason=form.reason.data or "",
            seen_version=version_of(form.version.data),
            actor=actor(),
        )
        return str(_("The request is cancelled; the vendor is told."))

    return _step(request_id, "cancel", form, act, "main")


@bp.post("/<uuid:request_id>/items/cancel")
@guard(CHANGE)
def cancel_items(request_id: UUID) -> Answer:
    """Take the ticked items back."""
    form = DecideForm()

    def act() -> str:
        count = changes.cancel_items(
            db(),
            request_id,
            uuids_of(request.form.getlist("item")),
            reason=form.note.data or "",
            seen_version=version_of(form.version.data),
            actor=actor(),
        )
        return str(
            ngettext(
                "%(count)s item cancelled; the vendor is told.",
                "%(count)s items cancelled; the vendor is told.",
                count,
                count=count,
            )
        )

    return _step(request_id, "decision", form, act, "items")


@bp.post("/<uuid:request_id>/substitute")
@guard(CHANGE)
def substitute(request_id: UUID) -> Answer:
    """Put another case in a case's place (a call-up)."""
    form = SubstituteForm(prefix="substitute-")

    def act() -> str:
        changes.substitute_by_number(
            db(),
            request_id,
            case_no=form.case_no.data or "",
            by_case_no=form.by_case_no.data or "",
            reason=form.reason.data or "",
            seen_version=version_of(form.version.data),
            actor=actor(),
        )
        return str(_("The case is replaced; the vendor is told."))

    return _step(request_id, "substitute", form, act, "items")


_VIEWS: tuple[Any, ...] = (ask, decide_extension, cancel, cancel_items, substitute)
for _view in _VIEWS:
    _view.menu = "materials.index"
