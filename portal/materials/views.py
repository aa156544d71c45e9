"""Pages of one material request: what is wanted, answers, hand-in, decisions (A3, A10)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response

from portal.cases import verify_draw
from portal.files.parts import LEAST_PART
from portal.journal.service import record
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import Conflict, Invalid, NotFound, PortalError
from portal.kernel.settings import settings
from portal.kernel.texts import ngettext
from portal.kernel.web import actor, db, is_htmx
from portal.materials import answers, items, pages, service, uploads
from portal.materials.events import get_request
from portal.materials.forms import AnswerForm, DecideForm, HandInForm
from portal.materials.items import ITEM_FILTERS
from portal.materials.kinds import RequestState
from portal.materials.list_views import WORDS, bp, uuids_of
from portal.materials.models import MaterialRequest
from portal.materials.permissions import DECIDE, DELIVER, HAND_IN, VIEW
from portal.materials.words import (
    REASONS,
)

__all__ = ["bp"]
Answer = str | Response | tuple[str, int]


def _shown() -> str:
    show = request.args.get("show", "all")
    return show if show in ITEM_FILTERS else "all"


def page_of(
    found: MaterialRequest,
    *,
    fragment: bool = False,
    problem: PortalError | None = None,
    answer: AnswerForm | None = None,
    decision: DecideForm | None = None,
    given: Mapping[str, FlaskForm] | None = None,
) -> str:
    """The page of a request, or only its items with the counts. `given`: the other form that was
    posted and refused, by its name (`pages.change_forms`)."""
    person, show = actor(), _shown()
    page = items.list_items(db(), found, show, request.args.get("cursor"))
    first = page.items[0].case_no if page.items else found.number
    shown = pages.request_page(db(), found, first)
    answer = answer or AnswerForm(formdata=None)
    answer.reason.choices = [("", _("Choose …")), *((k, str(v)) for k, v in REASONS.items())]
    decision = decision or DecideForm(formdata=None)
    decision.version.data = str(found.version)
    here = url_for("materials.show", request_id=found.id)
    delivers = person.may(DELIVER) and not person.is_company and shown.open
    args = {"show": show} if show != "all" else {}
    return render_template(
        "materials/_items.html" if fragment else "materials/show.html",
        shown=shown,
        found=found,
        page=page,
        show=show,
        pending=pages.pending(page),
        picked=set(request.values.getlist("item")),
        company=person.is_company,
        may_deliver=delivers,
        may_hand_in=person.may(HAND_IN) and not person.is_company and shown.open,
        may_decide=person.may(DECIDE) and found.state == RequestState.HANDED_IN,
        answer=answer,
        decision=decision,
        hand_in_form=HandInForm(
            formdata=None, version=str(found.version), unusable=str(shown.row.counts.problems)
        ),
        problem=problem,
        extensions=uploads.extensions_of(found),
        max_bytes=settings().max_upload_bytes,
        part_size=LEAST_PART,
        unfinished=uploads.unfinished(db(), found.id) if delivers else (),
        next_url=page.next and f"{here}?{urlencode({**args, 'cursor': page.next})}",
        previous_url=page.previous and f"{here}?{urlencode({**args, 'cursor': page.previous})}",
        items_url=f"{url_for('materials.item_table', request_id=found.id)}?"
        + urlencode({**args, **_cursor()}),
        fragment=fragment,
        **pages.change_forms(db(), shown, person, given or {}),
        **WORDS,
    )


def _cursor() -> dict[str, str]:
    cursor = request.args.get("cursor")
    return {"cursor": cursor} if cursor else {}


@bp.get("/<uuid:request_id>")
@guard(VIEW)
def show(request_id: UUID) -> Answer:
    """One request: its clock first, what is wanted, the desk, the items, the history."""
    return page_of(get_request(db(), request_id))


@bp.get("/<uuid:request_id>/draw-record.json")
@guard(VIEW)
def draw_record(request_id: UUID) -> Answer:
    """What a vendor needs to recompute its own sample offline (A3)."""
    found = get_request(db(), request_id)
    if found.draw_record is None:
        raise NotFound("draw record")
    record(
        db(),
        "materials.request.draw_record_taken",
        ("material_request", found.id),
        actor=actor(),
        data={},
    )
    db().commit()
    answer = make_response(found.draw_record)
    answer.headers["Content-Type"] = "application/json"
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.number}.json"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.get("/verify_draw.py")
@guard(VIEW)
def verifier() -> Answer:
    """The program that recomputes a draw from its record; it needs Python and nothing else."""
    answer = make_response(Path(verify_draw.__file__).read_bytes())
    answer.headers["Content-Type"] = "text/x-python; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="verify_draw.py"'
    return answer


@bp.get("/<uuid:request_id>/items")
@guard(VIEW)
def item_table(request_id: UUID) -> Answer:
    """The items alone, for the page that shows them while files arrive and are checked."""
    found = get_request(db(), request_id)
    if not is_htmx():
        return redirect(url_for("materials.show", request_id=found.id))
    return page_of(found, fragment=True)


def version_of(text: str | None) -> int:
    """A number that a form carries, such as the version it was made for; 0 when it has none."""
    return int(text) if text and text.isdigit() else 0


def back_to(request_id: UUID, anchor: str = "items") -> Response:
    """Back to the request's page, at the part that was worked in."""
    return redirect(url_for("materials.show", request_id=request_id, _anchor=anchor))


