"""The vendor's pages of its checks of facts: the list, one check, its answer."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.permissions import ANSWER_FACTS, SEE_FACTS
from portal.audits.reviews import facts
from portal.audits.reviews.models import FactCheck
from portal.audits.reviews.stages import CLOCK
from portal.audits.words import CHECK_STATES
from portal.calendar.service import load as load_calendar
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
    rows = facts.list_checks(db(), request.args.get("cursor"))
    base = url_for("fact_checks.index")
    return render_template(
        "audits/facts/index.html",
        rows=rows,
        states=CHECK_STATES,
        may_answer=actor().may(ANSWER_FACTS),
        next_url=rows.next and f"{base}?cursor={rows.next}",
        previous_url=rows.previous and f"{base}?cursor={rows.previous}",
    )


def _show(row: FactCheck, problem: PortalError | None = None, typed: str = "") -> str:
    due = clock_of(db(), row.tenant_id, row.id, CLOCK)
    return render_template(
        "audits/facts/show.html",
        check=row,
        told=[(fact, date.fromisoformat(fact["occurred_on"])) for fact in row.facts],
        due=clock_view(due, load_calendar(db()), clock.now()) if due else None,
        states=CHECK_STATES,
        may_answer=actor().may(ANSWER_FACTS) and row.state == "asked",
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


_VIEWS: tuple[Any, ...] = (show, answer)
for _view in _VIEWS:
    _view.menu = "fact_checks.index"
