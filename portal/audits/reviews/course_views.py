"""How a case goes on at the review desk: to the next case, the first listening's end, the vendor's
check of the facts, the verdict, opening it again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.audits.models import Review
from portal.audits.permissions import REVIEW, SEE_REVIEWS
from portal.audits.reviews import page, queries, stages
from portal.audits.reviews.views import Answer, show_page
from portal.kernel.access import guard
from portal.kernel.errors import NotFound, PortalError
from portal.kernel.web import actor, check_version, db

bp = Blueprint("review_course", __name__, url_prefix="/reviews")


@bp.get("/next")
@guard(SEE_REVIEWS)
def following() -> Answer:
    """The next case at which one can do something, the longest waiting request first."""
    found = queries.next_for(db(), actor().account_id)
    if found is None:
        flash(_("Nothing waits for you at the review desk."), "info")
        return redirect(url_for("reviews.index"))
    return redirect(url_for("reviews.show", review_id=found))


def _on(review: Review) -> Response:
    """Commit, and go to the next case; to the queue when none is left."""
    found = queries.next_for(db(), actor().account_id, review)
    db().commit()
    if found is None:
        return redirect(url_for("reviews.index", request=review.request_id))
    return redirect(url_for("reviews.show", review_id=found))


def _refused(review_id: UUID, error: PortalError) -> Answer:
    db().rollback()
    return show_page(queries.get_review(db(), review_id), problem=error)


@bp.post("/<uuid:review_id>/listened")
@guard(REVIEW)
def listened(review_id: UUID) -> Answer:
    """End the first listening with the verdict that it proposes."""
    review = page.locked(db(), review_id)
    wanted = request.form.get("verdict", "")
    try:
        check_version(review, request.form.get("version"))
        if wanted not in ("pass", "fail"):
            raise NotFound("verdict")
        remark = request.form.get("remark", "")
        stages.end_first(db(), review, passed=wanted == "pass", remark=remark, actor=actor())
    except PortalError as error:
        return _refused(review_id, error)
    if review.state == "judged":
        flash(_("Case %(case)s is judged.", case=review.case_no), "success")
    else:
        flash(_("Case %(case)s waits for the second listening.", case=review.case_no), "success")
    return _on(review)


@bp.post("/<uuid:review_id>/facts")
@guard(REVIEW)
def facts(review_id: UUID) -> Answer:
    """Have the vendor check the facts."""
    review = page.locked(db(), review_id)
    try:
        check_version(review, request.form.get("version"))
        question = request.form.get("question", "")
        stages.ask_facts(db(), review, question=question, actor=actor())
    except PortalError as error:
        return _refused(review_id, error)
    flash(_("The vendor is asked to check the facts of case %(case)s.", case=review.case_no))
    return _on(review)


@bp.post("/<uuid:review_id>/facts/recall")
@guard(REVIEW)
def recall(review_id: UUID) -> Answer:
    """Take the question about the facts back."""
    review = page.locked(db(), review_id)
    try:
        check_version(review, request.form.get("version"))
        stages.recall_facts(db(), review, reason=request.form.get("reason", ""), actor=actor())
    except PortalError as error:
        return _refused(review_id, error)
    db().commit()
    flash(_("The question is taken back; the findings can be changed."), "success")
    return redirect(url_for("reviews.show", review_id=review_id))


@bp.post("/<uuid:review_id>/verdict")
@guard(REVIEW)
def verdict(review_id: UUID) -> Answer:
    """Judge the case 合格 or 不合格 after the second listening, or open it again."""
    review = page.locked(db(), review_id)
    wanted = request.form.get("verdict", "")
    try:
        check_version(review, request.form.get("version"))
        if wanted == "reopen":
            stages.reopen(db(), review, actor=actor())
            db().commit()
            return redirect(url_for("reviews.show", review_id=review.id))
        if wanted not in ("pass", "fail"):
            raise NotFound("verdict")
        remark = request.form.get("remark", "")
        stages.judge(db(), review, passed=wanted == "pass", remark=remark, actor=actor())
    except PortalError as error:
        return _refused(review_id, error)
    flash(_("Case %(case)s is judged.", case=review.case_no), "success")
    return _on(review)


_VIEWS: tuple[Any, ...] = (following, listened, facts, recall, verdict)
for _view in _VIEWS:
    _view.menu = "reviews.index"
