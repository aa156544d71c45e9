"""The vendor's pages of its checks of facts: the list, one check, its answer."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.permissions import ANSWER_FACTS, REVIEW, SEE_FACTS
from portal.audits.reviews import blind, facts
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.queries import get_review
from portal.audits.reviews.stages import CLOCK
from portal.audits.reviews.views import show_page
from portal.audits.words import CHECK_STATES
from portal.calendar.service import load as load_calendar
from portal.deadlines.forms import AskForm, ExtensionForm
from portal.deadlines.pages import extension_box
from portal.deadlines.queries import clock_of, clock_view
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import PortalError
from portal.kernel.web import actor, check_version, db

bp = Blueprint("fact_checks", __name__, url_prefix="/fact-checks")
Answer = str | Response | tuple[str, int]


@bp.get("/")
@guard(SEE_FACTS)
def index() -> Answer:
    """The checks of facts, newest first."""
    closed = tuple(blind.closed_to(db(), actor())) if actor().is_company else ()
    rows = facts.list_checks(db(), request.args.get("cursor"), but=closed)
    base = url_for("fact_checks.index")
    return render_template(
        "audits/facts/index.html",
        rows=rows,
        states=CHECK_STATES,
        may_answer=actor().may(ANSWER_FACTS),
        next_url=rows.next and f"{base}?cursor={rows.next}",
        previous_url=rows.previous and f"{base}?cursor={rows.previous}",
    )


def _show(
    row: FactCheck,
    problem: PortalError | None = None,
    typed: str = "",
    ask: AskForm | None = None,
) -> str:
    due = clock_of(db(), row.tenant_id, row.id, CLOCK)
    former, later = facts.neighbours(db(), row)
    may = actor().may(ANSWER_FACTS) and row.state == "asked"
    return render_template(
        "audits/facts/show.html",
        check=row,
        told=[
            (
                fact,
                date.fromisoformat(fact["occurred_on"]),
                former is not None and fact not in former.facts,
            )
            for fact in row.facts
        ],
        former=former,
        later=later,
        more_time=extension_box(
            db(),
            (row.tenant_id, row.id, CLOCK),
            {"ask": ask} if ask is not None else {},
            may_ask=may,
            may_decide=False,
        ),
        due=clock_view(due, load_calendar(db()), clock.now()) if due else None,
        states=CHECK_STATES,
        may_answer=may,
        problem=problem,
        typed=typed,
    )


@bp.get("/<uuid:check_id>")
@guard(SEE_FACTS)
def show(check_id: UUID) -> Answer:
    """One check of facts; the company's people go on to the review."""
    row = facts.get_check(db(), check_id)
    if actor().is_company:
        return redirect(f"/reviews/{row.review_id}")
    return _show(row)


@bp.post("/<uuid:check_id>/answer")
@guard(ANSWER_FACTS)
def answer(check_id: UUID) -> Answer:
    """Say whether the facts are right."""
    row = facts.get_check(db(), check_id, lock=True)
    typed = request.form.get("answer", "")[: facts.ANSWER]
    agreed = request.form.get("agreed") == "1"
    try:
        check_version(row, request.form.get("version"))
        facts.answer(db(), check_id, agreed=agreed, text=typed, actor=actor())
    except PortalError as error:
        db().rollback()
        return _show(facts.get_check(db(), check_id), error, typed), error.status
    db().commit()
    flash(_("Your answer is with the audit department, which judges the case now."), "success")
    return redirect(url_for("fact_checks.show", check_id=check_id))


@bp.post("/<uuid:check_id>/extensions")
@guard(ANSWER_FACTS)
def ask(check_id: UUID) -> Answer:
    """Ask for more time, before the clock runs out."""
    form = AskForm(prefix="ask-")
    row = facts.get_check(db(), check_id)
    if not form.validate_on_submit():
        return _show(row, ask=form), 422
    try:
        facts.ask_extension(
            db(), check_id, wanted=form.wanted.data, reason=form.reason.data or "", actor=actor()
        )
    except PortalError as error:
        db().rollback()
        return _show(facts.get_check(db(), check_id), error, ask=form), error.status
    db().commit()
    flash(_("The extension is asked for. Until it is decided, the deadline stays."), "success")
    return redirect(url_for("fact_checks.show", check_id=check_id))


@bp.post("/<uuid:check_id>/extensions/<uuid:extension_id>")
@guard(REVIEW)
def decide_extension(check_id: UUID, extension_id: UUID) -> Answer:
    """Grant or refuse more time."""
    form = ExtensionForm(prefix="extension-")
    review = get_review(db(), facts.get_check(db(), check_id).review_id)
    note = form.note.data or ""
    try:
        if request.form.get("decision") == "grant":
            facts.grant_extension(
                db(), check_id, extension_id, until=form.until.data, note=note, actor=actor()
            )
            told = _("The vendor has more time to check the facts.")
        else:
            facts.refuse_extension(db(), check_id, extension_id, note=note, actor=actor())
            told = _("The extension is refused; the vendor is told.")
    except PortalError as error:
        db().rollback()
        return show_page(get_review(db(), review.id), problem=error)
    db().commit()
    flash(told, "success")
    return redirect(url_for("reviews.show", review_id=review.id) + "#extension")


decide_extension.menu = "reviews.index"  # type: ignore[attr-defined]
_VIEWS: tuple[Any, ...] = (show, answer, ask)
for _view in _VIEWS:
    _view.menu = "fact_checks.index"