@bp.post("/<uuid:request_id>/answer")
@guard(DELIVER)
def answer(request_id: UUID) -> Answer:
    """Items that cannot be provided, with the reason; one or many."""
    found = get_request(db(), request_id)
    form = AnswerForm()
    form.reason.choices = []
    problem: PortalError | None = None
    sent = request.files.get("proof")
    if form.validate_on_submit():
        try:
            done = answers.answer_unavailable(
                db(),
                found.id,
                uuids_of(request.form.getlist("item")),
                reason=form.reason.data or "",
                note=form.note.data or "",
                proof=(sent.filename, sent.stream) if sent and sent.filename else None,
                actor=actor(),
            )
        except (Invalid, Conflict) as error:
            db().rollback()
            problem = error
        else:
            db().commit()
            flash(
                ngettext(
                    "%(count)s item is answered as unavailable.",
                    "%(count)s items are answered as unavailable.",
                    done,
                    count=done,
                ),
                "success",
            )
            return back_to(request_id)
    return page_of(get_request(db(), request_id), problem=problem, answer=form), 422


@bp.post("/<uuid:request_id>/items/<uuid:item_id>/take-back")
@guard(DELIVER)
def take_back(request_id: UUID, item_id: UUID) -> Answer:
    """Take an answer back."""
    answers.take_back(db(), request_id, item_id, actor=actor())
    db().commit()
    flash(_("The answer is taken back; the item is owed again."), "success")
    return back_to(request_id)


@bp.post("/<uuid:request_id>/hand-in")
@guard(HAND_IN)
def hand_in(request_id: UUID) -> Answer:
    """Hand in: the moment that counts, and the receipt."""
    get_request(db(), request_id)
    form = HandInForm()
    if not form.validate_on_submit():
        raise Invalid(_("The form is incomplete."), _("Reload the page and try again."))
    try:
        made = answers.hand_in(
            db(),
            request_id,
            seen_version=version_of(form.version.data),
            seen_unusable=version_of(form.unusable.data),
            actor=actor(),
        )
    except Conflict as error:
        db().rollback()
        flash(f"{error.message} {error.mend}", "warning")
        return back_to(request_id, "hand-in")
    db().commit()
    flash(
        _("Handed in at %(at)s.", at=f"{clock.beijing(made.at):%Y-%m-%d %H:%M:%S}"),
        "success",
    )
    return back_to(request_id, "hand-in")


@bp.post("/<uuid:request_id>/decide")
@guard(DECIDE)
def decide(request_id: UUID) -> Answer:
    """Accept or return the items ticked."""
    found = get_request(db(), request_id)
    form = DecideForm()
    problem: PortalError | None = None
    accept = request.form.get("decision") == "accept"
    if form.validate_on_submit():
        try:
            done = service.decide(
                db(),
                found.id,
                uuids_of(request.form.getlist("item")),
                accept=accept,
                note=form.note.data or "",
                seen_version=version_of(form.version.data),
                actor=actor(),
            )
        except (Invalid, Conflict) as error:
            db().rollback()
            problem = error
        else:
            db().commit()
            told = ngettext(
                "%(count)s item accepted.", "%(count)s items accepted.", done, count=done
            )
            if not accept:
                told = ngettext(
                    "%(count)s item returned; the vendor is told.",
                    "%(count)s items returned; the vendor is told.",
                    done,
                    count=done,
                )
            flash(told, "success")
            return back_to(request_id)
    return page_of(get_request(db(), request_id), problem=problem, decision=form), 422


def _menu() -> None:
    """Mark the pages that belong to the menu's entry."""
    views: tuple[Any, ...] = (show, item_table, answer, decide, take_back, hand_in)
    for view in views:
        view.menu = "materials.index"


_menu()
