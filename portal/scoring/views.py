"""Pages of scores."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.jobs.queries import find_run
from portal.jobs.service import enqueue
from portal.kernel.access import guard
from portal.kernel.web import actor, check_version, db
from portal.scoring import queries, service
from portal.scoring.addresses import opens
from portal.scoring.charts import trend_chart, trend_rows
from portal.scoring.forms import PeriodForm
from portal.scoring.models import Score
from portal.scoring.permissions import COMPUTE, VIEW
from portal.scoring.scheme import Scheme, parse_scheme
from portal.scoring.snapshot import thaw

bp = Blueprint("scoring", __name__, url_prefix="/scores")
Answer = str | Response | tuple[str, int]


def _index(form: PeriodForm, status: int = 200) -> Answer:
    # Before the list: what the bar calls done is on the page.
    run = find_run(db(), request.args.get("run", ""), actor())
    page = queries.list_scores(
        db(), period=request.args.get("period", "")[:7], cursor=request.args.get("cursor")
    )
    return (
        render_template(
            "scoring/index.html",
            page=page,
            form=form,
            run=run,
            may_compute=actor().may(COMPUTE),
            is_company=actor().is_company,
        ),
        status,
    )


@bp.get("")
@guard(VIEW)
def index() -> Answer:
    """Scores by month."""
    return _index(PeriodForm(formdata=None))


@bp.post("/compute")
@guard(COMPUTE)
def compute() -> Answer:
    """Compute a month for every vendor, as a job."""
    form = PeriodForm()
    if not form.validate_on_submit():
        return _index(form, 422)
    period = service.check_period(form.period.data or "")
    run = enqueue(
        db(), "scoring.compute_month", {"period": period}, actor=actor(), lock=f"score {period}"
    )
    db().commit()
    return redirect(url_for("scoring.index", period=period, run=run))


@bp.get("/<uuid:score_id>")
@guard(VIEW)
def show(score_id: UUID) -> Answer:
    """One score: dimensions, every lost point with its fact, grade and factor, the trend."""
    row = service.get_score(db(), score_id)
    return render_template("scoring/show.html", **_page(row))


def _page(row: Score) -> dict[str, Any]:
    result = thaw(row.result)
    scheme = parse_scheme(row.facts["scheme"])
    company = actor().is_company
    chinese = str(get_locale()).startswith("zh")
    return {
        "score": row,
        "result": result,
        "grades": sorted(scheme.grades, key=lambda grade: grade.start, reverse=True),
        "lines": queries.lost_lines(db(), row, service.lines_of(result), opened=opens(actor())),
        "name": (lambda part: part.title if chinese else part.title_en),
        "chart": _chart(row, scheme),
        "is_company": company,
        "vendor": queries.vendor_name(db(), row.tenant_id) if company else "",
        "may_compute": actor().may(COMPUTE),
        "month_over": service.month_over(row),
    }


def _chart(row: Score, scheme: Scheme) -> dict[str, Any] | None:
    """The issued totals of the last months over the grades of the score's scheme."""
    points = queries.trend(db(), row.tenant_id)
    if len(points) < 2:
        return None
    return {"svg": trend_chart(points, scheme), "rows": trend_rows(points)}


@bp.post("/<uuid:score_id>/compute")
@guard(COMPUTE)
def recompute(score_id: UUID) -> Answer:
    """Compute one score again from the facts as they stand now."""
    row = service.get_score(db(), score_id)
    service.compute(db(), tenant_id=row.tenant_id, period=row.period, actor=actor())
    db().commit()
    flash(_("The score is computed anew from the facts as they stand."), "success")
    return redirect(url_for("scoring.show", score_id=score_id))


@bp.post("/<uuid:score_id>/issue")
@guard(COMPUTE)
def issue(score_id: UUID) -> Answer:
    """Issue a score to its vendor."""
    row = service.get_score(db(), score_id)
    check_version(row, request.form.get("version"))
    service.issue(db(), score_id, actor=actor())
    db().commit()
    flash(_("The score is issued; the vendor sees it now."), "success")
    return redirect(url_for("scoring.show", score_id=score_id))


_views: tuple[Any, ...] = (show, compute, recompute, issue)
for _view in _views:
    _view.menu = "scoring.index"
