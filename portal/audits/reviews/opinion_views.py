"""Pages of calibration: which cases wait for a blind opinion, one of them, how far all agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.models import Review
from portal.audits.permissions import REVIEW, SEE_REVIEWS
from portal.audits.reviews import blind, opinions, page, queries
from portal.audits.reviews.models import Listening
from portal.audits.reviews.stages import REMARK
from portal.audits.reviews.terms import review_terms
from portal.kernel import clock
from portal.kernel.access import guard
from portal.kernel.errors import Invalid, NotFound, PortalError
from portal.kernel.phrases import phrase
from portal.kernel.web import actor, check_version, db
from portal.materials.words import ITEM_STATES, KINDS, REASONS
from portal.vendors.penalties import catalogue_on

bp = Blueprint("opinions", __name__, url_prefix="/reviews/opinions")
Answer = str | Response | tuple[str, int]
DAYS = 180
"""The agreement shown is that of the opinions of so many days."""


@bp.get("/")
@guard(SEE_REVIEWS)
def index() -> Answer:
    """Opinions to give, the agreement, and the newest opinions beside the desk's verdicts."""
    whole, judges = opinions.agreements(db(), clock.now() - timedelta(days=DAYS))
    return render_template(
        "audits/opinions/index.html",
        waiting=opinions.waiting(db(), actor()),
        asked=request.args.get("asked", ""),
        lapsed=opinions.lapsed(db(), clock.now() - timedelta(days=DAYS)),
        given=opinions.given(db()),
        whole=whole,
        judges=judges,
        days=DAYS,
        percent=review_terms(db(), clock.today()).opinion_percent,
        may_review=actor().may(REVIEW),
        own=actor().name,
    )


def _review(row: Listening) -> Review:
    return queries.get_review(db(), row.review_id)


@bp.post("/<uuid:opinion_id>/take")
@guard(REVIEW)
def take(opinion_id: UUID) -> Answer:
    """Take an opinion on; the desk's page of the case is closed to one until it is given."""
    row = opinions.get_opinion(db(), opinion_id, lock=True)
    try:
        opinions.take(db(), row, _review(row), actor=actor())
    except PortalError as error:
        db().rollback()
        flash(f"{error.message} {error.mend}", "warning")
        return redirect(url_for("opinions.index"))
    db().commit()
    return redirect(url_for("opinions.show", opinion_id=opinion_id))


@bp.post("/<uuid:opinion_id>/look")
@guard(REVIEW)
def look(opinion_id: UUID) -> Answer:
    """Look at the desk's work on the case, and give no opinion of it."""
    row = opinions.get_opinion(db(), opinion_id, lock=True)
    try:
        opinions.look(db(), row, _review(row), actor=actor())
    except PortalError as error:
        db().rollback()
        flash(f"{error.message} {error.mend}", "warning")
        return redirect(url_for("opinions.show", opinion_id=opinion_id))
    db().commit()
    return redirect(url_for("reviews.show", review_id=row.review_id))


@bp.post("/forms/<uuid:form_id>/look")
@guard(REVIEW)
def look_at_form(form_id: UUID) -> Answer:
    """Look at a prepared form, and give no opinion of its cases."""
    for one in blind.closed_forms(db(), actor()).get(form_id, []):
        row = opinions.get_opinion(db(), one.opinion_id, lock=True)
        try:
            opinions.look(db(), row, _review(row), actor=actor())
        except PortalError as error:
            db().rollback()
            flash(f"{error.message} {error.mend}", "warning")
            return redirect(url_for("opinions.show", opinion_id=one.opinion_id))
    db().commit()
    return redirect(url_for("assessments.show", form_id=form_id))


@bp.get("/<uuid:opinion_id>")
@guard(REVIEW)
def show(opinion_id: UUID) -> Answer:
    """The case as its first listener found it: nothing of the others' work."""
    row = opinions.get_opinion(db(), opinion_id)
    if row.by != actor().account_id or row.at is not None or row.lapsed_at is not None:
        raise NotFound("opinion to give")
    return _show(row)


def _show(row: Listening, problem: PortalError | None = None) -> str:
    review = _review(row)
    try:
        asked: UUID | None = UUID(request.values.get("recording", ""))
    except ValueError:
        asked = None
    return render_template(
        "audits/opinions/show.html",
        **page.evidence(db(), review, asked),
        opinion=row,
        problem=problem,
        typed=request.form,
        marks=[],
        clauses=list(catalogue_on(db(), clock.today()).catalogue.clauses.values()),
        material_kinds=KINDS,
        material_states=ITEM_STATES,
        material_reasons=REASONS,
        remark_length=REMARK,
    )


@bp.post("/<uuid:opinion_id>")
@guard(REVIEW)
def give(opinion_id: UUID) -> Answer:
    """Give the opinion; then both verdicts are shown."""
    row = opinions.get_opinion(db(), opinion_id, lock=True)
    wanted, clause = request.form.get("verdict", ""), request.form.get("clause_no", "")
    try:
        check_version(row, request.form.get("version"))
        known = catalogue_on(db(), clock.today()).catalogue.clauses
        if wanted not in ("pass", "fail"):
            raise Invalid(phrase("Choose passed or not passed."))
        if wanted == "fail" and clause not in known:
            raise Invalid(phrase("Choose the heaviest clause that you see broken."))
        opinions.give(
            db(),
            row,
            _review(row),
            passed=wanted == "pass",
            clause_no=clause,
            remark=request.form.get("remark", ""),
            actor=actor(),
        )
    except PortalError as error:
        db().rollback()
        row = opinions.get_opinion(db(), opinion_id)
        if row.by != actor().account_id or row.at is not None or row.lapsed_at is not None:
            raise
        return _show(row, error), error.status
    db().commit()
    flash(_("Your opinion is on record; now you see the desk's verdict beside it."), "success")
    return redirect(url_for("opinions.index") + "#given")


_VIEWS: tuple[Any, ...] = (index, take, look, look_at_form, show, give)
for _view in _VIEWS:
    _view.menu = "reviews.index"
